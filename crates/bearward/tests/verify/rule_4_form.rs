//! Rule 4: three non-empty base64url parts, alphabet only, no padding, canonical trailing bits.

use {AuthError, FormatError};

use crate::stand::{Stand, parts, refused};

#[test]
fn three_parts_are_a_token_and_any_other_number_is_not() {
    let stand = Stand::new();
    let token = stand.token().sign();
    let [header, payload, signature] = parts(&token);
    stand.accepts(&token);
    refused!(
        stand,
        "",
        "MALFORMED_TOKEN",
        AuthError::Form(FormatError::Parts(1))
    );
    refused!(
        stand,
        header,
        "MALFORMED_TOKEN",
        AuthError::Form(FormatError::Parts(1))
    );
    refused!(
        stand,
        format!("{header}.{payload}"),
        "MALFORMED_TOKEN",
        AuthError::Form(FormatError::Parts(2))
    );
    refused!(
        stand,
        format!("{token}.{signature}"),
        "MALFORMED_TOKEN",
        AuthError::Form(FormatError::Parts(4))
    );
    refused!(
        stand,
        format!("{token}.a.a"),
        "MALFORMED_TOKEN",
        AuthError::Form(FormatError::Encrypted)
    );
    refused!(
        stand,
        format!("{token}.a.a.a"),
        "MALFORMED_TOKEN",
        AuthError::Form(FormatError::Parts(6))
    );
    refused!(
        stand,
        format!("{token}."),
        "MALFORMED_TOKEN",
        AuthError::Form(FormatError::Parts(4))
    );
    refused!(
        stand,
        format!(".{token}"),
        "MALFORMED_TOKEN",
        AuthError::Form(FormatError::Parts(4))
    );
}

#[test]
fn five_parts_are_refused_as_an_encrypted_token_even_when_all_are_empty() {
    let stand = Stand::new();
    refused!(
        stand,
        "....",
        "MALFORMED_TOKEN",
        AuthError::Form(FormatError::Encrypted)
    );
    refused!(
        stand,
        "a.b.c.d.e",
        "MALFORMED_TOKEN",
        AuthError::Form(FormatError::Encrypted)
    );
}

#[test]
fn no_part_may_be_empty() {
    let stand = Stand::new();
    let token = stand.token().sign();
    let [header, payload, signature] = parts(&token);
    for token in [
        format!(".{payload}.{signature}"),
        format!("{header}..{signature}"),
        format!("{header}.{payload}."),
        "..".into(),
    ] {
        refused!(
            stand,
            token,
            "MALFORMED_TOKEN",
            AuthError::Form(FormatError::Empty)
        );
    }
}

#[test]
fn padding_is_refused_in_each_part() {
    let stand = Stand::new();
    let token = stand.token().sign();
    for place in 0..3 {
        for padding in ["=", "=="] {
            let mut parts = parts(&token).map(str::to_owned);
            parts[place].push_str(padding);
            refused!(
                stand,
                parts.join("."),
                "MALFORMED_TOKEN",
                AuthError::Form(FormatError::Base64)
            );
        }
    }
}

#[test]
fn white_space_is_refused_in_around_and_between_the_parts() {
    let stand = Stand::new();
    let token = stand.token().sign();
    for space in [" ", "\t", "\n", "\r\n", "\u{a0}", "\0"] {
        for at in [0, 5, token.find('.').unwrap(), token.len() / 2, token.len()] {
            let (before, after) = token.split_at(at);
            refused!(
                stand,
                format!("{before}{space}{after}"),
                "MALFORMED_TOKEN",
                AuthError::Form(FormatError::Base64)
            );
        }
    }
}

#[test]
fn the_alphabet_is_the_url_safe_one_alone() {
    let stand = Stand::new();
    // A header whose base64 needs both characters in which the two alphabets differ.
    let with_both =
        |shift: usize| stand.with_header_member("x", &format!("\"{}???>>>\"", "x".repeat(shift)));
    let token = (0..3)
        .map(with_both)
        .find(|token| parts(token)[0].contains(['-']) && parts(token)[0].contains('_'))
        .unwrap();
    let [header, payload, signature] = parts(&token);
    stand.accepts(&token);
    let standard = header.replace('-', "+").replace('_', "/");
    refused!(
        stand,
        format!("{standard}.{payload}.{signature}"),
        "MALFORMED_TOKEN",
        AuthError::Form(FormatError::Base64)
    );
    for foreign in ["+", "/", "!", "*", "%3D", "\u{212a}", "\u{ff21}"] {
        refused!(
            stand,
            format!("{header}.{foreign}{payload}.{signature}"),
            "MALFORMED_TOKEN",
            AuthError::Form(FormatError::Base64)
        );
    }
}

#[test]
fn trailing_bits_are_zero_so_that_one_signature_has_one_spelling() {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let stand = Stand::new();
    let token = stand.token().sign();
    // 64 bytes of signature leave four unused bits: fifteen other spellings decode to the same
    // bytes in a lax decoder.
    let (body, last) = token.split_at(token.len() - 1);
    let place = ALPHABET
        .iter()
        .position(|character| last.as_bytes()[0] == *character)
        .unwrap();
    assert_eq!(place % 16, 0, "an encoder leaves them zero");
    for bits in 1..16 {
        let other = char::from(ALPHABET[place + bits]);
        refused!(
            stand,
            format!("{body}{other}"),
            "MALFORMED_TOKEN",
            AuthError::Form(FormatError::Base64)
        );
    }
}

#[test]
fn a_lone_character_at_the_end_of_a_part_is_no_byte() {
    let stand = Stand::new();
    let token = stand.token().sign();
    let [header, payload, signature] = parts(&token);
    let whole = |part: &str| part[..part.len() / 4 * 4].to_owned();
    refused!(
        stand,
        format!("{header}.{payload}.{}A", whole(signature)),
        "MALFORMED_TOKEN",
        AuthError::Form(FormatError::Base64)
    );
    refused!(
        stand,
        format!("{}A.{payload}.{signature}", whole(header)),
        "MALFORMED_TOKEN",
        AuthError::Form(FormatError::Base64)
    );
}

#[test]
fn a_signature_longer_than_any_key_makes_is_refused_before_any_key_is_looked_for() {
    let stand = Stand::new();
    let token = stand.token().kid("nobody").sign();
    let [header, payload, _] = parts(&token);
    let signed = |bytes: usize| {
        format!(
            "{header}.{payload}.{}",
            bearward_testing::encode(&vec![1; bytes])
        )
    };
    refused!(stand, signed(1024), "UNKNOWN_KEY", AuthError::UnknownKey);
    refused!(
        stand,
        signed(1025),
        "MALFORMED_TOKEN",
        AuthError::Form(FormatError::Base64)
    );
}

#[test]
fn a_supabase_api_key_in_place_of_a_token_is_called_by_its_name() {
    let stand = Stand::new();
    for key in ["sb_publishable_pasted", "sb_secret_pasted"] {
        refused!(stand, key, "MALFORMED_TOKEN", AuthError::ApiKey);
    }
    refused!(
        stand,
        "sb_other_pasted",
        "MALFORMED_TOKEN",
        AuthError::Form(FormatError::Parts(1))
    );
}
