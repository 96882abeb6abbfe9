//! Tokens that an identity provider issued to OAuth clients of third parties.

use reqwest::Method;

use crate::test_app::{TestApp, send};

/// Routes that require a token, one of each kind.
const ROUTES: [(Method, &str); 9] = [
    (Method::GET, "/protected"),
    (Method::GET, "/api/auth/verify"),
    (Method::GET, "/api/auth/me"),
    (Method::GET, "/api/status"),
    (Method::GET, "/api/user/api-keys"),
    (Method::PATCH, "/api/user"),
    (Method::DELETE, "/api/user"),
    (Method::POST, "/api/generate"),
    (Method::GET, "/api/admin/users"),
];

#[tokio::test]
async fn an_unlisted_oauth_client_can_use_no_route() {
    let app = TestApp::start_with(&[("issuers.main.first_party", "true")]).await;
    let own = app.token("ada").roles(["admin"]);
    app.get("/api/auth/me", &own.clone().sign())
        .await
        .expect_status(200);
    let third_party = own.claim("client_id", "partner").scope("openid").sign();
    for (method, path) in ROUTES {
        let request = app.request(method.clone(), path).bearer_auth(&third_party);
        let response = send(request).await;
        assert_eq!(response.status, 401, "{method} {path}: {response:?}");
        response.assert_error(401, "CLIENT_NOT_ALLOWED");
    }
}

#[tokio::test]
async fn listed_oauth_clients_and_first_party_tokens_are_accepted() {
    let app = TestApp::start_with(&[
        ("issuers.main.first_party", "true"),
        ("issuers.main.client_ids", "partner"),
    ])
    .await;
    let token = || app.token("ada");
    for accepted in [token(), token().claim("client_id", "partner")] {
        app.get("/api/auth/me", &accepted.sign())
            .await
            .expect_status(200);
    }
    app.get("/api/auth/me", &token().claim("client_id", "other").sign())
        .await
        .assert_error(401, "CLIENT_NOT_ALLOWED");
}
