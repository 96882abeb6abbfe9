//! `bearward explain`: what was found, what was expected, and what to do, step by step.

use std::time::Duration;

use bearward_testing::{Faults, KeyPair, MockIdp, Token};
use serde_json::{Value, json};

use crate::{CommandOutput, run, run_with};

struct Fixture {
    idp: MockIdp,
    base: String,
}

impl Fixture {
    async fn start() -> Self {
        let idp = MockIdp::start().await;
        Self {
            base: idp.base(),
            idp,
        }
    }

    fn explain(&self, token: &str) -> CommandOutput {
        let output = run(&["explain", token], &[("SUPABASE_URL", &self.base)]);
        if token.split('.').count() == 3 && token.len() > 200 && !token.ends_with('.') {
            output.assert_hides_signature(token);
        }
        output
    }

    /// Asserts that the token is rejected with this code, that the output contains these texts, and
    /// that the failed step shows an expected value that differs from the one found.
    #[track_caller]
    fn assert_rejected(&self, token: &str, code: &str, texts: &[&str]) {
        let output = self.explain(token);
        let mut lines = output
            .stdout
            .lines()
            .skip_while(|line| !line.starts_with("NO  "));
        let found = lines.next().and_then(|line| line.get(15..)).map(str::trim);
        let expected = lines
            .next()
            .and_then(|line| line.trim().strip_prefix("expected: "));
        assert!(
            expected.is_some() && found != expected,
            "{found:?} and {expected:?} in {output:#?}"
        );
        output.expect(1, &[&format!("rejected {code}: ")]);
        output.expect(1, texts);
    }
}

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
async fn an_expired_token_shows_since_when() {
    let fixture = Fixture::start().await;
    fixture.assert_rejected(
        &fixture.idp.token().expired().sign(),
        "TOKEN_EXPIRED",
        &[
            "NO  claims",
            "Z (1h",
            "ago)",
            "next:",
            "refresh the session",
        ],
    );
}

#[tokio::test]
async fn a_token_from_the_future_suggests_checking_clocks() {
    let fixture = Fixture::start().await;
    let early = fixture.idp.token().claim("nbf", 4_102_444_800_i64).sign();
    fixture.assert_rejected(
        &early,
        "TOKEN_NOT_YET_VALID",
        &["nbf is in", "clock", "bearward check"],
    );
}

#[tokio::test]
async fn a_tampered_token_fails_at_the_signature() {
    let fixture = Fixture::start().await;
    fixture.assert_rejected(
        &fixture.idp.token().tampered(),
        "INVALID_SIGNATURE",
        &["NO  signature", "--  claims", "was modified"],
    );
    fixture.assert_rejected(
        &fixture.idp.token().signed_by_stranger(),
        "INVALID_SIGNATURE",
        &["not shown"],
    );
}

#[tokio::test]
async fn a_similar_issuer_is_compared_with_the_configured_one() {
    let fixture = Fixture::start().await;
    let issuer = fixture.idp.issuer();
    for (near, by) in [
        (format!("{issuer}/"), "only by a trailing slash"),
        (
            issuer.replace("127.0.0.1", "localhost"),
            "only by the name of this machine",
        ),
        (issuer.replace("http:", "https:"), "only by its scheme"),
        (issuer.to_uppercase(), "only by case"),
    ] {
        let token = fixture.idp.token().issuer(&near).sign();
        fixture.assert_rejected(
            &token,
            "UNKNOWN_ISSUER",
            &[
                "NO  issuer",
                &near,
                &issuer,
                by,
                "byte by byte",
                "accepts a list",
            ],
        );
    }
    let token = fixture
        .idp
        .token()
        .issuer("https://attacker.invalid")
        .sign();
    fixture.assert_rejected(
        &token,
        "UNKNOWN_ISSUER",
        &["https://attacker.invalid", "configure this issuer"],
    );
}

#[tokio::test]
async fn a_credential_is_not_reported_as_an_unknown_issuer() {
    let fixture = Fixture::start().await;
    let google = format!("{}/google", fixture.base);
    let variables = [
        ("SUPABASE_URL", fixture.base.as_str()),
        ("BEARWARD_ISSUERS__GOOGLE__ISSUER", google.as_str()),
        ("BEARWARD_ISSUERS__GOOGLE__AUDIENCES", "my-app"),
        ("BEARWARD_ISSUERS__GOOGLE__USE", "credential"),
    ];
    let output = run(
        &[
            "explain",
            &fixture
                .idp
                .token()
                .issuer(&google)
                .audience("my-app")
                .sign(),
        ],
        &variables,
    );
    output.expect(1, &["UNKNOWN_ISSUER", "for signing in", "/api/auth/google"]);
    assert!(
        !output.stdout.contains(&format!("expected: {google}")),
        "a credential issuer is not listed as expected: {output:?}"
    );
}

#[tokio::test]
async fn a_wrong_audience_is_shown_with_the_expected_one() {
    let fixture = Fixture::start().await;
    let token = fixture.idp.token().audience("another-api").sign();
    fixture.assert_rejected(
        &token,
        "INVALID_AUDIENCE",
        &["aud another-api", "aud authenticated", "ID token"],
    );
}

#[tokio::test]
async fn an_unknown_key_is_shown_with_the_published_keys() {
    let fixture = Fixture::start().await;
    let token = fixture.idp.token().kid("nobody").sign();
    fixture.assert_rejected(
        &token,
        "UNKNOWN_KEY",
        &["kid nobody, alg RS256", fixture.idp.key().kid(), "revoked"],
    );
    let token = fixture.idp.token().header("alg", "ES256").sign();
    fixture.assert_rejected(
        &token,
        "UNKNOWN_KEY",
        &[
            "alg ES256",
            "publishes a key with this kid for another algorithm",
        ],
    );
    let mut sealing = fixture.idp.key().with_kid("sealing").jwk();
    sealing.insert("use".to_owned(), "enc".into());
    fixture.idp.set_faults(Faults::body(
        json!({ "keys": [fixture.idp.key().jwk(), sealing] }).to_string(),
    ));
    let token = fixture.idp.token().kid("sealing").sign();
    fixture.assert_rejected(
        &token,
        "UNKNOWN_KEY",
        &["it cannot be used: use is not \"sig\""],
    );
}

#[tokio::test]
async fn an_hmac_token_explains_how_to_migrate_the_project() {
    let fixture = Fixture::start().await;
    let token = fixture
        .idp
        .token()
        .header("alg", "HS256")
        .sign_hmac(b"a secret of at least thirty-two bytes");
    fixture.assert_rejected(
        &token,
        "UNSUPPORTED_ALGORITHM",
        &["HS256", "shared secret", "asymmetric", "JWT signing keys"],
    );
    let key = fixture
        .idp
        .token()
        .header("alg", "HS256")
        .issuer("supabase")
        .claim("role", "anon")
        .without("sub");
    fixture.assert_rejected(
        &key.sign_hmac(b"a secret"),
        "UNSUPPORTED_ALGORITHM",
        &["anon or service_role key", "session.access_token"],
    );
}

#[tokio::test]
async fn an_unsigned_token_is_explained() {
    let fixture = Fixture::start().await;
    fixture.assert_rejected(
        &fixture.idp.token().alg_none(),
        "MALFORMED_TOKEN",
        &["NO  form", "none", "unsigned"],
    );
}

#[tokio::test]
async fn a_pasted_api_key_is_recognized() {
    let fixture = Fixture::start().await;
    for key in [
        "sb_publishable_0123456789abcdef",
        "sb_secret_0123456789abcdef",
    ] {
        let output = fixture.explain(key);
        output.expect(1, &["API key", "session.access_token"]);
        assert!(!output.stdout.contains("0123456789abcdef"), "{output:?}");
    }
}

#[tokio::test]
async fn other_text_is_explained_with_the_token_format() {
    let fixture = Fixture::start().await;
    for garbage in [
        "hello",
        "a.b.c",
        "eyJ",
        "eyJhbGciOiJSUzI1NiJ9",
        "-----BEGIN PUBLIC KEY-----x",
        "....",
    ] {
        let output = run(
            &["explain", "--", garbage],
            &[("SUPABASE_URL", &fixture.base)],
        );
        output.expect(1, &["rejected MALFORMED_TOKEN"]);
        assert!(
            !output.stdout.contains("exp absent"),
            "claims that were not parsed are not reported: {output:?}"
        );
    }
    fixture.assert_rejected("hello", "MALFORMED_TOKEN", &["1 part\n", "begins with eyJ"]);
    fixture.assert_rejected(
        "a.b.c.d.e",
        "MALFORMED_TOKEN",
        &["encrypted", "to sign tokens"],
    );
    fixture.assert_rejected(
        &"x".repeat(9000),
        "MALFORMED_TOKEN",
        &["NO  size", "8192", "tokens.max_bytes"],
    );
    run(&["explain", ""], &[("SUPABASE_URL", &fixture.base)]).expect(2, &["no token"]);
    run(&["explain"], &[("SUPABASE_URL", &fixture.base)]).expect(2, &["<TOKEN>"]);
}

#[tokio::test]
async fn a_line_break_inside_a_token_is_reported() {
    let fixture = Fixture::start().await;
    let mut token = fixture.idp.token().sign();
    token.insert(300, '\n');
    fixture.assert_rejected(&token, "MALFORMED_TOKEN", &["line break"]);
}

#[tokio::test]
async fn text_around_a_pasted_token_is_removed() {
    let fixture = Fixture::start().await;
    let token = fixture.idp.token().sign();
    let variables = [("SUPABASE_URL", fixture.base.as_str())];
    run(&["explain", "Bearer", &token], &variables).expect(0, &["accepted"]);
    run(&["explain", &format!("'Bearer {token}'")], &variables).expect(0, &["accepted"]);
    run(&["explain", "--json", &token], &variables).expect(0, &["true"]);
    run(&["explain", &token, "--json"], &variables).expect(0, &["true"]);
    let folder = tempfile::tempdir().unwrap();
    for pasted in [
        format!("{token}\n"),
        format!("Authorization: Bearer {token}\r\n"),
        format!("\"{token}\""),
    ] {
        run_with(&["explain", "-"], &variables, &pasted, folder.path()).expect(0, &["accepted"]);
    }
    run_with(&["explain", "-"], &variables, "\n", folder.path()).expect(2, &["no token"]);
}

#[tokio::test]
async fn a_usage_error_does_not_repeat_the_token() {
    let fixture = Fixture::start().await;
    let token = fixture.idp.token().sign();
    for arguments in [
        &["explain", "--jsn", &token][..],
        &["explain", "bearer", &token, "--jso"],
        &["explain", "Bearer", &token],
    ] {
        run(arguments, &[("SUPABASE_URL", &fixture.base)]).assert_hides_signature(&token);
    }
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
                "claims"
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

#[tokio::test]
async fn an_issuer_without_keys_is_reported_as_unavailable() {
    let fixture = Fixture::start().await;
    let token = fixture.idp.token().sign();
    fixture.idp.set_faults(Faults::body(r#"{"keys":[]}"#));
    fixture.assert_rejected(
        &token,
        "KEYS_UNAVAILABLE",
        &[
            "NO  key",
            "no keys",
            "asymmetric signing keys",
            "bearward check",
        ],
    );
    fixture.idp.outage();
    fixture.assert_rejected(&token, "KEYS_UNAVAILABLE", &["503", "next:"]);
}

#[tokio::test]
async fn a_revoked_key_is_reported_as_unknown() {
    let fixture = Fixture::start().await;
    let (token, kid) = (
        fixture
            .idp
            .token()
            .expires_in(Duration::from_secs(600))
            .sign(),
        fixture.idp.key().kid().to_owned(),
    );
    fixture.explain(&token).expect(0, &["accepted"]);
    assert!(fixture.idp.revoke(&kid));
    fixture.assert_rejected(&token, "UNKNOWN_KEY", &[&kid, fixture.idp.key().kid()]);
}

/// Covers the rejections that no other test in this file covers.
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
            &["sub absent", "configure the issuer to add it"],
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
    fixture.idp.add_standby();
    let output = run(
        &["explain", &token().without_header("kid").sign()],
        &[("SUPABASE_URL", &fixture.base)],
    );
    output.expect(
        1,
        &[
            "UNKNOWN_KEY",
            "kid absent",
            "configure the issuer to set kid",
        ],
    );
}

#[tokio::test]
async fn control_characters_in_a_token_are_escaped() {
    let fixture = Fixture::start().await;
    let token = fixture
        .idp
        .token()
        .sub("a\u{1b}[31m\r\nb")
        .kid("k\u{7}")
        .key(KeyPair::generate(bearward::Algorithm::ES256));
    let output = fixture.explain(
        &token
            .header("kid", "k\u{1b}]0;x\u{7}")
            .issuer("i\u{1b}[2J")
            .sign(),
    );
    assert!(
        !output.stdout.contains(['\u{1b}', '\u{7}', '\r']),
        "{output:?}"
    );
    output.expect(1, &["UNKNOWN_ISSUER"]);
}
