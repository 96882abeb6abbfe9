//! Unsigned tokens (CVE-2026-23993, RFC 7515 appendix A.5).

use bearward::{AuthError, FormatError};
use bearward_testing::{Token, encode};
use rstest::rstest;

use crate::fixture::{Fixture, assert_rejected, split_token};

#[rstest]
fn cve_2026_23993_every_spelling_of_none_is_rejected(
    #[values(
        "none",
        "None",
        "NONE",
        "nOnE",
        "noNE",
        "non\u{65}",
        " none",
        "none ",
        "none\u{0}",
        "n\u{f6}ne",
        "\u{ff4e}one",
        "null",
        "undefined",
        "unsecured",
        "plain",
        "",
        "HS256none",
        "none,ES256",
        "ES256,none",
        "\u{43d}one"
    )]
    alg: &str,
) {
    let fixture = Fixture::new();
    let token = fixture.token().header("alg", alg);
    assert_rejected!(
        fixture,
        token.clone().unsigned(),
        "MALFORMED_TOKEN",
        AuthError::Format(FormatError::Empty)
    );
    assert_rejected!(
        fixture,
        format!("{}AA", token.clone().unsigned()),
        "UNSUPPORTED_ALGORITHM",
        AuthError::AlgorithmNotAllowed { .. }
    );
    assert_rejected!(
        fixture,
        token.sign(),
        "UNSUPPORTED_ALGORITHM",
        AuthError::AlgorithmNotAllowed { .. }
    );
}

#[rstest]
#[case::escaped(r#"{"alg":"\u006eone"}"#)]
#[case::with_kid(r#"{"alg":"none","kid":"KID"}"#)]
#[case::with_type(r#"{"typ":"JWT","alg":"none"}"#)]
fn escaped_or_reordered_none_is_rejected(#[case] header: &str) {
    let fixture = Fixture::new();
    let header = header.replace("KID", fixture.key.kid());
    assert_rejected!(
        fixture,
        fixture.with_header(&header),
        "UNSUPPORTED_ALGORITHM",
        AuthError::AlgorithmNotAllowed { .. }
    );
}

#[test]
fn a_token_without_its_signature_is_rejected() {
    let fixture = Fixture::new();
    let token = fixture.token().sign();
    fixture.verify_ok(&token);
    let [header, payload, _] = split_token(&token);
    assert_rejected!(
        fixture,
        format!("{header}.{payload}"),
        "MALFORMED_TOKEN",
        AuthError::Format(FormatError::Parts(2))
    );
    assert_rejected!(
        fixture,
        format!("{header}.{payload}."),
        "MALFORMED_TOKEN",
        AuthError::Format(FormatError::Empty)
    );
    assert_rejected!(
        fixture,
        format!("{header}.{payload}.AA"),
        "INVALID_SIGNATURE",
        AuthError::InvalidSignature
    );
}

#[test]
fn a_header_without_alg_is_rejected() {
    let fixture = Fixture::new();
    assert_rejected!(
        fixture,
        fixture.token().without_header("alg").sign(),
        "MALFORMED_TOKEN",
        AuthError::Header(_)
    );
}

#[test]
fn all_zero_signatures_are_rejected() {
    let fixture = Fixture::new();
    let claims = fixture.token();
    for bytes in [vec![0; 64], vec![0; 1], vec![0xff; 64]] {
        let token = Token::new(claims.header_members(), claims.claims()).with_signature(&bytes);
        assert_rejected!(
            fixture,
            token,
            "INVALID_SIGNATURE",
            AuthError::InvalidSignature
        );
    }
    let none = format!(
        "{}.{}.{}",
        encode(br#"{"alg":"none"}"#),
        encode(b"{}"),
        encode(&[0; 64])
    );
    assert_rejected!(
        fixture,
        none,
        "UNSUPPORTED_ALGORITHM",
        AuthError::AlgorithmNotAllowed { .. }
    );
}
