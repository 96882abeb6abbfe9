//! Without a configured issuer the token is decoded, and the checks that need none are made.

use serde_json::{Value, json};

use super::Fixture;
use crate::run;

#[tokio::test]
async fn a_token_is_decoded_with_times_in_words() {
    let fixture = Fixture::start().await;
    let token = fixture.idp.token().sub("ada").sign();
    let output = run(&["explain", &token], &[]);
    output.expect(
        2,
        &[
            "header (unverified)",
            "    alg           RS256",
            "claims (unverified)",
            "    sub           ada",
            " UTC, in 59m",
            "ok  payload",
            "--  not checked: issuer, algorithm, type, key, signature, claims",
            "not verified: no issuer is configured",
            "roles, scopes and tenant",
            &format!("SUPABASE_URL={} ", fixture.base),
        ],
    );
    output.assert_hides_signature(&token);
}

#[tokio::test]
async fn what_every_configuration_rejects_is_rejected() {
    let fixture = Fixture::start().await;
    let token = || fixture.idp.token();
    // The largest leeway is 5 minutes.
    let expired = |seconds: i64| {
        let now = bearward::Clock::now(&bearward::SystemClock::new()).unix();
        token().claim("exp", now - seconds).sign()
    };
    for (token, code, text) in [
        (expired(400), 1, "rejected TOKEN_EXPIRED"),
        (expired(200), 2, "not verified"),
        (
            token().header("alg", "HS256").sign(),
            1,
            "rejected UNSUPPORTED_ALGORITHM",
        ),
        (
            token().header("crit", json!(["x"])).sign(),
            1,
            "rejected MALFORMED_TOKEN",
        ),
        ("hello".to_owned(), 1, "rejected MALFORMED_TOKEN"),
    ] {
        run(&["explain", &token], &[]).expect(code, &[text]);
    }
}

#[tokio::test]
async fn unsafe_text_is_neither_printed_nor_suggested() {
    let fixture = Fixture::start().await;
    let token = fixture.idp.token().sub("a\u{1b}[31m\r\nb");
    let output = run(
        &["explain", &token.issuer("https://a.example/$(id)").sign()],
        &[],
    );
    output.expect(2, &["[issuers.NAME]"]);
    assert!(!output.stdout.contains(['\u{1b}', '\r']), "{output:?}");
    assert!(!output.stdout.contains("__ISSUER="), "{output:?}");
}

#[tokio::test]
async fn json_output_has_the_header_and_the_claims() {
    let fixture = Fixture::start().await;
    let token = fixture.idp.token().sub("ada").sign();
    let output = run(&["explain", "--json", &token], &[]);
    output.expect(2, &[]);
    let report: Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!(report["accepted"], Value::Null);
    assert_eq!(report["header"]["alg"], "RS256");
    assert_eq!(report["payload"]["sub"], "ada");
    assert_eq!(report["checks"][3]["outcome"], "passed");
    assert_eq!(report["checks"][4]["outcome"], "not_reached");
}
