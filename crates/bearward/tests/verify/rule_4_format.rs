//! Rule 4, format: three non-empty base64url parts without padding or nonzero trailing bits.

use bearward::{AuthError, FormatError};
use bearward_testing::Token;

use crate::fixture::{Fixture, assert_rejected, split_token};

#[test]
fn a_token_has_exactly_three_parts() {
    let fixture = Fixture::new();
    let token = fixture.token().sign();
    let [header, payload, signature] = split_token(&token);
    fixture.verify_ok(&token);
    assert_rejected!(
        fixture,
        "",
        "MALFORMED_TOKEN",
        AuthError::Format(FormatError::Parts(1))
    );
    assert_rejected!(
        fixture,
        header,
        "MALFORMED_TOKEN",
        AuthError::Format(FormatError::Parts(1))
    );
    assert_rejected!(
        fixture,
        format!("{header}.{payload}"),
        "MALFORMED_TOKEN",
        AuthError::Format(FormatError::Parts(2))
    );
    assert_rejected!(
        fixture,
        format!("{token}.{signature}"),
        "MALFORMED_TOKEN",
        AuthError::Format(FormatError::Parts(4))
    );
    assert_rejected!(
        fixture,
        format!("{token}.a.a"),
        "MALFORMED_TOKEN",
        AuthError::Format(FormatError::Encrypted)
    );
    assert_rejected!(
        fixture,
        format!("{token}.a.a.a"),
        "MALFORMED_TOKEN",
        AuthError::Format(FormatError::Parts(6))
    );
    assert_rejected!(
        fixture,
        format!("{token}."),
        "MALFORMED_TOKEN",
        AuthError::Format(FormatError::Parts(4))
    );
    assert_rejected!(
        fixture,
        format!(".{token}"),
        "MALFORMED_TOKEN",
        AuthError::Format(FormatError::Parts(4))
    );
}

#[test]
fn five_parts_are_rejected_as_an_encrypted_token() {
    let fixture = Fixture::new();
    assert_rejected!(
        fixture,
        "....",
        "MALFORMED_TOKEN",
        AuthError::Format(FormatError::Encrypted)
    );
    assert_rejected!(
        fixture,
        "a.b.c.d.e",
        "MALFORMED_TOKEN",
        AuthError::Format(FormatError::Encrypted)
    );
}

#[test]
fn empty_parts_are_rejected() {
    let fixture = Fixture::new();
    let token = fixture.token().sign();
    let [header, payload, signature] = split_token(&token);
    for token in [
        format!(".{payload}.{signature}"),
        format!("{header}..{signature}"),
        format!("{header}.{payload}."),
        "..".into(),
    ] {
        assert_rejected!(
            fixture,
            token,
            "MALFORMED_TOKEN",
            AuthError::Format(FormatError::Empty)
        );
    }
}

#[test]
fn padding_is_rejected_in_every_part() {
    let fixture = Fixture::new();
    let token = fixture.token().sign();
    for index in 0..3 {
        for padding in ["=", "=="] {
            let mut parts = split_token(&token).map(str::to_owned);
            parts[index].push_str(padding);
            assert_rejected!(
                fixture,
                parts.join("."),
                "MALFORMED_TOKEN",
                AuthError::Format(FormatError::Base64)
            );
        }
    }
}

#[test]
fn whitespace_is_rejected_anywhere_in_the_token() {
    let fixture = Fixture::new();
    let token = fixture.token().sign();
    for space in [" ", "\t", "\n", "\r\n", "\u{a0}", "\0"] {
        for at in [0, 5, token.find('.').unwrap(), token.len() / 2, token.len()] {
            let (before, after) = token.split_at(at);
            assert_rejected!(
                fixture,
                format!("{before}{space}{after}"),
                "MALFORMED_TOKEN",
                AuthError::Format(FormatError::Base64)
            );
        }
    }
}

#[test]
fn only_the_url_safe_alphabet_is_accepted() {
    let fixture = Fixture::new();
    // A header whose base64url contains both characters that differ from standard base64.
    let with_both =
        |shift: usize| fixture.with_header_member("x", &format!("\"{}???>>>\"", "x".repeat(shift)));
    let token = (0..3)
        .map(with_both)
        .find(|token| split_token(token)[0].contains(['-']) && split_token(token)[0].contains('_'))
        .unwrap();
    let [header, payload, signature] = split_token(&token);
    fixture.verify_ok(&token);
    let standard = header.replace('-', "+").replace('_', "/");
    assert_rejected!(
        fixture,
        format!("{standard}.{payload}.{signature}"),
        "MALFORMED_TOKEN",
        AuthError::Format(FormatError::Base64)
    );
    for foreign in ["+", "/", "!", "*", "%3D", "\u{212a}", "\u{ff21}"] {
        assert_rejected!(
            fixture,
            format!("{header}.{foreign}{payload}.{signature}"),
            "MALFORMED_TOKEN",
            AuthError::Format(FormatError::Base64)
        );
    }
}

#[test]
fn nonzero_trailing_bits_are_rejected() {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let fixture = Fixture::new();
    let token = fixture.token().sign();
    // 64 bytes of signature leave four unused bits, so a lenient decoder accepts fifteen other
    // encodings of the same bytes.
    let (body, last) = token.split_at(token.len() - 1);
    let position = ALPHABET
        .iter()
        .position(|character| last.as_bytes()[0] == *character)
        .unwrap();
    assert_eq!(position % 16, 0, "an encoder sets the unused bits to zero");
    for bits in 1..16 {
        let other = char::from(ALPHABET[position + bits]);
        assert_rejected!(
            fixture,
            format!("{body}{other}"),
            "MALFORMED_TOKEN",
            AuthError::Format(FormatError::Base64)
        );
    }
}

#[test]
fn an_incomplete_final_group_is_rejected() {
    let fixture = Fixture::new();
    let token = fixture.token().sign();
    let [header, payload, signature] = split_token(&token);
    let complete_groups = |part: &str| part[..part.len() / 4 * 4].to_owned();
    assert_rejected!(
        fixture,
        format!("{header}.{payload}.{}A", complete_groups(signature)),
        "MALFORMED_TOKEN",
        AuthError::Format(FormatError::Base64)
    );
    assert_rejected!(
        fixture,
        format!("{}A.{payload}.{signature}", complete_groups(header)),
        "MALFORMED_TOKEN",
        AuthError::Format(FormatError::Base64)
    );
}

#[test]
fn signatures_over_1024_bytes_are_rejected_before_key_lookup() {
    let fixture = Fixture::new();
    let token = fixture.token().kid("unknown").sign();
    let [header, payload, _] = split_token(&token);
    let signed = |bytes: usize| {
        format!(
            "{header}.{payload}.{}",
            bearward_testing::encode(&vec![1; bytes])
        )
    };
    assert_rejected!(fixture, signed(1024), "UNKNOWN_KEY", AuthError::UnknownKey);
    assert_rejected!(
        fixture,
        signed(1025),
        "MALFORMED_TOKEN",
        AuthError::Format(FormatError::LongSignature)
    );
}

#[test]
fn a_supabase_api_key_is_rejected_with_its_own_error() {
    let fixture = Fixture::new();
    for key in ["sb_publishable_pasted", "sb_secret_pasted"] {
        assert_rejected!(fixture, key, "MALFORMED_TOKEN", AuthError::ApiKey);
    }
    assert_rejected!(
        fixture,
        "sb_other_pasted",
        "MALFORMED_TOKEN",
        AuthError::Format(FormatError::Parts(1))
    );
}

#[test]
fn a_long_signature_of_an_unsupported_algorithm_is_reported_as_such() {
    let fixture = Fixture::new();
    let token = fixture.token();
    let mut header = token.header_members().clone();
    header.insert("alg".to_owned(), "ML-DSA-87".into());
    let long = Token::new(&header, token.claims()).with_signature(&[1; 4627]);
    assert_rejected!(
        fixture,
        long,
        "UNSUPPORTED_ALGORITHM",
        AuthError::AlgorithmNotAllowed { .. }
    );
}
