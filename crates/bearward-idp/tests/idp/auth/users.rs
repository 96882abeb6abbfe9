//! Admin API for users, roles and the clock.

use std::time::Duration;

use serde_json::json;

use crate::fixture::{JSON, PASSWORD, TestIdp, text};

#[tokio::test]
async fn assigned_roles_are_in_the_next_token() {
    let (idp, _) = TestIdp::with_clock();
    let session = idp.sign_up("ada@example.com").await;
    let path = format!("PATCH /admin/users/{}", text(&session["user"], "id"));
    let updated = idp
        .send_json(&path, r#"{"app_metadata": {"roles": ["admin"]}}"#)
        .await
        .json();
    assert_eq!(
        updated["app_metadata"],
        json!({ "provider": "email", "providers": ["email"], "roles": ["admin"] })
    );
    let next = idp.refresh(text(&session, "refresh_token")).await.json();
    let server = idp.verifier().await;
    assert!(
        server
            .verify(text(&next, "access_token"))
            .await
            .unwrap()
            .has_role("admin")
    );
    let updated = idp
        .send_json(&path, r#"{"app_metadata": {"roles": null}}"#)
        .await
        .json();
    assert!(
        updated["app_metadata"].get("roles").is_none(),
        "null removes a member"
    );
}

#[tokio::test]
async fn users_cannot_assign_roles_to_themselves() {
    let (idp, _) = TestIdp::with_clock();
    let session = idp.sign_up("ada@example.com").await;
    let bearer = format!("Bearer {}", text(&session, "access_token"));
    let headers = [JSON, ("authorization", &*bearer)];
    let rejected = idp
        .send(
            "PUT /auth/v1/user",
            &headers,
            r#"{"app_metadata": {"roles": ["admin"]}}"#,
        )
        .await;
    assert_eq!(rejected.auth_error(), (403, "not_admin".to_owned()));
    idp.send(
        "PUT /auth/v1/user",
        &headers,
        r#"{"data": {"roles": ["admin"], "app_metadata": {"roles": ["admin"]}}}"#,
    )
    .await;
    assert!(
        idp.user(&session).await.json()["app_metadata"]
            .get("roles")
            .is_none()
    );
    let data = json!({ "email": "eve@example.com", "password": "correct horse", "app_metadata": { "roles": ["admin"] } });
    assert!(
        idp.auth_post("/signup", data).await.json()["user"]["app_metadata"]
            .get("roles")
            .is_none()
    );
}

#[tokio::test]
async fn banned_users_cannot_sign_in_or_refresh() {
    let (idp, _) = TestIdp::with_clock();
    let session = idp.sign_up("ada@example.com").await;
    let path = format!("PATCH /admin/users/{}", text(&session["user"], "id"));
    assert_eq!(
        idp.send_json(&path, r#"{"banned": true}"#).await.json()["banned"],
        true
    );
    let credentials = json!({ "email": "ada@example.com", "password": PASSWORD });
    assert_eq!(
        idp.auth_post("/token?grant_type=password", credentials)
            .await
            .auth_error(),
        (400, "user_banned".to_owned())
    );
    assert_eq!(
        idp.refresh(text(&session, "refresh_token"))
            .await
            .auth_error(),
        (400, "user_banned".to_owned())
    );
    assert_eq!(
        idp.user(&session).await.auth_error(),
        (403, "user_banned".to_owned())
    );
}

#[tokio::test]
async fn users_are_listed_newest_first() {
    let (idp, clock) = TestIdp::with_clock();
    for at in 0..6 {
        idp.sign_up(&format!("ada-{at}@example.com")).await;
        clock.advance(Duration::from_millis(1));
    }
    let listed = idp.get("/admin/users").await.json();
    let emails: Vec<_> = listed["users"]
        .as_array()
        .unwrap()
        .iter()
        .map(|user| text(user, "email").to_owned())
        .collect();
    assert_eq!(
        emails,
        [5, 4, 3, 2, 1, 0].map(|at| format!("ada-{at}@example.com"))
    );
}

#[tokio::test]
async fn deleting_a_user_deletes_their_sessions() {
    let (idp, _) = TestIdp::with_clock();
    let session = idp.sign_up("ada@example.com").await;
    let path = format!("/admin/users/{}", text(&session["user"], "id"));
    assert_eq!(
        idp.send(&format!("DELETE {path}"), &[], "").await.status,
        204
    );
    assert_eq!(idp.get("/admin/users").await.json(), json!({ "users": [] }));
    assert_eq!(
        idp.user(&session).await.auth_error(),
        (403, "user_not_found".to_owned())
    );
    assert_eq!(
        idp.refresh(text(&session, "refresh_token"))
            .await
            .auth_error(),
        (400, "refresh_token_not_found".to_owned())
    );
    for line in [
        format!("DELETE {path}"),
        format!("PATCH {path}"),
        "DELETE /admin/users/x".to_owned(),
    ] {
        assert_eq!(
            idp.send(&line, &[], "").await.error(),
            (404, "NOT_FOUND".to_owned()),
            "{line}"
        );
    }
}

#[tokio::test]
async fn clock_can_be_moved_ahead_and_reset() {
    let (idp, _) = TestIdp::with_clock();
    let session = idp.sign_up("ada@example.com").await;
    assert_eq!(
        idp.send_json("PUT /admin/clock", r#"{"ahead_seconds": 3600}"#)
            .await
            .json()["ahead_seconds"],
        3600
    );
    assert_eq!(
        idp.user(&session).await.auth_error(),
        (403, "bad_jwt".to_owned())
    );
    assert_eq!(
        idp.send_json("PUT /admin/clock", "{}").await.json()["ahead_seconds"],
        0
    );
    assert_eq!(idp.user(&session).await.status, 200);
    assert_eq!(idp.get("/admin/clock").await.json()["ahead_seconds"], 0);
    for seconds in [-1, 315_360_001, i64::MAX] {
        let rejected = idp
            .send_json(
                "PUT /admin/clock",
                &json!({ "ahead_seconds": seconds }).to_string(),
            )
            .await;
        assert_eq!(
            rejected.error(),
            (422, "VALIDATION_FAILED".to_owned()),
            "{seconds}"
        );
    }
    assert_eq!(
        idp.send_json("PUT /admin/clock", r#"{"ahead_seconds": 315360000}"#)
            .await
            .status,
        200
    );
}
