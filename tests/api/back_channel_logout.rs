//! `POST /api/auth/backchannel-logout`: logout tokens of identity providers.

use std::time::Duration;

use bearward_testing::{FORGERIES, TokenBuilder};
use reqwest::Method;

use crate::test_app::{ApiResponse, TestApp, send};

const PATH: &str = "/api/auth/backchannel-logout";

async fn post(app: &TestApp, content_type: &str, body: String) -> ApiResponse {
    let request = app.request(Method::POST, PATH);
    send(request.header("content-type", content_type).body(body)).await
}

async fn log_out(app: &TestApp, token: &str) -> ApiResponse {
    let body = format!("logout_token={token}");
    post(app, "application/x-www-form-urlencoded", body).await
}

fn logout(app: &TestApp) -> TokenBuilder {
    app.idp.logout_token().claim("sid", "s1")
}

fn session(app: &TestApp, subject: &str, session: &str) -> String {
    app.token(subject).claim("session_id", session).sign()
}

#[tokio::test]
async fn a_logout_token_ends_the_session_and_no_other() {
    let app = TestApp::start().await;
    let (ended, other) = (session(&app, "ada", "s1"), session(&app, "ada", "s2"));
    app.get("/protected", &ended).await.expect_status(200);
    let response = log_out(&app, &logout(&app).sub("ada").sign()).await;
    assert_eq!(
        (response.status, response.body.as_str()),
        (200, ""),
        "{response:?}"
    );
    assert_eq!(response.header("cache-control"), "no-store");
    app.get("/protected", &ended)
        .await
        .assert_error(401, "TOKEN_REVOKED");
    app.get("/protected", &other).await.expect_status(200);

    let revocations = app
        .get("/api/admin/revocations", &app.admin_token())
        .await
        .json();
    assert_eq!(
        revocations["items"][0]["reason"], "backchannel_logout",
        "{revocations}"
    );
    assert_eq!(revocations["items"][0]["target"], "s1", "{revocations}");
}

#[tokio::test]
async fn a_logout_token_without_session_ends_the_earlier_sessions_of_the_subject() {
    let app = TestApp::start().await;
    let earlier = [session(&app, "ada", "s1"), session(&app, "ada", "s2")];
    let other = session(&app, "bob", "s3");
    let token = logout(&app).without("sid").sub("ada").sign();
    assert_eq!(log_out(&app, &token).await.status, 200);
    for token in &earlier {
        app.get("/protected", token)
            .await
            .assert_error(401, "TOKEN_REVOKED");
    }
    app.get("/protected", &other).await.expect_status(200);
    app.clock.advance(Duration::from_secs(1));
    let later = session(&app, "ada", "s4");
    app.get("/protected", &later).await.expect_status(200);
}

#[tokio::test]
async fn an_invalid_logout_token_revokes_nothing() {
    let app = TestApp::start().await;
    let access = session(&app, "ada", "s1");
    let valid = || logout(&app).sub("ada");
    let mut cases = vec![
        (valid().expired().sign(), "TOKEN_EXPIRED"),
        (valid().audience("other").sign(), "INVALID_AUDIENCE"),
        (valid().claim("nonce", "n").sign(), "INVALID_CLAIM"),
        (valid().without("events").sign(), "MISSING_CLAIM"),
        (valid().without("jti").sign(), "MISSING_CLAIM"),
        (valid().alg_none(), "MALFORMED_TOKEN"),
        (valid().unsigned(), "MALFORMED_TOKEN"),
        (valid().header("typ", "at+jwt").sign(), "INVALID_TOKEN_TYPE"),
        (
            app.untrusted.logout_token().claim("sid", "s1").sign(),
            "UNKNOWN_ISSUER",
        ),
        (access.clone(), "MISSING_CLAIM"),
        (String::new(), "MALFORMED_TOKEN"),
    ];
    cases.extend(
        FORGERIES
            .iter()
            .filter(|name| **name != "alg_none")
            .filter_map(|name| Some((valid().forged(name)?, ""))),
    );
    for (token, code) in &cases {
        let response = log_out(&app, token).await;
        if code.is_empty() {
            assert_eq!(response.status, 400, "{response:?}");
        } else {
            response.assert_error(400, code);
        }
        assert!(response.header("www-authenticate").is_empty());
    }
    app.get("/protected", &access).await.expect_status(200);
    assert_eq!(log_out(&app, &valid().sign()).await.status, 200);
    app.get("/protected", &access)
        .await
        .assert_error(401, "TOKEN_REVOKED");
}

#[tokio::test]
async fn another_issuer_cannot_end_the_session() {
    let app = TestApp::start().await;
    let access = session(&app, "ada", "s1");
    let foreign = app
        .other
        .logout_token()
        .claim("sid", "s1")
        .sub("ada")
        .sign();
    assert_eq!(log_out(&app, &foreign).await.status, 200);
    app.get("/protected", &access).await.expect_status(200);
}

#[tokio::test]
async fn a_replayed_logout_token_is_400_and_revokes_nothing() {
    let app = TestApp::start().await;
    let token = logout(&app).without("sid").sub("ada").sign();
    assert_eq!(log_out(&app, &token).await.status, 200);
    app.clock.advance(Duration::from_secs(2));
    let later = session(&app, "ada", "s9");
    log_out(&app, &token)
        .await
        .assert_error(400, "INVALID_REQUEST");
    app.get("/protected", &later).await.expect_status(200);

    // Another replica does not know the `jti`; the token revokes what it has revoked already.
    let replica = app.replica().await;
    let request = app.request_to(replica, Method::POST, PATH);
    let request = request
        .header("content-type", "application/x-www-form-urlencoded")
        .body(format!("logout_token={token}"));
    assert_eq!(send(request).await.status, 200);
    app.get_from(replica, "/protected", &later)
        .await
        .expect_status(200);
}

#[tokio::test]
async fn other_bodies_are_400() {
    let app = TestApp::start().await;
    let token = logout(&app).sign();
    let form = "application/x-www-form-urlencoded";
    for (content_type, body) in [
        (form, String::new()),
        (form, format!("token={token}")),
        (form, format!("logout_token={token}&logout_token={token}")),
        (
            "application/json",
            format!("{{\"logout_token\":\"{token}\"}}"),
        ),
        ("text/plain", format!("logout_token={token}")),
    ] {
        let response = post(&app, content_type, body).await;
        response.assert_error(400, "INVALID_REQUEST");
    }
    let large = format!("logout_token={}", "a".repeat(70_000));
    post(&app, form, large)
        .await
        .assert_error(413, "PAYLOAD_TOO_LARGE");
    let with_more = format!("logout_token={token}&state=x");
    assert_eq!(post(&app, form, with_more).await.status, 200);
    send(app.request(Method::GET, PATH))
        .await
        .assert_error(405, "METHOD_NOT_ALLOWED");
}

#[tokio::test]
async fn the_route_can_be_disabled() {
    for key in ["revocation.backchannel_logout", "revocation.enabled"] {
        let app = TestApp::start_with(&[(key, "false")]).await;
        let token = logout(&app).sign();
        log_out(&app, &token).await.assert_error(404, "NOT_FOUND");
    }
}

#[tokio::test]
async fn the_client_of_the_provider_is_an_accepted_audience() {
    let app = TestApp::start_with(&[("issuers.main.logout_audiences", "web,mobile")]).await;
    for (audience, status) in [("mobile", 200), ("authenticated", 200), ("other", 400)] {
        let response = log_out(&app, &logout(&app).audience(audience).sign()).await;
        assert_eq!(response.status, status, "{audience}");
    }
}

#[tokio::test]
async fn a_flood_costs_few_fetches_and_is_rate_limited() {
    let app = TestApp::start_with(&[
        ("rate_limit.enabled", "true"),
        ("rate_limit.per_address", "60"),
        ("rate_limit.burst", "20"),
    ])
    .await;
    let fetches = app.idp.fetches();
    let mut statuses = Vec::new();
    for index in 0..200 {
        let forged = logout(&app).kid(&format!("forged-{index}")).sign();
        statuses.push(log_out(&app, &forged).await.status);
    }
    // 503: the limit of fetches for unknown keys says no.
    assert!(
        statuses
            .iter()
            .all(|status| [400, 429, 503].contains(status)),
        "{statuses:?}"
    );
    assert!(
        app.idp.fetches() - fetches <= 3,
        "{}",
        app.idp.fetches() - fetches
    );
    for _ in 0..30 {
        log_out(&app, &logout(&app).sub("ada").tampered()).await;
    }
    let response = log_out(&app, &logout(&app).sub("ada").tampered()).await;
    response.assert_error(429, "RATE_LIMITED");
    for _ in 0..30 {
        assert_eq!(log_out(&app, &logout(&app).sign()).await.status, 200);
    }
}
