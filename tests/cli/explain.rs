//! `bearward explain`: check by check, what was found against what was expected, and what to do.

use std::time::Duration;

use bearward_testing::{Faults, KeyPair, MockIdp, Token};
use serde_json::{Value, json};

use crate::{Said, run, run_with};

struct Project {
    idp: MockIdp,
    base: String,
}

impl Project {
    async fn start() -> Self {
        let idp = MockIdp::start().await;
        Self {
            base: idp.base(),
            idp,
        }
    }

    fn explain(&self, token: &str) -> Said {
        let said = run(&["explain", token], &[("SUPABASE_URL", &self.base)]);
        if token.split('.').count() == 3 && token.len() > 200 && !token.ends_with('.') {
            said.hides_signature_of(token);
        }
        said
    }

    /// Refused, with the code, with each of these texts, and with what was found against something
    /// else that was expected.
    #[track_caller]
    fn refuses(&self, token: &str, code: &str, texts: &[&str]) {
        let said = self.explain(token);
        let mut lines = said
            .stdout
            .lines()
            .skip_while(|line| !line.starts_with("NO  "));
        let found = lines.next().and_then(|line| line.get(15..)).map(str::trim);
        let expected = lines
            .next()
            .and_then(|line| line.trim().strip_prefix("expected: "));
        assert!(
            expected.is_some() && found != expected,
            "{found:?} against {expected:?} in {said:#?}"
        );
        said.expect(1, &[&format!("refused {code}: ")]);
        said.expect(1, texts);
    }
}

#[tokio::test]
async fn a_good_token_passes_every_check() {
    let project = Project::start().await;
    let said = project.explain(&project.idp.token().sub("ada").sign());
    said.expect(
        0,
        &[
            "accepted",
            "ok  signature",
            "RS256",
            project.idp.key().kid(),
            "sub ada",
            "(in 59m",
        ],
    );
    assert!(
        !said.stdout.contains("NO  ") && !said.stdout.contains("--  "),
        "{said:?}"
    );
}

#[tokio::test]
async fn an_expired_token_says_since_when() {
    let project = Project::start().await;
    project.refuses(
        &project.idp.token().expired().sign(),
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
async fn a_token_of_the_future_points_at_the_clocks() {
    let project = Project::start().await;
    let early = project.idp.token().claim("nbf", 4_102_444_800_i64).sign();
    project.refuses(
        &early,
        "TOKEN_NOT_YET_VALID",
        &["nbf is in", "clock", "bearward check"],
    );
}

#[tokio::test]
async fn a_tampered_token_fails_at_the_signature_and_shows_none() {
    let project = Project::start().await;
    project.refuses(
        &project.idp.token().tampered(),
        "INVALID_SIGNATURE",
        &["NO  signature", "--  claims", "was modified"],
    );
    project.refuses(
        &project.idp.token().signed_by_stranger(),
        "INVALID_SIGNATURE",
        &["not shown"],
    );
}

#[tokio::test]
async fn an_issuer_that_differs_by_little_is_put_beside_the_configured_one() {
    let project = Project::start().await;
    let issuer = project.idp.issuer();
    for (near, by) in [
        (format!("{issuer}/"), "only by a trailing slash"),
        (
            issuer.replace("127.0.0.1", "localhost"),
            "only by the name of this machine",
        ),
        (issuer.replace("http:", "https:"), "only by its scheme"),
        (issuer.to_uppercase(), "only by case"),
    ] {
        let token = project.idp.token().issuer(&near).sign();
        project.refuses(
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
    let token = project
        .idp
        .token()
        .issuer("https://attacker.invalid")
        .sign();
    project.refuses(
        &token,
        "UNKNOWN_ISSUER",
        &["https://attacker.invalid", "configure this issuer"],
    );
}

#[tokio::test]
async fn a_credential_is_told_from_a_token_of_an_unknown_issuer() {
    let project = Project::start().await;
    let google = format!("{}/google", project.base);
    let variables = [
        ("SUPABASE_URL", project.base.as_str()),
        ("BEARWARD_ISSUERS__GOOGLE__ISSUER", google.as_str()),
        ("BEARWARD_ISSUERS__GOOGLE__AUDIENCES", "my-app"),
        ("BEARWARD_ISSUERS__GOOGLE__USE", "credential"),
    ];
    let said = run(
        &[
            "explain",
            &project
                .idp
                .token()
                .issuer(&google)
                .audience("my-app")
                .sign(),
        ],
        &variables,
    );
    said.expect(1, &["UNKNOWN_ISSUER", "for signing in", "/api/auth/google"]);
    assert!(
        !said.stdout.contains(&format!("expected: {google}")),
        "it is not expected here: {said:?}"
    );
}

#[tokio::test]
async fn a_wrong_audience_shows_both() {
    let project = Project::start().await;
    let token = project.idp.token().audience("another-api").sign();
    project.refuses(
        &token,
        "INVALID_AUDIENCE",
        &["aud another-api", "aud authenticated", "ID token"],
    );
}

#[tokio::test]
async fn an_unknown_key_is_put_beside_the_published_ones() {
    let project = Project::start().await;
    let token = project.idp.token().kid("nobody").sign();
    project.refuses(
        &token,
        "UNKNOWN_KEY",
        &["kid nobody, alg RS256", project.idp.key().kid(), "revoked"],
    );
    let token = project.idp.token().header("alg", "ES256").sign();
    project.refuses(
        &token,
        "UNKNOWN_KEY",
        &[
            "alg ES256",
            "publishes a key with this kid for another algorithm",
        ],
    );
    let mut sealing = project.idp.key().with_kid("sealing").jwk();
    sealing.insert("use".to_owned(), "enc".into());
    project.idp.set_faults(Faults::body(
        json!({ "keys": [project.idp.key().jwk(), sealing] }).to_string(),
    ));
    let token = project.idp.token().kid("sealing").sign();
    project.refuses(
        &token,
        "UNKNOWN_KEY",
        &["it cannot be used: its use is not \"sig\""],
    );
}

#[tokio::test]
async fn a_token_of_a_shared_secret_says_how_to_change_the_project() {
    let project = Project::start().await;
    let token = project
        .idp
        .token()
        .header("alg", "HS256")
        .sign_hmac(b"a secret of at least thirty-two bytes");
    project.refuses(
        &token,
        "UNSUPPORTED_ALGORITHM",
        &["HS256", "shared secret", "asymmetric", "JWT signing keys"],
    );
    let key = project
        .idp
        .token()
        .header("alg", "HS256")
        .issuer("supabase")
        .claim("role", "anon")
        .without("sub");
    project.refuses(
        &key.sign_hmac(b"a secret"),
        "UNSUPPORTED_ALGORITHM",
        &["anon or service_role key", "session.access_token"],
    );
}

#[tokio::test]
async fn an_unsigned_token_is_shown_as_far_as_it_goes() {
    let project = Project::start().await;
    project.refuses(
        &project.idp.token().alg_none(),
        "MALFORMED_TOKEN",
        &["NO  form", "none", "unsigned"],
    );
}

#[tokio::test]
async fn a_pasted_api_key_is_called_one() {
    let project = Project::start().await;
    for key in [
        "sb_publishable_0123456789abcdef",
        "sb_secret_0123456789abcdef",
    ] {
        let said = project.explain(key);
        said.expect(1, &["API key", "session.access_token"]);
        assert!(!said.stdout.contains("0123456789abcdef"), "{said:?}");
    }
}

#[tokio::test]
async fn what_is_no_token_at_all_says_what_a_token_looks_like() {
    let project = Project::start().await;
    for garbage in [
        "hello",
        "a.b.c",
        "eyJ",
        "eyJhbGciOiJSUzI1NiJ9",
        "-----BEGIN PUBLIC KEY-----x",
        "....",
    ] {
        let said = run(
            &["explain", "--", garbage],
            &[("SUPABASE_URL", &project.base)],
        );
        said.expect(1, &["refused MALFORMED_TOKEN"]);
        assert!(
            !said.stdout.contains("exp absent"),
            "nothing is said of what was not read: {said:?}"
        );
    }
    project.refuses("hello", "MALFORMED_TOKEN", &["1 part\n", "begins with eyJ"]);
    project.refuses(
        "a.b.c.d.e",
        "MALFORMED_TOKEN",
        &["encrypted", "to sign tokens"],
    );
    project.refuses(
        &"x".repeat(9000),
        "MALFORMED_TOKEN",
        &["NO  size", "8192", "tokens.max_bytes"],
    );
    run(&["explain", ""], &[("SUPABASE_URL", &project.base)]).expect(2, &["no token"]);
    run(&["explain"], &[("SUPABASE_URL", &project.base)]).expect(2, &["<TOKEN>"]);
}

#[tokio::test]
async fn a_token_that_was_broken_across_lines_is_told_so() {
    let project = Project::start().await;
    let mut token = project.idp.token().sign();
    token.insert(300, '\n');
    project.refuses(&token, "MALFORMED_TOKEN", &["line break"]);
}

#[tokio::test]
async fn what_people_paste_around_a_token_is_forgiven() {
    let project = Project::start().await;
    let token = project.idp.token().sign();
    let variables = [("SUPABASE_URL", project.base.as_str())];
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
async fn a_mistake_on_the_command_line_does_not_repeat_the_token() {
    let project = Project::start().await;
    let token = project.idp.token().sign();
    for arguments in [
        &["explain", "--jsn", &token][..],
        &["explain", "bearer", &token, "--jso"],
        &["explain", "Bearer", &token],
    ] {
        run(arguments, &[("SUPABASE_URL", &project.base)]).hides_signature_of(&token);
    }
}

#[tokio::test]
async fn json_is_one_object_with_every_check() {
    let project = Project::start().await;
    for (token, accepted, code) in [
        (project.idp.token().sign(), true, Value::Null),
        (
            project.idp.token().expired().sign(),
            false,
            json!("TOKEN_EXPIRED"),
        ),
    ] {
        let said = run(
            &["explain", "--json", &token],
            &[("SUPABASE_URL", &project.base)],
        );
        said.expect(i32::from(!accepted), &[]);
        said.hides_signature_of(&token);
        let report: Value = serde_json::from_str(&said.stdout).expect("one JSON object");
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
                "form",
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
async fn an_issuer_without_keys_is_no_fault_of_the_token() {
    let project = Project::start().await;
    let token = project.idp.token().sign();
    project.idp.set_faults(Faults::body(r#"{"keys":[]}"#));
    project.refuses(
        &token,
        "KEYS_UNAVAILABLE",
        &[
            "NO  key",
            "no keys",
            "asymmetric signing keys",
            "bearward check",
        ],
    );
    project.idp.outage();
    project.refuses(&token, "KEYS_UNAVAILABLE", &["503", "next:"]);
}

#[tokio::test]
async fn a_key_that_was_revoked_is_not_there_any_more() {
    let project = Project::start().await;
    let (token, kid) = (
        project
            .idp
            .token()
            .expires_in(Duration::from_secs(600))
            .sign(),
        project.idp.key().kid().to_owned(),
    );
    project.explain(&token).expect(0, &["accepted"]);
    assert!(project.idp.revoke(&kid));
    project.refuses(&token, "UNKNOWN_KEY", &[&kid, project.idp.key().kid()]);
}

/// The reasons that no other test of this file is about: found against expected, and the next step.
#[tokio::test]
async fn every_reason_has_a_next_step() {
    let project = Project::start().await;
    let token = || project.idp.token();
    let key = project.idp.key();
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
        project.refuses(&token, code, &[texts, &["next: "]].concat());
    }
    let required = [
        ("SUPABASE_URL", project.base.as_str()),
        ("BEARWARD_ISSUERS__SUPABASE__REQUIRED_CLAIMS", "tenant"),
    ];
    let said = run(&["explain", &token().sign()], &required);
    said.expect(
        1,
        &[
            "MISSING_CLAIM",
            "tenant absent",
            "`required_claims` of the issuer contains tenant",
        ],
    );
    let typed = [
        ("SUPABASE_URL", project.base.as_str()),
        ("BEARWARD_ISSUERS__SUPABASE__TOKEN_TYPE", "at+jwt"),
    ];
    let said = run(
        &["explain", &token().header("typ", "at+jwt").sign()],
        &typed,
    );
    said.expect(
        1,
        &["MISSING_CLAIM", "client_id absent", "token_type = \"jwt\""],
    );
    project.idp.add_standby();
    let said = run(
        &["explain", &token().without_header("kid").sign()],
        &[("SUPABASE_URL", &project.base)],
    );
    said.expect(
        1,
        &[
            "UNKNOWN_KEY",
            "kid absent",
            "configure the issuer to set kid",
        ],
    );
}

#[tokio::test]
async fn control_characters_of_a_token_do_not_reach_the_terminal() {
    let project = Project::start().await;
    let token = project
        .idp
        .token()
        .sub("a\u{1b}[31m\r\nb")
        .kid("k\u{7}")
        .key(KeyPair::generate(bearward::Algorithm::ES256));
    let said = project.explain(
        &token
            .header("kid", "k\u{1b}]0;x\u{7}")
            .issuer("i\u{1b}[2J")
            .sign(),
    );
    assert!(!said.stdout.contains(['\u{1b}', '\u{7}', '\r']), "{said:?}");
    said.expect(1, &["UNKNOWN_ISSUER"]);
}
