//! The admin API's people and clock.

use std::time::Duration;

use serde_json::json;

use super::{post, refresh, refusal, sign_up, start, text, user};
use crate::http::{get, json as send_json, send};

#[tokio::test]
async fn roles_that_are_given_are_in_the_next_token() {
    let (idp, _) = start();
    let session = sign_up(&idp, "ada@example.com").await;
    let path = format!("PATCH /admin/users/{}", text(&session["user"], "id"));
    let edited = send_json(&idp, &path, r#"{"app_metadata": {"roles": ["admin"]}}"#)
        .await
        .json();
    assert_eq!(
        edited["app_metadata"],
        json!({ "provider": "email", "providers": ["email"], "roles": ["admin"] })
    );
    let next = refresh(&idp, text(&session, "refresh_token")).await.json();
    let server = crate::trusting(&idp).await;
    assert!(
        server
            .verify(text(&next, "access_token"))
            .await
            .unwrap()
            .has_role("admin")
    );
    let edited = send_json(&idp, &path, r#"{"app_metadata": {"roles": null}}"#)
        .await
        .json();
    assert!(
        edited["app_metadata"].get("roles").is_none(),
        "null takes a member out"
    );
}

#[tokio::test]
async fn nobody_gives_themselves_a_role() {
    let (idp, _) = start();
    let session = sign_up(&idp, "ada@example.com").await;
    let bearer = format!("Bearer {}", text(&session, "access_token"));
    let headers = [crate::http::JSON, ("authorization", &*bearer)];
    let refused = send(
        &idp,
        "PUT /auth/v1/user",
        &headers,
        r#"{"app_metadata": {"roles": ["admin"]}}"#,
    )
    .await;
    assert_eq!(refusal(&refused), (403, "not_admin".to_owned()));
    send(
        &idp,
        "PUT /auth/v1/user",
        &headers,
        r#"{"data": {"roles": ["admin"], "app_metadata": {"roles": ["admin"]}}}"#,
    )
    .await;
    assert!(
        user(&idp, &session).await.json()["app_metadata"]
            .get("roles")
            .is_none()
    );
    let data = json!({ "email": "eve@example.com", "password": "correct horse", "app_metadata": { "roles": ["admin"] } });
    assert!(
        post(&idp, "/signup", data).await.json()["user"]["app_metadata"]
            .get("roles")
            .is_none()
    );
}

#[tokio::test]
async fn whoever_is_banned_can_neither_sign_in_nor_go_on() {
    let (idp, _) = start();
    let session = sign_up(&idp, "ada@example.com").await;
    let path = format!("PATCH /admin/users/{}", text(&session["user"], "id"));
    assert_eq!(
        send_json(&idp, &path, r#"{"banned": true}"#).await.json()["banned"],
        true
    );
    let credentials = json!({ "email": "ada@example.com", "password": super::PASSWORD });
    assert_eq!(
        refusal(&post(&idp, "/token?grant_type=password", credentials).await),
        (400, "user_banned".to_owned())
    );
    assert_eq!(
        refusal(&refresh(&idp, text(&session, "refresh_token")).await),
        (400, "user_banned".to_owned())
    );
    assert_eq!(
        refusal(&user(&idp, &session).await),
        (403, "user_banned".to_owned())
    );
}

#[tokio::test]
async fn people_are_listed_with_the_newest_first() {
    let (idp, clock) = start();
    for at in 0..6 {
        sign_up(&idp, &format!("ada-{at}@example.com")).await;
        clock.advance(Duration::from_millis(1));
    }
    let listed = get(&idp, "/admin/users").await.json();
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
async fn whoever_is_taken_out_is_gone_with_their_sessions() {
    let (idp, _) = start();
    let session = sign_up(&idp, "ada@example.com").await;
    let path = format!("/admin/users/{}", text(&session["user"], "id"));
    assert_eq!(
        send(&idp, &format!("DELETE {path}"), &[], "").await.status,
        204
    );
    assert_eq!(
        get(&idp, "/admin/users").await.json(),
        json!({ "users": [] })
    );
    assert_eq!(
        refusal(&user(&idp, &session).await),
        (403, "user_not_found".to_owned())
    );
    assert_eq!(
        refusal(&refresh(&idp, text(&session, "refresh_token")).await),
        (400, "refresh_token_not_found".to_owned())
    );
    for line in [
        format!("DELETE {path}"),
        format!("PATCH {path}"),
        "DELETE /admin/users/x".to_owned(),
    ] {
        assert_eq!(
            send(&idp, &line, &[], "").await.refusal(),
            (404, "NOT_FOUND".to_owned()),
            "{line}"
        );
    }
}

#[tokio::test]
async fn the_clock_goes_ahead_and_back() {
    let (idp, _) = start();
    let session = sign_up(&idp, "ada@example.com").await;
    assert_eq!(
        send_json(&idp, "PUT /admin/clock", r#"{"ahead_seconds": 3600}"#)
            .await
            .json()["ahead_seconds"],
        3600
    );
    assert_eq!(
        refusal(&user(&idp, &session).await),
        (403, "bad_jwt".to_owned())
    );
    assert_eq!(
        send_json(&idp, "PUT /admin/clock", "{}").await.json()["ahead_seconds"],
        0
    );
    assert_eq!(user(&idp, &session).await.status, 200);
    assert_eq!(get(&idp, "/admin/clock").await.json()["ahead_seconds"], 0);
    for seconds in [-1, 315_360_001, i64::MAX] {
        let refused = send_json(
            &idp,
            "PUT /admin/clock",
            &json!({ "ahead_seconds": seconds }).to_string(),
        )
        .await;
        assert_eq!(
            refused.refusal(),
            (422, "VALIDATION_FAILED".to_owned()),
            "{seconds}"
        );
    }
    assert_eq!(
        send_json(&idp, "PUT /admin/clock", r#"{"ahead_seconds": 315360000}"#)
            .await
            .status,
        200
    );
}
