//! The two forms of a refusal, and bodies that are none.

use serde_json::json;

use super::{post, refusal, start};
use crate::http::{JSON, send};

const LINE: &str = "POST /auth/v1/token?grant_type=password";

#[tokio::test]
async fn the_form_follows_the_version_that_is_asked_for() {
    let (idp, _) = start();
    let body = r#"{"email": "ada@example.com", "password": "wrong horse"}"#;
    for version in ["2024-01-01", "2024-01-02", "2099-12-31"] {
        let answer = send(
            &idp,
            LINE,
            &[JSON, ("x-supabase-api-version", version)],
            body,
        )
        .await;
        assert_eq!(
            answer.json(),
            json!({ "code": "invalid_credentials", "message": "Invalid login credentials" })
        );
        assert_eq!(
            answer.header("x-supabase-api-version"),
            Some("2024-01-01"),
            "the client shows no code without it"
        );
        assert_eq!(
            answer.header("x-sb-error-code"),
            Some("invalid_credentials")
        );
    }
    for version in ["2023-12-31", "latest", "2024-1-1", "2024-01-01x", ""] {
        let answer = send(
            &idp,
            LINE,
            &[JSON, ("x-supabase-api-version", version)],
            body,
        )
        .await;
        assert_eq!(
            refusal(&answer),
            (400, "invalid_credentials".to_owned()),
            "{version}"
        );
        assert_eq!(answer.header("x-supabase-api-version"), None);
    }
}

#[tokio::test]
async fn a_weak_password_names_its_reasons_in_both_forms() {
    let (idp, _) = start();
    let body = r#"{"email": "ada@example.com", "password": "12345"}"#;
    for version in ["2024-01-01", ""] {
        let answer = send(
            &idp,
            "POST /auth/v1/signup",
            &[JSON, ("x-supabase-api-version", version)],
            body,
        )
        .await;
        assert_eq!(answer.status, 422);
        assert_eq!(answer.json()["weak_password"]["reasons"], json!(["length"]));
        assert!(!answer.body.contains("12345"), "{}", answer.body);
    }
}

#[tokio::test]
async fn a_body_that_is_none_is_refused_before_it_is_read_further() {
    let (idp, _) = start();
    for (headers, body, expected) in [
        (vec![JSON], "{", (400, "bad_json")),
        (vec![JSON], "[]", (400, "bad_json")),
        (vec![JSON], "", (400, "bad_json")),
        (vec![JSON], r#"{"email": 1}"#, (400, "bad_json")),
        (
            vec![("content-type", "text/plain")],
            "{}",
            (400, "bad_json"),
        ),
        (vec![], "{}", (400, "bad_json")),
    ] {
        let (status, code) = refusal(&send(&idp, LINE, &headers, body).await);
        assert_eq!((status, &*code), expected, "{body}");
    }
    let fits = format!(r#"{{"email": "{}"}}"#, "x".repeat(262_144 - 13));
    assert_eq!(
        refusal(&send(&idp, LINE, &[JSON], &fits).await),
        (400, "invalid_credentials".to_owned())
    );
    assert_eq!(
        refusal(&send(&idp, LINE, &[JSON], &format!("{fits} ")).await),
        (413, "request_entity_too_large".to_owned())
    );
}

#[tokio::test]
async fn unknown_members_are_ignored_and_null_is_absence() {
    let (idp, _) = start();
    let body = json!({
        "email": "ada@example.com", "password": "correct horse", "gotrue_meta_security": { "captcha_token": "x" }, "data": null,
        "code_challenge": null, "code_challenge_method": null,
    });
    assert_eq!(post(&idp, "/signup", body).await.status, 200);
}

#[tokio::test]
async fn another_grant_is_refused_as_the_hosted_service_does() {
    let (idp, _) = start();
    for path in [
        "/token",
        "/token?grant_type=",
        "/token?grant_type=client_credentials",
    ] {
        assert_eq!(
            refusal(&post(&idp, path, json!({})).await),
            (400, "invalid_credentials".to_owned()),
            "{path}"
        );
    }
    assert_eq!(
        refusal(&post(&idp, "/token?grant_type=%ff", json!({})).await).0,
        400
    );
}
