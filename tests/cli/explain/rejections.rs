//! What the report says about each kind of rejected token.

use std::time::Duration;

use bearward_testing::Faults;
use serde_json::json;

use super::Fixture;
use crate::run;

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
    let token = fixture.idp.token().kid("unknown").sign();
    fixture.assert_rejected(
        &token,
        "UNKNOWN_KEY",
        &["kid unknown, alg RS256", fixture.idp.key().kid(), "revoked"],
    );
    let token = fixture.idp.token().header("alg", "ES256").sign();
    fixture.assert_rejected(
        &token,
        "UNKNOWN_KEY",
        &[
            "alg ES256",
            "publishes a key with this kid, but it verifies RS256 and not ES256",
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
            "the key set is empty",
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
