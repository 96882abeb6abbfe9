//! The form of the report: steps, JSON, and a next step for every rejection.

use bearward_testing::Token;
use serde_json::{Value, json};

use super::Fixture;
use crate::run;

#[tokio::test]
async fn a_valid_token_passes_every_step() {
    let fixture = Fixture::start().await;
    let output = fixture.explain(&fixture.idp.token().sub("ada").sign());
    output.expect(
        0,
        &[
            "accepted",
            "ok  signature",
            "RS256",
            fixture.idp.key().kid(),
            "sub ada",
            "(in 59m",
        ],
    );
    assert!(
        !output.stdout.contains("NO  ") && !output.stdout.contains("--  "),
        "{output:?}"
    );
}

#[tokio::test]
async fn json_output_is_one_object_with_every_step() {
    let fixture = Fixture::start().await;
    for (token, accepted, code) in [
        (fixture.idp.token().sign(), true, Value::Null),
        (
            fixture.idp.token().expired().sign(),
            false,
            json!("TOKEN_EXPIRED"),
        ),
    ] {
        let output = run(
            &["explain", "--json", &token],
            &[("SUPABASE_URL", &fixture.base)],
        );
        output.expect(i32::from(!accepted), &[]);
        output.assert_hides_signature(&token);
        let report: Value = serde_json::from_str(&output.stdout).expect("one JSON object");
        assert_eq!(
            (&report["accepted"], &report["code"]),
            (&json!(accepted), &code)
        );
        let checks = report["checks"].as_array().unwrap();
        let names: Vec<_> = checks
            .iter()
            .map(|check| check["check"].as_str().unwrap())
            .collect();
        assert_eq!(
            names,
            [
                "size",
                "format",
                "header",
                "payload",
                "issuer",
                "algorithm",
                "type",
                "key",
                "signature",
                "claims",
                "revocation"
            ]
        );
        assert!(
            checks
                .iter()
                .all(|check| check["found"].is_string() && check["expected"].is_string())
        );
        assert_eq!(
            checks[9]["outcome"],
            if accepted { "passed" } else { "failed" }
        );
    }
}

/// Covers the rejections that the tests in `rejections` do not cover.
#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table of tokens")]
async fn every_rejection_has_a_next_step() {
    let fixture = Fixture::start().await;
    let token = || fixture.idp.token();
    let key = fixture.idp.key();
    let raw = |header: &str, payload: &str| Token::raw(header, payload).sign(&key);
    let good_header = format!(r#"{{"alg":"RS256","kid":"{}"}}"#, key.kid());
    let claims = Value::from(token().claims().clone()).to_string();
    let doubled = format!("{},\"sub\":\"admin\"}}", &claims[..claims.len() - 1]);
    let padded = format!("{}==", token().sign());
    for (token, code, texts) in [
        (
            padded,
            "MALFORMED_TOKEN",
            &[
                "3 parts, a part is not base64url without padding",
                "standard base64",
            ][..],
        ),
        (
            token().without_header("alg").sign(),
            "MALFORMED_TOKEN",
            &["configure the issuer to write alg as a string"],
        ),
        (
            token().header("kid", 7).sign(),
            "MALFORMED_TOKEN",
            &[
                "kid 7",
                "kid: a string",
                "configure the issuer to write kid as a string",
            ],
        ),
        (
            token().header("kid", "k".repeat(300)).sign(),
            "MALFORMED_TOKEN",
            &["kid: at most 256 bytes", "at most 256 bytes", "key ids of"],
        ),
        (
            token().header("crit", json!(["exp"])).sign(),
            "MALFORMED_TOKEN",
            &["sign without crit"],
        ),
        (
            token().header("b64", false).sign(),
            "MALFORMED_TOKEN",
            &["without b64"],
        ),
        (
            raw("[]", &claims),
            "MALFORMED_TOKEN",
            &["NO  header", "not a JWT"],
        ),
        (
            raw(r#"{"alg":"RS256","alg":"none"}"#, &claims),
            "MALFORMED_TOKEN",
            &[
                "unreadable: duplicate member name",
                "duplicate header names",
            ],
        ),
        (
            raw(&good_header, "[]"),
            "MALFORMED_TOKEN",
            &["NO  payload", "not a JSON object of claims"],
        ),
        (
            raw(&good_header, &doubled),
            "MALFORMED_TOKEN",
            &["duplicate claim names"],
        ),
        (
            token().header("alg", "XS256").sign(),
            "UNSUPPORTED_ALGORITHM",
            &["XS256", "does not support this algorithm"],
        ),
        (
            token().header("alg", "rs256").sign(),
            "UNSUPPORTED_ALGORITHM",
            &["rs256", "write RS256", "case-sensitive"],
        ),
        (
            token().header("alg", "PS512").sign(),
            "UNSUPPORTED_ALGORITHM",
            &["PS512", "RS256 ES256 EdDSA", "add the algorithm"],
        ),
        (
            token().header("typ", "logout+jwt").sign(),
            "INVALID_TOKEN_TYPE",
            &["logout+jwt", "absent, JWT or at+jwt", "token_type"],
        ),
        (
            token().without("sub").sign(),
            "MISSING_CLAIM",
            &["sub absent", "claims.subject = [\"sub\", \"client_id\"]"],
        ),
        (
            token().without("iss").sign(),
            "MISSING_CLAIM",
            &["every access token has iss"],
        ),
        (
            token().claim("sub", 7).sign(),
            "INVALID_CLAIM",
            &[
                "sub 7",
                "sub: must be a string",
                "configure the issuer to write sub",
            ],
        ),
        (
            token().claim("exp", "4102444800").sign(),
            "INVALID_CLAIM",
            &["exp \"4102444800\"; aud", "exp: must be a number"],
        ),
        (
            token().claim("iss", 7).sign(),
            "INVALID_CLAIM",
            &["iss 7", "iss: must be a string\n"],
        ),
        (
            token().claim("aud", json!([1])).sign(),
            "INVALID_CLAIM",
            &["aud [1]", "array of strings"],
        ),
        (
            token().claim("exp", 4_102_444_800_000_i64).sign(),
            "INVALID_CLAIM",
            &["milliseconds", "seconds since 1970"],
        ),
        (
            token().claim("iat", 4_102_444_800_i64).sign(),
            "TOKEN_NOT_YET_VALID",
            &["iat 2100-01-01", "not later than the clock of this machine"],
        ),
        (
            token().claim("cnf", json!({ "jkt": "x" })).sign(),
            "INVALID_CLAIM",
            &["DPoP"],
        ),
    ] {
        fixture.assert_rejected(&token, code, &[texts, &["next: "]].concat());
    }
    let required = [
        ("SUPABASE_URL", fixture.base.as_str()),
        ("BEARWARD_ISSUERS__SUPABASE__REQUIRED_CLAIMS", "tenant"),
    ];
    let output = run(&["explain", &token().sign()], &required);
    output.expect(
        1,
        &[
            "MISSING_CLAIM",
            "tenant absent",
            "`required_claims` of the issuer contains tenant",
        ],
    );
    let typed = [
        ("SUPABASE_URL", fixture.base.as_str()),
        ("BEARWARD_ISSUERS__SUPABASE__TOKEN_TYPE", "at+jwt"),
    ];
    let output = run(
        &["explain", &token().header("typ", "at+jwt").sign()],
        &typed,
    );
    output.expect(
        1,
        &["MISSING_CLAIM", "client_id absent", "token_type = \"jwt\""],
    );
}

#[tokio::test]
async fn a_token_without_kid_is_accepted_with_any_key_of_its_algorithm() {
    let fixture = Fixture::start().await;
    fixture.idp.add_standby();
    let token = fixture.idp.token().without_header("kid").sign();
    let output = run(
        &["explain", &token],
        &[("SUPABASE_URL", fixture.base.as_str())],
    );
    output.expect(0, &["kid absent", "accepted"]);
}
