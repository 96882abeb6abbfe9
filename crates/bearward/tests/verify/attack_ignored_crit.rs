//! An extension that must be understood is not (CVE-2026-32597, CVE-2025-59420), or the payload is
//! not what was signed (RFC 7797).

use {AuthError, HeaderError};
use bearward_testing::{Token, encode};
use serde_json::json;

use crate::stand::{Stand, refused};

#[test]
fn cve_2025_59420_and_cve_2026_32597_a_crit_that_names_anything_is_refused_though_the_signature_is_right()
 {
    let stand = Stand::new();
    for crit in [
        json!(["cnf"]),
        json!(["bork"]),
        json!(["b64"]),
        json!(["exp", "nbf"]),
        json!(["http://example.com/x"]),
    ] {
        let names = crit.as_array().unwrap().clone();
        let with_members = names
            .iter()
            .fold(stand.token().header("crit", crit), |token, name| {
                token.header(name.as_str().unwrap(), "x")
            });
        let rejection = stand.refusal(&with_members.sign());
        assert!(
            matches!(
                rejection,
                AuthError::Header(HeaderError::Critical | HeaderError::Unencoded)
            ),
            "{rejection:?}"
        );
    }
}

#[test]
fn an_empty_crit_and_one_that_names_standard_members_are_refused_too() {
    let stand = Stand::new();
    for crit in [
        json!([]),
        json!(["alg"]),
        json!(["typ", "kid"]),
        json!(["crit"]),
        json!({}),
        json!(""),
        json!(null),
        json!(0),
    ] {
        let token = stand.token().header("crit", crit).sign();
        refused!(
            stand,
            token,
            "MALFORMED_TOKEN",
            AuthError::Header(HeaderError::Critical)
        );
    }
}

#[test]
fn rfc_7797_an_unencoded_payload_is_refused() {
    let stand = Stand::new();
    let header = format!(
        r#"{{"alg":"ES256","kid":"{}","b64":false,"crit":["b64"]}}"#,
        stand.key.kid()
    );
    let payload = "unencoded123";
    let signed = format!("{}.{payload}", encode(header.as_bytes()));
    let token = format!("{signed}.{}", encode(&stand.key.sign(signed.as_bytes())));
    refused!(
        stand,
        token,
        "MALFORMED_TOKEN",
        AuthError::Header(HeaderError::Unencoded | HeaderError::Critical)
    );
    let without_crit = header.replace(r#","crit":["b64"]"#, "");
    refused!(
        stand,
        stand.with_header(&without_crit),
        "MALFORMED_TOKEN",
        AuthError::Header(HeaderError::Unencoded)
    );
    let good = header.replace(r#","b64":false,"crit":["b64"]"#, "");
    stand.accepts(
        &Token::raw(
            good,
            serde_json::Value::from(stand.token().claims().clone()).to_string(),
        )
        .sign(&stand.key),
    );
}
