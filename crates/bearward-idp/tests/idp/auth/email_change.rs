//! Changes of the email address: one confirmation, or two where users confirm their address.

use bearward_idp::AuthOptions;
use serde_json::{Value, json};

use super::mail::{follow, inbox};
use crate::fixture::{self, JSON, PASSWORD, TestIdp, text};

async fn change(idp: &TestIdp, session: &Value, email: &str) {
    let bearer = format!("Bearer {}", text(session, "access_token"));
    let headers = [JSON, ("authorization", bearer.as_str())];
    let body = json!({ "email": email }).to_string();
    let response = idp.send("PUT /auth/v1/user", &headers, &body).await;
    assert_eq!(response.status, 200, "{}", response.body);
}

/// Returns the last mail about a change to this address.
async fn mail_to(idp: &TestIdp, email: &str) -> Value {
    let mails = inbox(idp).await.into_iter();
    let mut mails = mails.filter(|it| it["type"] == "email_change" && it["to"] == email);
    mails.next().unwrap_or_else(|| panic!("no mail to {email}"))
}

async fn email(idp: &TestIdp, session: &Value) -> (String, Option<String>) {
    let user = idp.user(session).await.json();
    let new_email = user["new_email"].as_str().map(str::to_owned);
    (text(&user, "email").to_owned(), new_email)
}

/// Starts with confirmation of addresses, and returns the session of a confirmed user.
async fn confirming() -> (TestIdp, Value) {
    let (idp, _) = TestIdp::with_auth(AuthOptions {
        confirm_email: true,
        ..fixture::auth_options()
    });
    let credentials = json!({ "email": "old@example.com", "password": PASSWORD });
    idp.auth_post("/signup", credentials.clone()).await;
    let mail = inbox(&idp).await.remove(0);
    follow(&idp, &mail).await;
    let session = idp
        .auth_post("/token?grant_type=password", credentials)
        .await;
    (idp, session.json())
}

#[tokio::test]
async fn both_addresses_confirm_in_any_order() {
    for order in [["old", "new"], ["new", "old"]] {
        let (idp, session) = confirming().await;
        change(&idp, &session, "new@example.com").await;
        let waiting = (
            "old@example.com".to_owned(),
            Some("new@example.com".to_owned()),
        );
        let [first, second] = order.map(|name| format!("{name}@example.com"));
        let (first, second) = (mail_to(&idp, &first).await, mail_to(&idp, &second).await);
        let redirect = follow(&idp, &first).await;
        assert!(
            redirect.contains("#message=Confirmation+link+accepted"),
            "{redirect}"
        );
        assert!(!redirect.contains("access_token"), "{redirect}");
        assert_eq!(email(&idp, &session).await, waiting);
        let again = follow(&idp, &first).await;
        assert!(again.contains("otp_expired"), "{again}");
        let redirect = follow(&idp, &second).await;
        assert!(redirect.contains("#access_token="), "{redirect}");
        assert_eq!(
            email(&idp, &session).await,
            ("new@example.com".to_owned(), None)
        );
    }
}

#[tokio::test]
async fn first_code_answers_with_a_message() {
    let (idp, session) = confirming().await;
    change(&idp, &session, "new@example.com").await;
    for (to, is_last) in [("old@example.com", false), ("new@example.com", true)] {
        let mail = mail_to(&idp, to).await;
        let body = json!({ "type": "email_change", "email": to, "token": mail["code"] });
        let response = idp.auth_post("/verify", body).await;
        assert_eq!(response.status, 200, "{}", response.body);
        let body = response.json();
        assert_eq!(body.get("access_token").is_some(), is_last, "{body}");
        assert_eq!(body.get("msg").is_some(), !is_last, "{body}");
    }
    assert_eq!(email(&idp, &session).await.0, "new@example.com");
}

#[tokio::test]
async fn another_change_invalidates_the_first_one() {
    let (idp, session) = confirming().await;
    change(&idp, &session, "one@example.com").await;
    let old = [
        mail_to(&idp, "one@example.com").await,
        mail_to(&idp, "old@example.com").await,
    ];
    follow(&idp, &old[1]).await;
    change(&idp, &session, "two@example.com").await;
    for mail in &old {
        let redirect = follow(&idp, mail).await;
        assert!(redirect.contains("otp_expired"), "{redirect}");
    }
    let redirect = follow(&idp, &mail_to(&idp, "two@example.com").await).await;
    assert!(
        redirect.contains("#message="),
        "the earlier confirmation does not count: {redirect}"
    );
}

#[tokio::test]
async fn one_confirmation_suffices_without_confirmation_of_addresses() {
    for name in ["old", "new"] {
        let (idp, _) = TestIdp::with_clock();
        let session = idp.sign_up("old@example.com").await;
        change(&idp, &session, "new@example.com").await;
        let mails = [
            mail_to(&idp, "old@example.com").await,
            mail_to(&idp, "new@example.com").await,
        ];
        let used = mails
            .iter()
            .find(|it| text(it, "to").starts_with(name))
            .unwrap();
        assert!(
            follow(&idp, used).await.contains("#access_token="),
            "{name}"
        );
        assert_eq!(
            email(&idp, &session).await,
            ("new@example.com".to_owned(), None)
        );
        for mail in &mails {
            assert!(follow(&idp, mail).await.contains("otp_expired"), "{name}");
        }
    }
}

#[tokio::test]
async fn address_that_was_taken_meanwhile_is_not_assigned() {
    let (idp, _) = TestIdp::with_clock();
    let session = idp.sign_up("old@example.com").await;
    change(&idp, &session, "new@example.com").await;
    let mail = mail_to(&idp, "old@example.com").await;
    idp.sign_up("new@example.com").await;
    assert!(follow(&idp, &mail).await.contains("otp_expired"));
    assert_eq!(email(&idp, &session).await.0, "old@example.com");
}

#[tokio::test]
async fn new_password_cancels_the_change() {
    let (idp, session) = confirming().await;
    change(&idp, &session, "new@example.com").await;
    let mail = mail_to(&idp, "new@example.com").await;
    let bearer = format!("Bearer {}", text(&session, "access_token"));
    let headers = [JSON, ("authorization", bearer.as_str())];
    let body = json!({ "password": "another horse" }).to_string();
    let user = idp.send("PUT /auth/v1/user", &headers, &body).await.json();
    assert!(user.get("new_email").is_none(), "{user}");
    assert!(follow(&idp, &mail).await.contains("otp_expired"));
}

#[tokio::test]
async fn anonymous_user_confirms_only_the_new_address() {
    let (idp, _) = TestIdp::with_auth(AuthOptions {
        confirm_email: true,
        ..fixture::auth_options()
    });
    let session = idp.auth_post("/signup", json!({})).await.json();
    change(&idp, &session, "new@example.com").await;
    let redirect = follow(&idp, &mail_to(&idp, "new@example.com").await).await;
    assert!(redirect.contains("#access_token="), "{redirect}");
    let user = idp.user(&session).await.json();
    assert_eq!(
        (text(&user, "email"), &user["is_anonymous"]),
        ("new@example.com", &json!(false))
    );
}
