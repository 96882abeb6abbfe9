//! A token without a signature (CVE-2026-23993, RFC 7515 appendix A.5).

use {AuthError, FormatError};
use bearward_testing::{Token, encode};
use rstest::rstest;

use crate::stand::{Stand, parts, refused};

#[rstest]
fn cve_2026_23993_none_is_refused_in_every_spelling_with_and_without_a_signature(
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
    let stand = Stand::new();
    let token = stand.token().header("alg", alg);
    refused!(
        stand,
        token.clone().unsigned(),
        "MALFORMED_TOKEN",
        AuthError::Form(FormatError::Empty)
    );
    refused!(
        stand,
        format!("{}AA", token.clone().unsigned()),
        "UNSUPPORTED_ALGORITHM",
        AuthError::AlgorithmNotAllowed { .. }
    );
    refused!(
        stand,
        token.sign(),
        "UNSUPPORTED_ALGORITHM",
        AuthError::AlgorithmNotAllowed { .. }
    );
}

#[rstest]
#[case::escaped(r#"{"alg":"\u006eone"}"#)]
#[case::with_kid(r#"{"alg":"none","kid":"KID"}"#)]
#[case::with_type(r#"{"typ":"JWT","alg":"none"}"#)]
fn none_written_otherwise_is_none(#[case] header: &str) {
    let stand = Stand::new();
    let header = header.replace("KID", stand.key.kid());
    refused!(
        stand,
        stand.with_header(&header),
        "UNSUPPORTED_ALGORITHM",
        AuthError::AlgorithmNotAllowed { .. }
    );
}

#[test]
fn a_good_token_whose_signature_is_cut_off_is_refused() {
    let stand = Stand::new();
    let token = stand.token().sign();
    stand.accepts(&token);
    let [header, payload, _] = parts(&token);
    refused!(
        stand,
        format!("{header}.{payload}"),
        "MALFORMED_TOKEN",
        AuthError::Form(FormatError::Parts(2))
    );
    refused!(
        stand,
        format!("{header}.{payload}."),
        "MALFORMED_TOKEN",
        AuthError::Form(FormatError::Empty)
    );
    refused!(
        stand,
        format!("{header}.{payload}.AA"),
        "INVALID_SIGNATURE",
        AuthError::InvalidSignature
    );
}

#[test]
fn a_header_without_alg_is_not_taken_for_the_keys_algorithm() {
    let stand = Stand::new();
    refused!(
        stand,
        stand.token().without_header("alg").sign(),
        "MALFORMED_TOKEN",
        AuthError::Header(_)
    );
}

#[test]
fn a_signature_of_nothing_but_zeros_is_none() {
    let stand = Stand::new();
    let claims = stand.token();
    for bytes in [vec![0; 64], vec![0; 1], vec![0xff; 64]] {
        let token = Token::new(claims.header_members(), claims.claims()).with_signature(&bytes);
        refused!(
            stand,
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
    refused!(
        stand,
        none,
        "UNSUPPORTED_ALGORITHM",
        AuthError::AlgorithmNotAllowed { .. }
    );
}
