//! The limit of mails, and reauthentication.

use std::time::Duration;

use bearward_idp::AuthOptions;
use serde_json::{Value, json};

use super::mail::inbox;
use crate::fixture::{self, JSON, PASSWORD, TestIdp, TestResponse, text};

async fn authorized(idp: &TestIdp, line: &str, session: &Value, body: Value) -> TestResponse {
    let bearer = format!("Bearer {}", text(session, "access_token"));
    let headers = [JSON, ("authorization", bearer.as_str())];
    idp.send(line, &headers, &body.to_string()).await
}

fn limited() -> (u16, String) {
    (429, "over_email_send_rate_limit".to_owned())
}

#[tokio::test]
async fn second_mail_of_a_kind_waits_for_the_interval() {
    let (idp, clock) = TestIdp::with_auth(AuthOptions::default());
    idp.sign_up("ada@example.com").await;
    let body = json!({ "email": "ada@example.com" });
    assert_eq!(idp.auth_post("/recover", body.clone()).await.status, 200);
    clock.advance(Duration::from_millis(20_500));
    // A magic link and a password reset share the limit.
    for path in ["/recover", "/otp", "/magiclink"] {
        let response = idp.auth_post(path, body.clone()).await;
        assert_eq!(response.auth_error(), limited(), "{path}");
        assert_eq!(
            text(&response.json(), "msg"),
            "For security purposes, you can only request this after 39 seconds."
        );
    }
    assert_eq!(
        inbox(&idp).await.len(),
        1,
        "a refused request sends no mail"
    );
    let unknown = json!({ "email": "unknown@example.com" });
    for _ in 0..2 {
        assert_eq!(idp.auth_post("/recover", unknown.clone()).await.status, 200);
    }
    clock.advance(Duration::from_millis(39_500));
    assert_eq!(idp.auth_post("/otp", body).await.status, 200);
}

#[tokio::test]
async fn confirmations_are_limited() {
    let (idp, clock) = TestIdp::with_auth(AuthOptions {
        confirm_email: true,
        mail_interval: Duration::from_secs(10),
        ..AuthOptions::default()
    });
    let sign_up = json!({ "email": "ada@example.com", "password": PASSWORD });
    let resend = json!({ "email": "ada@example.com", "type": "signup" });
    assert_eq!(idp.auth_post("/signup", sign_up.clone()).await.status, 200);
    assert_eq!(
        idp.auth_post("/signup", sign_up).await.auth_error(),
        limited()
    );
    assert_eq!(
        idp.auth_post("/resend", resend.clone()).await.auth_error(),
        limited()
    );
    clock.advance(Duration::from_secs(10));
    assert_eq!(idp.auth_post("/resend", resend).await.status, 200);
}

#[tokio::test]
async fn limited_change_of_address_changes_nothing() {
    let (idp, clock) = TestIdp::with_auth(AuthOptions::default());
    let session = idp.sign_up("ada@example.com").await;
    let line = "PUT /auth/v1/user";
    let change = |email: &str| json!({ "email": email, "data": { "theme": email } });
    let first = authorized(&idp, line, &session, change("one@example.com")).await;
    assert_eq!(first.status, 200, "{}", first.body);
    let second = authorized(&idp, line, &session, change("two@example.com")).await;
    assert_eq!(second.auth_error(), limited());
    let user = idp.user(&session).await.json();
    assert_eq!(user["new_email"], "one@example.com");
    assert_eq!(user["user_metadata"]["theme"], "one@example.com");
    clock.advance(Duration::from_secs(60));
    assert_eq!(
        authorized(&idp, line, &session, change("two@example.com"))
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn reauthentication_sends_a_code_without_a_link() {
    let (idp, _) = TestIdp::with_auth(AuthOptions::default());
    let session = idp.sign_up("ada@example.com").await;
    let line = "GET /auth/v1/reauthenticate";
    let sent = authorized(&idp, line, &session, json!({})).await;
    assert_eq!((sent.status, sent.json()), (200, json!({})));
    let mail = inbox(&idp).await.remove(0);
    assert_eq!(
        (text(&mail, "type"), text(&mail, "to")),
        ("reauthentication", "ada@example.com")
    );
    assert_eq!(mail["link"], Value::Null);
    assert!(idp.user(&session).await.json()["reauthentication_sent_at"].is_string());
    assert_eq!(
        authorized(&idp, line, &session, json!({}))
            .await
            .auth_error(),
        limited()
    );
    for kind in ["email", "signup", "recovery", "reauthentication"] {
        let body = json!({ "type": kind, "email": "ada@example.com", "token": mail["code"] });
        let expected = (403, "otp_expired".to_owned());
        assert_eq!(
            idp.auth_post("/verify", body).await.auth_error(),
            expected,
            "{kind}"
        );
    }
    let anonymous = idp.auth_post("/signup", json!({})).await.json();
    let response = authorized(&idp, line, &anonymous, json!({})).await;
    assert_eq!(response.auth_error(), (400, "validation_failed".to_owned()));
    assert_eq!(
        idp.get("/auth/v1/reauthenticate").await.auth_error(),
        (401, "no_authorization".to_owned())
    );
}

#[tokio::test]
async fn secure_password_change_needs_the_code_after_a_day() {
    let (idp, clock) = TestIdp::with_auth(AuthOptions {
        secure_password_change: true,
        token_lifetime: Duration::from_secs(3 * 24 * 3600),
        ..fixture::auth_options()
    });
    let session = idp.sign_up("ada@example.com").await;
    let line = "PUT /auth/v1/user";
    let change = |password: &str, nonce: Value| json!({ "password": password, "nonce": nonce });
    let recent = authorized(&idp, line, &session, change("first horse", Value::Null)).await;
    assert_eq!(recent.status, 200, "{}", recent.body);
    clock.advance(Duration::from_secs(24 * 3600 + 1));
    let needed = authorized(&idp, line, &session, change("second horse", Value::Null)).await;
    assert_eq!(
        needed.auth_error(),
        (400, "reauthentication_needed".to_owned())
    );
    authorized(&idp, "GET /auth/v1/reauthenticate", &session, json!({})).await;
    let code = inbox(&idp).await.remove(0)["code"].clone();
    let wrong = if code == "000000" { "000001" } else { "000000" };
    let invalid = authorized(&idp, line, &session, change("second horse", wrong.into())).await;
    assert_eq!(
        invalid.auth_error(),
        (422, "reauthentication_not_valid".to_owned())
    );
    let changed = authorized(&idp, line, &session, change("second horse", code.clone())).await;
    assert_eq!(changed.status, 200, "{}", changed.body);
    let again = authorized(&idp, line, &session, change("third horse", code)).await;
    assert_eq!(
        again.auth_error(),
        (422, "reauthentication_not_valid".to_owned()),
        "a code is used once"
    );
}
