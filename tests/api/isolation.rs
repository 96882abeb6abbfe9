//! Isolation of accounts: a request reads and changes only rows of its own subject.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::test_app::{JsonBody, TestApp, send};

/// Returns every authenticated route with a valid body.
fn routes(id: &str) -> Vec<(Method, String, Option<Value>)> {
    vec![
        (Method::GET, "/protected".to_owned(), None),
        (Method::GET, "/api/auth/me".to_owned(), None),
        (
            Method::PATCH,
            "/api/user".to_owned(),
            Some(json!({"name": "x"})),
        ),
        (Method::GET, "/api/status".to_owned(), None),
        (
            Method::POST,
            "/api/status".to_owned(),
            Some(json!({"client_name": "web"})),
        ),
        (Method::GET, "/api/user/api-keys".to_owned(), None),
        (
            Method::POST,
            "/api/user/api-keys".to_owned(),
            Some(json!({"kestra": "kestra-key-of-another-user"})),
        ),
        (
            Method::DELETE,
            "/api/user/api-keys/togetherAI".to_owned(),
            None,
        ),
        (
            Method::POST,
            "/api/generate".to_owned(),
            Some(json!({"prompt": "x"})),
        ),
        (Method::GET, "/api/auth/verify".to_owned(), None),
        (Method::GET, "/api/admin/users".to_owned(), None),
        (
            Method::PATCH,
            format!("/api/admin/users/{id}"),
            Some(json!({"is_active": false})),
        ),
        (
            Method::POST,
            "/api/admin/revocations".to_owned(),
            Some(json!({"kind": "subject", "issuer": "x", "target": "ada"})),
        ),
        (Method::GET, "/api/admin/revocations".to_owned(), None),
        (Method::DELETE, format!("/api/admin/revocations/{id}"), None),
        (Method::GET, "/api/auth/sessions".to_owned(), None),
        (Method::DELETE, format!("/api/auth/sessions/{id}"), None),
        // Last: it revokes the caller's token.
        (Method::DELETE, "/api/user".to_owned(), None),
    ]
}

/// Creates an account with a row of each kind. Returns its token and id.
async fn create_account(app: &TestApp) -> (String, String) {
    let token = app
        .token("ada")
        .claim("email", "ada-private@example.com")
        .sign();
    app.post(
        "/api/status",
        &token,
        &json!({"client_name": "ada-private-client"}),
    )
    .await
    .expect_status(201);
    app.patch("/api/user", &token, &json!({"name": "ada-private-name"}))
        .await
        .expect_status(200);
    app.post(
        "/api/user/api-keys",
        &token,
        &json!({"togetherAI": "ada-private-key-of-24-chars-and-more"}),
    )
    .await
    .expect_status(200);
    let id = app.get("/api/auth/me", &token).await.expect_status(200)["id"]
        .as_str()
        .unwrap()
        .to_owned();
    (token, id)
}

async fn rows_of(app: &TestApp, token: &str) -> Vec<Value> {
    let mut rows = Vec::new();
    for path in ["/api/auth/me", "/api/status", "/api/user/api-keys"] {
        rows.push(app.get(path, token).await.expect_status(200));
    }
    rows
}

#[tokio::test]
async fn unauthenticated_requests_reveal_and_change_nothing() {
    let app = TestApp::start_with(&[("vault.keys", crate::api_keys::OLD)]).await;
    let (token, id) = create_account(&app).await;
    let before = rows_of(&app, &token).await;
    let rejected = [
        ("MISSING_TOKEN", None),
        ("TOKEN_EXPIRED", Some(app.token("ada").expired().sign())),
        (
            "INVALID_SIGNATURE",
            Some(app.token("ada").signed_by_stranger()),
        ),
        ("INVALID_SIGNATURE", Some(app.token("ada").tampered())),
        (
            "UNKNOWN_ISSUER",
            Some(app.untrusted.token().sub("ada").roles(["admin"]).sign()),
        ),
        (
            "MALFORMED_TOKEN",
            Some(app.token("ada").roles(["admin"]).alg_none()),
        ),
    ];
    for (code, invalid_token) in rejected {
        for (method, path, body) in routes(&id) {
            let mut request = app.request(method.clone(), &path);
            if let Some(invalid_token) = &invalid_token {
                request = request.bearer_auth(invalid_token);
            }
            if let Some(body) = body {
                request = request.json_body(&body);
            }
            let response = send(request).await;
            response.assert_error(401, code);
            assert!(
                !response.body.contains("ada-private"),
                "{method} {path}: {response:?}"
            );
        }
    }
    assert_eq!(rows_of(&app, &token).await, before);
}

#[tokio::test]
async fn other_users_cannot_read_or_change_an_account() {
    let app = TestApp::start_with(&[("vault.keys", crate::api_keys::OLD)]).await;
    let (token, id) = create_account(&app).await;
    let before = rows_of(&app, &token).await;
    let others = [
        app.token("bob").sign(),
        app.token("anonymous")
            .claim("is_anonymous", true)
            .without("email")
            .sign(),
        app.other.token().sub("ada").sign(),
        app.token("Ada").sign(),
        app.token("ada ").sign(),
    ];
    for other in others {
        for (method, path, body) in routes(&id) {
            let mut request = app.request(method.clone(), &path).bearer_auth(&other);
            if let Some(body) = body {
                request = request.json_body(&body);
            }
            let response = send(request).await;
            assert!(
                !response.body.contains("ada-private"),
                "{method} {path}: {response:?}"
            );
            assert_eq!(
                path.contains("/admin/"),
                response.status == 403,
                "{method} {path}: {response:?}"
            );
        }
    }
    app.clock.advance(Duration::from_secs(30));
    assert_eq!(rows_of(&app, &token).await, before);
}

#[tokio::test]
async fn user_ids_sent_by_the_client_are_never_used() {
    let app = TestApp::start_with(&[("vault.keys", crate::api_keys::OLD)]).await;
    let (_, id) = create_account(&app).await;
    let bob = app.token("bob").sign();
    for query in [
        format!("user_id={id}"),
        format!("sub={id}"),
        format!("id={id}"),
    ] {
        app.get(&format!("/api/status?{query}"), &bob)
            .await
            .field_errors();
    }
    for field in ["user_id", "id", "sub", "owner"] {
        app.post(
            "/api/status",
            &bob,
            &json!({ "client_name": "web", field: id }),
        )
        .await
        .field_errors();
    }
    let request = app.request(Method::GET, "/api/auth/me").bearer_auth(&bob);
    let request = request
        .header("x-user-id", &id)
        .header("x-auth-subject", "ada")
        .header("x-forwarded-user", "ada");
    assert_eq!(send(request).await.expect_status(200)["subject"], "bob");
}
