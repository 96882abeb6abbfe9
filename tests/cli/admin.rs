//! `bearward admin`: works on the database of a server.

use std::time::{Duration, Instant};

use bearward::{Clock, SystemClock};
use bearward_testing::MockIdp;
use test_support::{
    TEST_TIMEOUT,
    http::get_as,
    process::{Signal, TestProcess},
};

use crate::{bearward, run_with};

#[tokio::test(flavor = "multi_thread")]
async fn a_disabled_administrator_is_enabled_again() {
    let (folder, idp) = (tempfile::tempdir().unwrap(), MockIdp::start().await);
    let base = idp.base();
    let admin = |arguments: &[&str]| {
        let arguments = [&["admin"], arguments].concat();
        run_with(&arguments, &[], "", folder.path())
    };
    admin(&["list"]).expect(1, &["there are no accounts", "does not exist"]);

    let variables = [
        ("SUPABASE_URL", base.as_str()),
        ("DATABASE_URL", "sqlite://bearward.db"),
        ("NO_COLOR", "1"),
    ];
    let mut serve = bearward(&["serve", "--bind", "127.0.0.1:0"], &variables);
    serve.current_dir(folder.path());
    let serve = TestProcess::start(serve);
    let line = serve.line("address=");
    let address = line.split("address=").nth(1).unwrap();
    let address = address.split_whitespace().next().unwrap().trim_matches('"');
    let me = format!("http://{address}/api/auth/me");
    // Disabling the account revokes the tokens that were issued before.
    let later = SystemClock::new().now().plus(Duration::from_secs(30));
    let token = idp.token().sub("root").claim("iat", later.unix());
    let body = get_as(&me, &token.clone().sign()).await.json();
    let id = body["id"].as_str().unwrap().to_owned();

    admin(&["disable", &id]).expect(0, &[&id, "disabled", "root"]);
    admin(&["list"]).expect(0, &[&id, "disabled", "root", &idp.issuer()]);
    admin(&["enable", &id]).expect(0, &[&id, "enabled"]);
    assert_eq!(get_as(&me, &token.clone().sign()).await.status, 200);
    admin(&["enable", "00000000-0000-7000-8000-000000000000"])
        .expect(1, &["no account has the id", "bearward admin list"]);
    admin(&["enable", "root"]).expect(2, &["root"]);

    let session = "0f0e0d0c-0b0a-4908-8706-050403020100";
    admin(&["revoke", "session", session]).expect(2, &["SUPABASE_URL"]);
    run_with(
        &["admin", "revoke", "session", session],
        &variables,
        "",
        folder.path(),
    )
    .expect(0, &["revoked", session, &idp.issuer()]);
    let of_session = token.clone().claim("session_id", session).sign();
    wait_for_rejection(&me, &of_session).await;
    assert_eq!(get_as(&me, &token.sign()).await.status, 200);
    let (status, ..) = serve.stop(Signal::TERM);
    assert!(status.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn revoke_needs_a_configured_issuer_and_the_list() {
    let (folder, idp) = (tempfile::tempdir().unwrap(), MockIdp::start().await);
    let (base, other) = (idp.base(), idp.base());
    let database = ("DATABASE_URL", "sqlite://bearward.db");
    let one = [("SUPABASE_URL", base.as_str()), database];
    let two = [
        ("SUPABASE_URL", base.as_str()),
        (
            "BEARWARD_ISSUERS__OTHER__ISSUER",
            "https://id.example.com/{tid}/v2.0",
        ),
        ("BEARWARD_ISSUERS__OTHER__AUDIENCES", "api"),
        ("BEARWARD_ISSUERS__OTHER__JWKS_URL", other.as_str()),
        database,
    ];
    let off = [
        ("SUPABASE_URL", base.as_str()),
        ("BEARWARD_REVOCATION__ENABLED", "false"),
        database,
    ];
    std::fs::write(folder.path().join("bearward.db"), "").unwrap();
    let revoke = |variables: &[(&str, &str)], arguments: &[&str]| {
        let arguments = [&["admin", "revoke"], arguments].concat();
        run_with(&arguments, variables, "", folder.path())
    };
    revoke(&one, &["subject", "ada"]).expect(0, &["revoked", "ada", &idp.issuer(), "until 20"]);
    revoke(&one, &["key", "kid-1", "--issuer", "supabase"]).expect(0, &["kid-1"]);
    revoke(&one, &["token", "jti-1", "--issuer", &idp.issuer()]).expect(0, &["jti-1"]);
    revoke(&one, &["subject", "ada", "--issuer", "other"]).expect(1, &["--issuer", "supabase"]);
    revoke(&one, &["user", "ada"]).expect(2, &["session", "subject", "token", "key"]);
    revoke(&two, &["subject", "ada"]).expect(1, &["write --issuer with one of: other, supabase"]);
    revoke(&two, &["subject", "ada", "--issuer", "other"]).expect(
        1,
        &["the iss of one tenant", "https://id.example.com/{tid}/v2.0"],
    );
    revoke(
        &two,
        &[
            "subject",
            "ada",
            "--issuer",
            "https://id.example.com/a/v2.0",
        ],
    )
    .expect(0, &["ada at https://id.example.com/a/v2.0"]);
    revoke(&off, &["subject", "ada"]).expect(1, &["revocation.enabled is false"]);
}

/// Repeats a request until the token is revoked.
async fn wait_for_rejection(url: &str, token: &str) {
    let since = Instant::now();
    loop {
        let response = get_as(url, token).await;
        if response.status == 401 {
            assert_eq!(response.code(), "TOKEN_REVOKED");
            return;
        }
        assert!(since.elapsed() < TEST_TIMEOUT, "{response:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
