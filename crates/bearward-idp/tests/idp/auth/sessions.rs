//! Refresh tokens turn, and an old one gives itself away.

use std::time::Duration;

use bearward::{Bearward, Issuer};
use serde_json::json;

use super::{PASSWORD, post, refresh, refusal, sign_up, start, text, user};

#[tokio::test]
async fn an_access_token_is_good_at_a_resource_server_and_lives_an_hour() {
    let (idp, _) = start();
    let session = sign_up(&idp, "ada@example.com").await;
    let auth = Bearward::builder()
        .issuer(Issuer::supabase(&idp.base()).unwrap())
        .build()
        .await
        .unwrap();
    let verified = auth.verify(text(&session, "access_token")).await.unwrap();
    assert_eq!(verified.subject(), text(&session["user"], "id"));
    assert_eq!(verified.email(), Some("ada@example.com"));
    assert_eq!(verified.claims().aal(), Some("aal1"));
    assert_eq!(session["expires_in"], 3600);
}

#[tokio::test]
async fn an_access_token_opens_the_user_until_it_expires() {
    let (idp, clock) = start();
    let session = sign_up(&idp, "ada@example.com").await;
    clock.advance(Duration::from_secs(3599));
    assert_eq!(user(&idp, &session).await.status, 200);
    clock.advance(Duration::from_secs(1));
    assert_eq!(
        refusal(&user(&idp, &session).await),
        (403, "bad_jwt".to_owned())
    );
    assert_eq!(
        refresh(&idp, text(&session, "refresh_token")).await.status,
        200,
        "the session goes on"
    );
}

#[tokio::test]
async fn a_refresh_token_that_is_two_behind_is_good_for_ten_seconds() {
    for (late, expected) in [(10_000, None), (10_001, Some("refresh_token_already_used"))] {
        let (idp, clock) = start();
        let first = sign_up(&idp, "ada@example.com").await;
        let second = refresh(&idp, text(&first, "refresh_token")).await.json();
        let third = refresh(&idp, text(&second, "refresh_token")).await.json();
        clock.advance(Duration::from_millis(late));
        let again = refresh(&idp, text(&first, "refresh_token")).await;
        match expected {
            None => assert_eq!(
                text(&again.json(), "refresh_token"),
                text(&third, "refresh_token")
            ),
            Some(code) => {
                assert_eq!(refusal(&again), (400, code.to_owned()));
                let owner = refresh(&idp, text(&third, "refresh_token")).await;
                assert_eq!(
                    refusal(&owner),
                    (400, "refresh_token_not_found".to_owned()),
                    "the family is revoked"
                );
                assert_eq!(
                    refusal(&user(&idp, &third).await),
                    (403, "session_not_found".to_owned())
                );
            }
        }
    }
}

#[tokio::test]
async fn the_refresh_token_before_the_last_is_good_however_late_because_an_answer_can_get_lost() {
    let (idp, clock) = start();
    let first = sign_up(&idp, "ada@example.com").await;
    let second = refresh(&idp, text(&first, "refresh_token")).await.json();
    clock.advance(Duration::from_secs(3600));
    let again = refresh(&idp, text(&first, "refresh_token")).await.json();
    assert_eq!(
        text(&again, "refresh_token"),
        text(&second, "refresh_token")
    );
}

#[tokio::test]
async fn refresh_tokens_that_were_never_given_out_are_told_nothing() {
    let (idp, _) = start();
    let session = sign_up(&idp, "ada@example.com").await;
    let token = text(&session, "refresh_token");
    let flipped = |at: usize| {
        let other = if token.as_bytes()[at] == b'A' {
            'B'
        } else {
            'A'
        };
        format!("{}{other}{}", &token[..at], &token[at + 1..])
    };
    // The session's id, the number, the proof.
    for forged in [
        flipped(0),
        flipped(25),
        flipped(40),
        format!("{token}A"),
        token[..40].to_owned(),
        "x".to_owned(),
    ] {
        assert_eq!(
            refusal(&refresh(&idp, &forged).await),
            (400, "refresh_token_not_found".to_owned()),
            "{forged}"
        );
    }
    let empty = post(&idp, "/token?grant_type=refresh_token", json!({})).await;
    assert_eq!(
        empty.json(),
        json!({ "error": "invalid_request", "error_description": "refresh_token required" })
    );
    assert_eq!(
        refresh(&idp, token).await.status,
        200,
        "forgeries end nothing"
    );
}

#[tokio::test]
async fn what_is_no_token_of_this_idp_opens_no_user() {
    let (idp, _) = start();
    sign_up(&idp, "ada@example.com").await;
    let (other, _) = start();
    let foreign = sign_up(&other, "ada@example.com").await;
    for token in [
        text(&foreign, "access_token"),
        "sb_publishable_any",
        "a.b.c",
        "x",
    ] {
        let answer = user(&idp, &json!({ "access_token": token })).await;
        assert_eq!(refusal(&answer), (403, "bad_jwt".to_owned()));
        assert!(
            !answer.body.contains(token),
            "what was sent does not come back"
        );
    }
    for header in ["", "Bearer", "Bearer ", "Basic YTpi"] {
        let answer =
            crate::http::send(&idp, "GET /auth/v1/user", &[("authorization", header)], "").await;
        assert_eq!(
            refusal(&answer),
            (401, "no_authorization".to_owned()),
            "{header:?}"
        );
    }
}

#[tokio::test]
async fn nothing_secret_is_in_what_the_user_is_shown() {
    let (idp, _) = start();
    let session = sign_up(&idp, "ada@example.com").await;
    let shown = user(&idp, &session).await.body;
    assert!(
        !shown.contains("argon2") && !shown.contains(PASSWORD),
        "{shown}"
    );
    assert!(!session.to_string().contains("argon2"));
}
