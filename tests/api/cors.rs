//! CORS.

use reqwest::Method;

use crate::test_app::{ApiResponse, TestApp, send};

const ALLOWED: &str = "http://localhost:3000";
const PATH: &str = "/api/status";

async fn send_preflight(app: &TestApp, origin: &str, method: &str, headers: &str) -> ApiResponse {
    let request = app.request(Method::OPTIONS, PATH).header("origin", origin);
    send(
        request
            .header("access-control-request-method", method)
            .header("access-control-request-headers", headers),
    )
    .await
}

#[tokio::test]
async fn an_allowed_origin_may_send_tokens_and_read_errors() {
    let app = TestApp::start().await;
    let preflight = send_preflight(
        &app,
        ALLOWED,
        "POST",
        "authorization, content-type, idempotency-key",
    )
    .await;
    preflight.expect_status(200);
    assert_eq!(preflight.header("access-control-allow-origin"), ALLOWED);
    assert_eq!(
        preflight.header("access-control-allow-credentials"),
        "",
        "cookies are not accepted"
    );
    let rejected = send(app.request(Method::GET, PATH).header("origin", ALLOWED)).await;
    rejected.assert_error(401, "MISSING_TOKEN");
    assert_eq!(rejected.header("access-control-allow-origin"), ALLOWED);
    let exposed = rejected.header("access-control-expose-headers");
    for name in [
        "www-authenticate",
        "x-request-id",
        "retry-after",
        "idempotency-replayed",
    ] {
        assert!(exposed.contains(name), "{name}: {exposed}");
    }
}

#[tokio::test]
async fn a_rejected_preflight_has_an_error_body() {
    let app = TestApp::start().await;
    for origin in [
        "http://evil.example",
        "http://localhost:3001",
        "https://localhost:3000",
        "null",
    ] {
        let preflight = send_preflight(&app, origin, "POST", "authorization").await;
        preflight.assert_error(403, "ORIGIN_REFUSED");
        assert_eq!(
            preflight.header("access-control-allow-origin"),
            "",
            "{origin}"
        );
    }
    send_preflight(&app, ALLOWED, "TRACE", "authorization")
        .await
        .assert_error(400, "INVALID_REQUEST");
    send_preflight(&app, ALLOWED, "POST", "x-user-id")
        .await
        .assert_error(400, "INVALID_REQUEST");
}

#[tokio::test]
async fn other_origins_cannot_read_the_response() {
    let app = TestApp::start().await;
    let request = app
        .request(Method::GET, PATH)
        .bearer_auth(app.token("ada").sign())
        .header("origin", "http://evil.example");
    assert_eq!(
        send(request).await.header("access-control-allow-origin"),
        ""
    );
}

#[tokio::test]
async fn credentials_are_allowed_only_if_a_cookie_is_configured() {
    let app = TestApp::start_with(&[("tokens.cookie", "session")]).await;
    let preflight = send_preflight(&app, ALLOWED, "POST", "content-type").await;
    assert_eq!(preflight.header("access-control-allow-credentials"), "true");
    assert_eq!(preflight.header("access-control-allow-origin"), ALLOWED);
}

#[tokio::test]
async fn trace_headers_are_allowed() {
    let app = TestApp::start().await;
    let headers = "authorization, traceparent, tracestate, baggage";
    send_preflight(&app, ALLOWED, "GET", headers)
        .await
        .expect_status(200);
}

#[tokio::test]
async fn cors_headers_adds_to_the_list() {
    let app = TestApp::start_with(&[("server.cors_headers", "X-Tenant-Id, x-client")]).await;
    for headers in ["x-tenant-id", "authorization, X-Client, traceparent"] {
        send_preflight(&app, ALLOWED, "GET", headers)
            .await
            .expect_status(200);
    }
    send_preflight(&app, ALLOWED, "GET", "x-other")
        .await
        .assert_error(400, "INVALID_REQUEST");
}

#[tokio::test]
async fn every_origin_may_read_the_resource_metadata() {
    let app = TestApp::start().await;
    for (origin, allowed) in [("https://other.example", "*"), (ALLOWED, ALLOWED)] {
        let path = "/.well-known/oauth-protected-resource";
        let response = send(app.request(Method::GET, path).header("origin", origin)).await;
        response.expect_status(200);
        assert_eq!(response.header("access-control-allow-origin"), allowed);
        assert_eq!(response.header("access-control-allow-credentials"), "");
    }
}
