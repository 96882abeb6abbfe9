//! Captured mails: lifetime of links and codes, and access to the inbox.

use std::time::Duration;

use bearward_idp::AuthOptions;
use serde_json::{Value, json};

use crate::fixture::{self, TestIdp, TestResponse, text};

pub(super) async fn inbox(idp: &TestIdp) -> Vec<Value> {
    idp.get("/.inbox").await.json()["mails"]
        .as_array()
        .unwrap()
        .clone()
}

/// Follows the link of a mail and returns the redirect target.
pub(super) async fn follow(idp: &TestIdp, mail: &Value) -> String {
    let response = idp
        .get(text(mail, "link").strip_prefix(&idp.base()).unwrap())
        .await;
    assert_eq!(response.status, 303, "{}", response.body);
    response.header("location").unwrap().to_owned()
}

#[tokio::test]
async fn link_is_valid_for_one_hour_and_one_use() {
    for (elapsed_ms, is_valid) in [(3_600_000, true), (3_600_001, false)] {
        let (idp, clock) = TestIdp::with_clock();
        idp.sign_up("ada@example.com").await;
        idp.auth_post("/recover", json!({ "email": "ada@example.com" }))
            .await;
        let mail = inbox(&idp).await.remove(0);
        clock.advance(Duration::from_millis(elapsed_ms));
        assert_eq!(
            follow(&idp, &mail).await.contains("#access_token="),
            is_valid,
            "{elapsed_ms}"
        );
        let again = follow(&idp, &mail).await;
        assert!(
            again.contains("error_code=otp_expired") && !again.contains("access_token"),
            "{again}"
        );
    }
}

#[tokio::test]
async fn head_request_does_not_use_the_link() {
    let (idp, _) = TestIdp::with_clock();
    idp.auth_post("/otp", json!({ "email": "ada@example.com" }))
        .await;
    let mail = inbox(&idp).await.remove(0);
    let path = text(&mail, "link").strip_prefix(&idp.base()).unwrap();
    assert_eq!(idp.send(&format!("HEAD {path}"), &[], "").await.status, 405);
    assert!(follow(&idp, &mail).await.contains("#access_token="));
}

#[tokio::test]
async fn link_redirects_only_to_allowed_addresses() {
    let (idp, _) = TestIdp::with_clock();
    idp.sign_up("ada@example.com").await;
    idp.auth_post(
        "/recover?redirect_to=https://attacker.invalid/",
        json!({ "email": "ada@example.com" }),
    )
    .await;
    let mail = inbox(&idp).await.remove(0);
    assert!(
        follow(&idp, &mail)
            .await
            .starts_with("http://localhost:3000/#")
    );
    // The same for a modified link.
    idp.auth_post("/recover", json!({ "email": "ada@example.com" }))
        .await;
    let mail = inbox(&idp)
        .await
        .into_iter()
        .find(|mail| mail["used"] == false)
        .unwrap();
    let changed = text(&mail, "link").replace(
        "http%3A%2F%2Flocalhost%3A3000%2F",
        "https%3A%2F%2Fattacker.invalid%2F",
    );
    assert!(changed.contains("attacker"), "{changed}");
    assert!(
        follow(&idp, &json!({ "link": changed }))
            .await
            .starts_with("http://localhost:3000/#")
    );
}

#[tokio::test]
async fn tenth_wrong_code_invalidates_the_mail() {
    for (wrong_codes, is_valid) in [(9, true), (10, false)] {
        let (idp, _) = TestIdp::with_clock();
        idp.auth_post("/otp", json!({ "email": "ada@example.com" }))
            .await;
        let mail = inbox(&idp).await.remove(0);
        let right = text(&mail, "code");
        let wrong = if right == "000000" {
            "000001"
        } else {
            "000000"
        };
        let verify =
            |code: &str| json!({ "type": "email", "email": "ada@example.com", "token": code });
        for _ in 0..wrong_codes {
            assert_eq!(
                idp.auth_post("/verify", verify(wrong)).await.auth_error(),
                (403, "otp_expired".to_owned())
            );
        }
        assert_eq!(
            idp.auth_post("/verify", verify(right)).await.status == 200,
            is_valid,
            "{wrong_codes}"
        );
    }
}

#[tokio::test]
async fn code_of_another_user_or_type_is_rejected() {
    let (idp, _) = TestIdp::with_clock();
    for email in ["ada@example.com", "eve@example.com"] {
        idp.auth_post("/otp", json!({ "email": email })).await;
    }
    let mails = inbox(&idp).await;
    let mail_to = |email: &str| mails.iter().find(|mail| mail["to"] == email).unwrap();
    let (ada, eve) = (mail_to("ada@example.com"), mail_to("eve@example.com"));
    if ada["code"] != eve["code"] {
        let crossed = json!({ "type": "email", "email": "ada@example.com", "token": eve["code"] });
        assert_eq!(
            idp.auth_post("/verify", crossed).await.auth_error(),
            (403, "otp_expired".to_owned())
        );
    }
    for (kind, expected) in [
        ("signup", (403, "otp_expired")),
        ("email_change", (403, "otp_expired")),
        ("sms", (400, "validation_failed")),
    ] {
        let (status, code) = idp
            .auth_post(
                "/verify",
                json!({ "type": kind, "token_hash": ada["token_hash"] }),
            )
            .await
            .auth_error();
        assert_eq!((status, &*code), expected, "{kind}");
    }
    assert_eq!(
        idp.auth_post(
            "/verify",
            json!({ "type": "magiclink", "token_hash": ada["token_hash"] })
        )
        .await
        .status,
        200
    );
}

#[tokio::test]
async fn responses_do_not_reveal_existing_accounts() {
    let (idp, _) = TestIdp::with_auth(AuthOptions {
        confirm_email: true,
        ..fixture::auth_options()
    });
    let sign_up = |email: &str| json!({ "email": email, "password": "correct horse" });
    idp.auth_post("/signup", sign_up("ada@example.com")).await;
    let mail = inbox(&idp).await.remove(0);
    follow(&idp, &mail).await;
    let known = idp
        .auth_post("/recover", json!({ "email": "ada@example.com" }))
        .await;
    let unknown = idp
        .auth_post("/recover", json!({ "email": "unknown@example.com" }))
        .await;
    assert_eq!((known.status, known.body), (unknown.status, unknown.body));
    let members = |response: &TestResponse| {
        response
            .json()
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect::<Vec<_>>()
    };
    let known = idp.auth_post("/signup", sign_up("ada@example.com")).await;
    let unknown = idp
        .auth_post("/signup", sign_up("unknown@example.com"))
        .await;
    assert_eq!(
        (known.status, members(&known)),
        (unknown.status, members(&unknown))
    );
}

#[tokio::test]
async fn inbox_rejects_foreign_origins_and_hosts() {
    let (idp, _) = TestIdp::with_clock();
    for headers in [
        [("origin", "https://attacker.invalid")],
        [("host", "attacker.invalid")],
        [("origin", "null")],
    ] {
        for line in ["GET /.inbox", "DELETE /.inbox"] {
            let response = idp.send(line, &headers, "").await;
            assert_eq!(
                response.error(),
                (403, "ORIGIN_REFUSED".to_owned()),
                "{line} {headers:?}"
            );
        }
    }
    let response = idp
        .send("GET /.inbox", &[("origin", "http://localhost:3000")], "")
        .await;
    assert_eq!(
        (
            response.status,
            response.header("access-control-allow-origin")
        ),
        (200, None)
    );
}
