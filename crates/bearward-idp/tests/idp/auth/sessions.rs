//! Access tokens, refresh token rotation and reuse detection.

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use bearward::{Bearward, Issuer};
use data_encoding::BASE64URL_NOPAD;
use serde_json::json;

use crate::fixture::{PASSWORD, TestIdp, text};

#[tokio::test]
async fn access_token_is_accepted_by_a_resource_server() {
    let (idp, _) = TestIdp::with_clock();
    let session = idp.sign_up("ada@example.com").await;
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
async fn access_token_reads_the_user_until_it_expires() {
    let (idp, clock) = TestIdp::with_clock();
    let session = idp.sign_up("ada@example.com").await;
    clock.advance(Duration::from_secs(3599));
    assert_eq!(idp.user(&session).await.status, 200);
    clock.advance(Duration::from_secs(1));
    assert_eq!(
        idp.user(&session).await.auth_error(),
        (403, "bad_jwt".to_owned())
    );
    assert_eq!(
        idp.refresh(text(&session, "refresh_token")).await.status,
        200,
        "the session can be refreshed"
    );
}

#[tokio::test]
async fn second_previous_refresh_token_is_reused_for_10_s() {
    for (elapsed_ms, expected) in [(10_000, None), (10_001, Some("refresh_token_already_used"))] {
        let (idp, clock) = TestIdp::with_clock();
        let first = idp.sign_up("ada@example.com").await;
        let second = idp.refresh(text(&first, "refresh_token")).await.json();
        let third = idp.refresh(text(&second, "refresh_token")).await.json();
        clock.advance(Duration::from_millis(elapsed_ms));
        let again = idp.refresh(text(&first, "refresh_token")).await;
        match expected {
            None => assert_eq!(
                text(&again.json(), "refresh_token"),
                text(&third, "refresh_token")
            ),
            Some(code) => {
                assert_eq!(again.auth_error(), (400, code.to_owned()));
                let owner = idp.refresh(text(&third, "refresh_token")).await;
                assert_eq!(
                    owner.auth_error(),
                    (400, "refresh_token_not_found".to_owned()),
                    "the family is revoked"
                );
                assert_eq!(
                    idp.user(&third).await.auth_error(),
                    (403, "session_not_found".to_owned())
                );
            }
        }
    }
}

#[tokio::test]
async fn previous_refresh_token_is_reused_at_any_time() {
    let (idp, clock) = TestIdp::with_clock();
    let first = idp.sign_up("ada@example.com").await;
    let second = idp.refresh(text(&first, "refresh_token")).await.json();
    clock.advance(Duration::from_secs(3600));
    let again = idp.refresh(text(&first, "refresh_token")).await.json();
    assert_eq!(
        text(&again, "refresh_token"),
        text(&second, "refresh_token")
    );
}

#[tokio::test]
async fn forged_and_malformed_refresh_tokens_are_rejected() {
    let (idp, _) = TestIdp::with_clock();
    let session = idp.sign_up("ada@example.com").await;
    let token = text(&session, "refresh_token");
    let flipped = |at: usize| {
        let other = if token.as_bytes()[at] == b'A' {
            'B'
        } else {
            'A'
        };
        format!("{}{other}{}", &token[..at], &token[at + 1..])
    };
    for malformed in [
        flipped(0),
        flipped(25),
        flipped(40),
        format!("{token}A"),
        token[..40].to_owned(),
        "x".to_owned(),
        String::new(),
    ] {
        assert_eq!(
            idp.refresh(&malformed).await.auth_error(),
            (400, "validation_failed".to_owned()),
            "{malformed}"
        );
    }
    let empty = idp.auth_post("/token?grant_type=refresh_token", json!({}));
    assert_eq!(
        empty.await.auth_error(),
        (400, "validation_failed".to_owned())
    );
    // The session id, the number and the MAC, with the checksum of the changed bytes.
    let bytes = BASE64URL_NOPAD.decode(token.as_bytes()).unwrap();
    for at in [1, 17, 18] {
        let mut bytes = bytes[..bytes.len() - 4].to_vec();
        bytes[at] ^= 1;
        let checksum = digest(&SHA256, &bytes);
        bytes.extend_from_slice(&checksum.as_ref()[..4]);
        let forged = BASE64URL_NOPAD.encode(&bytes);
        assert_eq!(
            idp.refresh(&forged).await.auth_error(),
            (400, "refresh_token_not_found".to_owned()),
            "byte {at}"
        );
    }
    assert_eq!(
        idp.refresh(token).await.status,
        200,
        "forged tokens do not revoke the session"
    );
}

#[tokio::test]
async fn foreign_and_missing_tokens_are_rejected() {
    let (idp, _) = TestIdp::with_clock();
    idp.sign_up("ada@example.com").await;
    let (other, _) = TestIdp::with_clock();
    let foreign = other.sign_up("ada@example.com").await;
    for token in [
        text(&foreign, "access_token"),
        "sb_publishable_any",
        "a.b.c",
        "x",
    ] {
        let response = idp.user(&json!({ "access_token": token })).await;
        assert_eq!(response.auth_error(), (403, "bad_jwt".to_owned()));
        assert!(
            !response.body.contains(token),
            "the response does not contain the token"
        );
    }
    for header in ["", "Bearer", "Bearer ", "Basic YTpi"] {
        let response = idp
            .send("GET /auth/v1/user", &[("authorization", header)], "")
            .await;
        assert_eq!(
            response.auth_error(),
            (401, "no_authorization".to_owned()),
            "{header:?}"
        );
    }
}

#[tokio::test]
async fn user_object_contains_no_secrets() {
    let (idp, _) = TestIdp::with_clock();
    let session = idp.sign_up("ada@example.com").await;
    let body = idp.user(&session).await.body;
    assert!(
        !body.contains("argon2") && !body.contains(PASSWORD),
        "{body}"
    );
    assert!(!session.to_string().contains("argon2"));
}
