//! Encrypted, nested, compressed: nothing is decrypted, derived or inflated (CVE-2023-51774,
//! CVE-2026-29000, CVE-2022-36083).

use {AuthError, FormatError, ObjectError};
use bearward_testing::encode;
use rstest::rstest;
use serde_json::json;

use crate::stand::{Stand, refused, vector};

#[rstest]
#[case::pbes2("rfc7520/5_3.jwe")]
#[case::compressed("rfc7520/5_9.jwe")]
fn cve_2023_51774_published_encrypted_tokens_are_refused_by_their_form(#[case] name: &str) {
    refused!(
        Stand::new(),
        vector(name),
        "MALFORMED_TOKEN",
        AuthError::Form(FormatError::Encrypted)
    );
}

#[test]
fn cve_2022_36083_a_billion_iterations_are_not_begun() {
    let stand = Stand::new();
    let header = json!({ "alg": "PBES2-HS256+A128KW", "enc": "A128GCM", "p2s": "AAAA", "p2c": 2_000_000_000_u64 }).to_string();
    let five = format!("{}.AAAA.AAAA.AAAA.AAAA", encode(header.as_bytes()));
    refused!(
        stand,
        five,
        "MALFORMED_TOKEN",
        AuthError::Form(FormatError::Encrypted)
    );
    // Dressed as a signed token.
    let token = stand.with_header(&header);
    refused!(stand, token, "UNSUPPORTED_ALGORITHM", AuthError::AlgorithmNotAllowed { found, .. } if found.as_str() == "PBES2-HS256+A128KW");
}

#[rstest]
fn key_management_algorithms_are_unsupported(
    #[values(
        "dir",
        "RSA1_5",
        "RSA-OAEP",
        "RSA-OAEP-256",
        "A128KW",
        "ECDH-ES",
        "ECDH-ES+A256KW",
        "A256GCMKW",
        "PBES2-HS512+A256KW"
    )]
    alg: &str,
) {
    let stand = Stand::new();
    let token = stand
        .token()
        .header("alg", alg)
        .header("enc", "A256GCM")
        .sign();
    refused!(
        stand,
        token,
        "UNSUPPORTED_ALGORITHM",
        AuthError::AlgorithmNotAllowed { .. }
    );
}

#[test]
fn cve_2026_29000_a_plain_token_within_an_encrypted_one_is_not_reached() {
    let stand = Stand::new();
    let inner = stand.token().alg_none();
    let header = encode(br#"{"alg":"RSA-OAEP-256","enc":"A256GCM","cty":"JWT"}"#);
    let outer = format!("{header}.AAAA.AAAA.{}.AAAA", encode(inner.as_bytes()));
    refused!(
        stand,
        outer,
        "MALFORMED_TOKEN",
        AuthError::Form(FormatError::Encrypted)
    );
}

#[test]
fn a_token_within_a_signed_token_is_not_unwrapped() {
    let stand = Stand::new();
    let header = stand.header().replacen('{', r#"{"cty":"JWT","#, 1);
    for inner in [stand.token().sign(), stand.token().alg_none()] {
        refused!(
            stand,
            stand.sign(&header, &inner),
            "MALFORMED_TOKEN",
            AuthError::Payload(ObjectError::NotAnObject)
        );
    }
    // `cty` alone says nothing: the claims are there.
    stand.accepts(&stand.token().header("cty", "JWT").sign());
}

#[test]
fn zip_inflates_nothing() {
    let stand = Stand::new();
    // The member is ignored and the payload is what it is: claims, or no JSON.
    stand.accepts(&stand.token().header("zip", "DEF").sign());
    let header = stand.header().replacen('{', r#"{"zip":"DEF","#, 1);
    // "{}" as raw DEFLATE.
    let deflated = [0xab, 0xae, 0x05, 0x00];
    let token = bearward_testing::Token::raw(header, deflated).sign(&stand.key);
    refused!(
        stand,
        token,
        "MALFORMED_TOKEN",
        AuthError::Payload(ObjectError::NotAnObject)
    );
}
