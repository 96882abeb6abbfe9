//! Service keys: which routes of the server accept them, and how requests with them are limited.

use std::time::Duration;

use bearward::{Clock, NewServiceKey};
use reqwest::Method;

use crate::test_app::{ApiResponse, TestApp, send};

async fn call(app: &TestApp, method: Method, path: &str, key: &str) -> ApiResponse {
    send(app.request(method, path).bearer_auth(key)).await
}

#[tokio::test]
async fn routes_of_users_reject_services() {
    let key = NewServiceKey::generate();
    let app = TestApp::start_with(&[("service_keys.cron.sha256", &key.sha256())]).await;
    for (method, path) in [
        (Method::GET, "/protected"),
        (Method::GET, "/api/auth/me"),
        (Method::PATCH, "/api/user"),
        (Method::DELETE, "/api/user"),
        (Method::GET, "/api/user/api-keys"),
        (Method::POST, "/api/user/api-keys"),
        (Method::DELETE, "/api/user/api-keys/togetherAI"),
        (Method::POST, "/api/generate"),
        (Method::GET, "/api/status"),
        (Method::POST, "/api/status"),
        (Method::GET, "/api/admin/users"),
        (Method::PATCH, "/api/admin/users/1"),
        (Method::GET, "/api/auth/verify"),
        (Method::GET, "/api/auth/verify?caller=user"),
    ] {
        let response = call(&app, method.clone(), path, key.expose()).await;
        response.assert_error(403, "USER_REQUIRED");
        let unknown = call(&app, method, path, NewServiceKey::generate().expose()).await;
        unknown.assert_error(401, "INVALID_SERVICE_KEY");
        assert!(unknown.header("www-authenticate").contains("invalid_token"));
    }
    assert_eq!(
        call(&app, Method::GET, "/health", key.expose())
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn a_key_expires_at_its_configured_time() {
    let key = NewServiceKey::generate();
    let app = TestApp::start_with(&[
        ("service_keys.cron.sha256", &key.sha256()),
        ("service_keys.cron.expires", "2100-01-01"),
    ])
    .await;
    let get = async || {
        call(
            &app,
            Method::GET,
            "/api/auth/verify?caller=any",
            key.expose(),
        )
        .await
    };
    let seconds = u64::try_from(4_102_444_800 - app.clock.now().unix()).unwrap();
    app.clock.advance(Duration::from_secs(seconds - 1));
    assert_eq!(get().await.status, 200);
    app.clock.advance(Duration::from_secs(1));
    get().await.assert_error(401, "INVALID_SERVICE_KEY");
}

#[tokio::test]
async fn guessed_keys_are_rate_limited_and_valid_ones_are_not() {
    let key = NewServiceKey::generate();
    let app = TestApp::start_with(&[
        ("service_keys.cron.sha256", &key.sha256()),
        ("rate_limit.enabled", "true"),
        ("rate_limit.per_address", "1"),
        ("rate_limit.burst", "2"),
    ])
    .await;
    let path = "/api/auth/verify?caller=service";
    for expected in [401, 401, 429, 429] {
        let guessed = NewServiceKey::generate();
        let response = call(&app, Method::GET, path, guessed.expose()).await;
        assert_eq!(response.status, expected, "{response:?}");
    }
    for _ in 0..5 {
        assert_eq!(
            call(&app, Method::GET, path, key.expose()).await.status,
            200
        );
    }
}
