//! Encrypted, nested and compressed tokens: nothing is decrypted, derived or decompressed
//! (CVE-2023-51774, CVE-2026-29000, CVE-2022-36083).

use bearward::{AuthError, FormatError, ObjectError};
use bearward_testing::encode;
use rstest::rstest;
use serde_json::json;

use crate::fixture::{Fixture, assert_rejected, read_vector};

#[rstest]
#[case::pbes2("rfc7520/5_3.jwe")]
#[case::compressed("rfc7520/5_9.jwe")]
fn cve_2023_51774_encrypted_tokens_are_rejected(#[case] name: &str) {
    assert_rejected!(
        Fixture::new(),
        read_vector(name),
        "MALFORMED_TOKEN",
        AuthError::Format(FormatError::Encrypted)
    );
}

#[test]
fn cve_2022_36083_pbes2_iterations_are_never_run() {
    let fixture = Fixture::new();
    let header = json!({ "alg": "PBES2-HS256+A128KW", "enc": "A128GCM", "p2s": "AAAA", "p2c": 2_000_000_000_u64 }).to_string();
    let five = format!("{}.AAAA.AAAA.AAAA.AAAA", encode(header.as_bytes()));
    assert_rejected!(
        fixture,
        five,
        "MALFORMED_TOKEN",
        AuthError::Format(FormatError::Encrypted)
    );
    // The same header in a signed token.
    let token = fixture.with_header(&header);
    assert_rejected!(fixture, token, "UNSUPPORTED_ALGORITHM", AuthError::AlgorithmNotAllowed { found, .. } if found.as_str() == "PBES2-HS256+A128KW");
}

#[rstest]
fn key_management_algorithms_are_rejected(
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
    let fixture = Fixture::new();
    let token = fixture
        .token()
        .header("alg", alg)
        .header("enc", "A256GCM")
        .sign();
    assert_rejected!(
        fixture,
        token,
        "UNSUPPORTED_ALGORITHM",
        AuthError::AlgorithmNotAllowed { .. }
    );
}

#[test]
fn cve_2026_29000_an_unsigned_token_inside_jwe_is_rejected() {
    let fixture = Fixture::new();
    let inner = fixture.token().alg_none();
    let header = encode(br#"{"alg":"RSA-OAEP-256","enc":"A256GCM","cty":"JWT"}"#);
    let outer = format!("{header}.AAAA.AAAA.{}.AAAA", encode(inner.as_bytes()));
    assert_rejected!(
        fixture,
        outer,
        "MALFORMED_TOKEN",
        AuthError::Format(FormatError::Encrypted)
    );
}

#[test]
fn a_token_nested_in_a_signed_token_is_rejected() {
    let fixture = Fixture::new();
    let header = fixture.header().replacen('{', r#"{"cty":"JWT","#, 1);
    for inner in [fixture.token().sign(), fixture.token().alg_none()] {
        assert_rejected!(
            fixture,
            fixture.sign(&header, &inner),
            "MALFORMED_TOKEN",
            AuthError::Payload(ObjectError::NotAnObject)
        );
    }
    // `cty` is ignored if the payload is a claims set.
    fixture.verify_ok(&fixture.token().header("cty", "JWT").sign());
}

#[test]
fn zip_is_ignored_and_nothing_is_decompressed() {
    let fixture = Fixture::new();
    // The member is ignored, so a compressed payload is not JSON.
    fixture.verify_ok(&fixture.token().header("zip", "DEF").sign());
    let header = fixture.header().replacen('{', r#"{"zip":"DEF","#, 1);
    // "{}" as raw DEFLATE.
    let deflated = [0xab, 0xae, 0x05, 0x00];
    let token = bearward_testing::Token::raw(header, deflated).sign(&fixture.key);
    assert_rejected!(
        fixture,
        token,
        "MALFORMED_TOKEN",
        AuthError::Payload(ObjectError::NotAnObject)
    );
}
