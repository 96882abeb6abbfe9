//! `/api/auth/me` and `/api/user`.

use std::time::Duration;

use serde_json::{Value, json};
use test_support::database::query_number;

use crate::test_app::{JsonBody, TestApp, send};

#[tokio::test]
async fn me_returns_the_profile_and_the_granted_claims() {
    let app = TestApp::start().await;
    let token = app
        .token("ada")
        .roles(["admin", "editor"])
        .scope("read write")
        .aal("aal2")
        .claim("session_id", "s-1")
        .sign();
    let me = app.get("/api/auth/me", &token).await.expect_status(200);
    let claims = &me["claims"];
    assert_eq!(claims["role"], "authenticated");
    assert_eq!(claims["roles"], json!(["admin", "editor"]));
    assert_eq!(claims["scopes"], json!(["read", "write"]));
    assert_eq!(
        (&claims["aal"], &claims["session_id"]),
        (&json!("aal2"), &json!("s-1"))
    );
    assert!(
        claims["expires_at"]
            .as_str()
            .is_some_and(|at| at.ends_with('Z')),
        "{claims}"
    );
    let mut names: Vec<&str> = me.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    let expected = "claims created_at email email_verified id is_active is_machine issuer last_login name picture subject updated_at";
    assert_eq!(names.join(" "), expected);
}

#[tokio::test]
async fn a_custom_name_overrides_the_claim_until_it_is_removed() {
    let app = TestApp::start().await;
    let token = |name: &str| app.token("ada").claim("name", name).sign();
    let first = token("From the issuer");
    let changed = app
        .patch("/api/user", &first, &json!({"name": "My own"}))
        .await
        .expect_status(200);
    assert_eq!(changed["name"], "My own");
    app.clock.advance(Duration::from_secs(5));
    let later = token("From the issuer, later");
    assert_eq!(
        app.get("/api/auth/me", &later).await.expect_status(200)["name"],
        "My own"
    );
    let restored = app
        .patch("/api/user", &later, &json!({"name": null}))
        .await
        .expect_status(200);
    assert_eq!(restored["name"], "From the issuer, later");
}

#[tokio::test]
async fn an_update_keeps_fields_that_are_not_sent() {
    let app = TestApp::start().await;
    let token = app.token("ada").sign();
    let both = json!({"name": "Ada", "picture": "https://x.example/a.png"});
    app.patch("/api/user", &token, &both)
        .await
        .expect_status(200);
    let after = app
        .patch(
            "/api/user",
            &token,
            &json!({"picture": "https://x.example/b.png"}),
        )
        .await
        .expect_status(200);
    assert_eq!(
        (&after["name"], &after["picture"]),
        (&json!("Ada"), &json!("https://x.example/b.png"))
    );
    assert_eq!(
        app.get("/api/auth/me", &token).await.expect_status(200)["name"],
        "Ada"
    );
}

#[tokio::test]
async fn a_name_has_1_to_200_characters() {
    let app = TestApp::start().await;
    let token = app.token("ada").sign();
    let name = |length: usize| json!({ "name": "é".repeat(length) });
    app.patch("/api/user", &token, &name(200))
        .await
        .expect_status(200);
    let errors = app
        .patch("/api/user", &token, &name(201))
        .await
        .field_errors();
    assert_eq!(
        errors,
        [(
            "name".to_owned(),
            "must have at most 200 characters".to_owned()
        )]
    );
}

#[tokio::test]
async fn all_invalid_fields_are_reported_together() {
    let app = TestApp::start().await;
    let body = json!({"name": "", "picture": "http://x.example/a.png", "email": "e@x.example"});
    let errors = app
        .patch("/api/user", &app.token("ada").sign(), &body)
        .await
        .field_errors();
    let fields: Vec<&str> = errors.iter().map(|(field, _)| field.as_str()).collect();
    assert_eq!(fields, ["name", "picture", "email"], "{errors:?}");
}

#[tokio::test]
async fn an_empty_update_is_rejected() {
    let app = TestApp::start().await;
    let errors = app
        .patch("/api/user", &app.token("ada").sign(), &json!({}))
        .await
        .field_errors();
    assert_eq!(errors.len(), 1, "{errors:?}");
}

#[tokio::test]
async fn identity_and_access_fields_cannot_be_updated() {
    let app = TestApp::start().await;
    let token = app.token("ada").sign();
    let before = app.get("/api/auth/me", &token).await.expect_status(200);
    for field in [
        "id",
        "subject",
        "issuer",
        "email",
        "email_verified",
        "is_active",
        "created_at",
        "last_login",
        "user_id",
    ] {
        app.patch("/api/user", &token, &json!({ field: "x", "name": "y" }))
            .await
            .field_errors();
    }
    assert_eq!(
        app.get("/api/auth/me", &token).await.expect_status(200),
        before
    );
}

#[tokio::test]
async fn deleting_an_account_removes_only_its_own_rows() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.token("ada").sign(), app.token("bob").sign());
    for token in [&ada, &bob] {
        app.post("/api/status", token, &json!({"client_name": "web"}))
            .await
            .expect_status(201);
    }
    let before = app.get("/api/auth/me", &ada).await.expect_status(200);
    let deleted = app.delete("/api/user", &ada).await;
    assert_eq!(deleted.expect_status(204), Value::Null);
    assert_eq!(
        query_number(&app.database, "SELECT COUNT(*) FROM users").await,
        1
    );
    assert_eq!(
        query_number(&app.database, "SELECT COUNT(*) FROM status_checks").await,
        1
    );
    assert_eq!(
        app.get("/api/status", &bob).await.expect_status(200)["items"]
            .as_array()
            .map(Vec::len),
        Some(1)
    );
    app.get("/api/auth/me", &ada)
        .await
        .assert_error(401, "TOKEN_REVOKED");
    let newer = app.newer_token("ada").sign();
    let after = app.get("/api/auth/me", &newer).await.expect_status(200);
    assert_ne!(after["id"], before["id"], "a new account");
}

#[tokio::test]
async fn an_account_deleted_on_another_replica_is_recreated() {
    let app = TestApp::start().await;
    let replica = app.replica().await;
    let token = app.newer_token("ada").sign();
    app.get_from(replica, "/api/auth/me", &token)
        .await
        .expect_status(200);
    app.delete("/api/user", &app.token("ada").sign())
        .await
        .expect_status(204);
    app.get_from(replica, "/api/auth/me", &token)
        .await
        .expect_status(200);
    let post = app
        .request_to(replica, reqwest::Method::POST, "/api/status")
        .bearer_auth(&token);
    send(post.json_body(&json!({"client_name": "web"})))
        .await
        .expect_status(201);
}

#[tokio::test]
async fn an_update_is_visible_on_other_replicas_immediately() {
    let app = TestApp::start().await;
    let replica = app.replica().await;
    let token = app.token("ada").sign();
    app.get_from(replica, "/api/auth/me", &token)
        .await
        .expect_status(200);
    app.patch("/api/user", &token, &json!({"name": "Ada"}))
        .await
        .expect_status(200);
    assert_eq!(
        app.get_from(replica, "/api/auth/me", &token)
            .await
            .expect_status(200)["name"],
        "Ada"
    );
}
