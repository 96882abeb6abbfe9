//! Critical extensions that a verifier ignores (CVE-2026-32597, CVE-2025-59420), and unencoded
//! payloads (RFC 7797).

use bearward::{AuthError, HeaderError};
use bearward_testing::{Token, encode};
use serde_json::json;

use crate::fixture::{Fixture, assert_rejected};

#[test]
fn cve_2025_59420_cve_2026_32597_crit_is_rejected() {
    let fixture = Fixture::new();
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
            .fold(fixture.token().header("crit", crit), |token, name| {
                token.header(name.as_str().unwrap(), "x")
            });
        let error = fixture.verify_err(&with_members.sign());
        assert!(
            matches!(
                error,
                AuthError::Header(HeaderError::Critical | HeaderError::Unencoded)
            ),
            "{error:?}"
        );
    }
}

#[test]
fn empty_or_invalid_crit_values_are_rejected() {
    let fixture = Fixture::new();
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
        let token = fixture.token().header("crit", crit).sign();
        assert_rejected!(
            fixture,
            token,
            "MALFORMED_TOKEN",
            AuthError::Header(HeaderError::Critical)
        );
    }
}

#[test]
fn rfc_7797_unencoded_payloads_are_rejected() {
    let fixture = Fixture::new();
    let header = format!(
        r#"{{"alg":"ES256","kid":"{}","b64":false,"crit":["b64"]}}"#,
        fixture.key.kid()
    );
    let payload = "unencoded123";
    let signed = format!("{}.{payload}", encode(header.as_bytes()));
    let token = format!("{signed}.{}", encode(&fixture.key.sign(signed.as_bytes())));
    assert_rejected!(
        fixture,
        token,
        "MALFORMED_TOKEN",
        AuthError::Header(HeaderError::Unencoded | HeaderError::Critical)
    );
    let without_crit = header.replace(r#","crit":["b64"]"#, "");
    assert_rejected!(
        fixture,
        fixture.with_header(&without_crit),
        "MALFORMED_TOKEN",
        AuthError::Header(HeaderError::Unencoded)
    );
    let good = header.replace(r#","b64":false,"crit":["b64"]"#, "");
    fixture.verify_ok(
        &Token::raw(
            good,
            serde_json::Value::from(fixture.token().claims().clone()).to_string(),
        )
        .sign(&fixture.key),
    );
}
