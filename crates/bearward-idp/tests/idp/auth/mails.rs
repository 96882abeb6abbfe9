//! The inbox: links and codes, how long they are good, and who may read them.

use std::time::Duration;

use bearward_idp::{AuthOptions, Idp};
use serde_json::{Value, json};

use super::{post, refusal, sign_up, start, start_with, text};
use crate::http::{get, send};

async fn inbox(idp: &Idp) -> Vec<Value> {
    get(idp, "/.inbox").await.json()["mails"]
        .as_array()
        .unwrap()
        .clone()
}

/// Follows a mail's link, and tells where it leads.
async fn follow(idp: &Idp, mail: &Value) -> String {
    let answer = get(idp, text(mail, "link").strip_prefix(&idp.base()).unwrap()).await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    answer.header("location").unwrap().to_owned()
}

#[tokio::test]
async fn a_link_is_good_for_an_hour_and_once() {
    for (waited, good) in [(3_600_000, true), (3_600_001, false)] {
        let (idp, clock) = start();
        sign_up(&idp, "ada@example.com").await;
        post(&idp, "/recover", json!({ "email": "ada@example.com" })).await;
        let mail = inbox(&idp).await.remove(0);
        clock.advance(Duration::from_millis(waited));
        assert_eq!(
            follow(&idp, &mail).await.contains("#access_token="),
            good,
            "{waited}"
        );
        let again = follow(&idp, &mail).await;
        assert!(
            again.contains("error_code=otp_expired") && !again.contains("access_token"),
            "{again}"
        );
    }
}

#[tokio::test]
async fn a_look_at_a_link_does_not_use_it_up() {
    let (idp, _) = start();
    post(&idp, "/otp", json!({ "email": "ada@example.com" })).await;
    let mail = inbox(&idp).await.remove(0);
    let path = text(&mail, "link").strip_prefix(&idp.base()).unwrap();
    assert_eq!(
        send(&idp, &format!("HEAD {path}"), &[], "").await.status,
        405
    );
    assert!(follow(&idp, &mail).await.contains("#access_token="));
}

#[tokio::test]
async fn a_link_leads_to_no_address_that_is_not_allowed() {
    let (idp, _) = start();
    sign_up(&idp, "ada@example.com").await;
    post(
        &idp,
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
    // Nor when somebody changes the link.
    post(&idp, "/recover", json!({ "email": "ada@example.com" })).await;
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
async fn the_tenth_wrong_code_ends_it() {
    for (wrong_ones, good) in [(9, true), (10, false)] {
        let (idp, _) = start();
        post(&idp, "/otp", json!({ "email": "ada@example.com" })).await;
        let mail = inbox(&idp).await.remove(0);
        let right = text(&mail, "code");
        let wrong = if right == "000000" {
            "000001"
        } else {
            "000000"
        };
        let verify =
            |code: &str| json!({ "type": "email", "email": "ada@example.com", "token": code });
        for _ in 0..wrong_ones {
            assert_eq!(
                refusal(&post(&idp, "/verify", verify(wrong)).await),
                (403, "otp_expired".to_owned())
            );
        }
        assert_eq!(
            post(&idp, "/verify", verify(right)).await.status == 200,
            good,
            "{wrong_ones}"
        );
    }
}

#[tokio::test]
async fn a_code_of_somebody_else_or_of_another_kind_is_none() {
    let (idp, _) = start();
    for email in ["ada@example.com", "eve@example.com"] {
        post(&idp, "/otp", json!({ "email": email })).await;
    }
    let mails = inbox(&idp).await;
    let of = |email: &str| mails.iter().find(|mail| mail["to"] == email).unwrap();
    let (ada, eve) = (of("ada@example.com"), of("eve@example.com"));
    if ada["code"] != eve["code"] {
        let crossed = json!({ "type": "email", "email": "ada@example.com", "token": eve["code"] });
        assert_eq!(
            refusal(&post(&idp, "/verify", crossed).await),
            (403, "otp_expired".to_owned())
        );
    }
    for (kind, expected) in [
        ("signup", (403, "otp_expired")),
        ("email_change", (403, "otp_expired")),
        ("sms", (400, "validation_failed")),
    ] {
        let (status, code) = refusal(
            &post(
                &idp,
                "/verify",
                json!({ "type": kind, "token_hash": ada["token_hash"] }),
            )
            .await,
        );
        assert_eq!((status, &*code), expected, "{kind}");
    }
    assert_eq!(
        post(
            &idp,
            "/verify",
            json!({ "type": "magiclink", "token_hash": ada["token_hash"] })
        )
        .await
        .status,
        200
    );
}

#[tokio::test]
async fn an_answer_does_not_tell_who_has_an_account() {
    let (idp, _) = start_with(AuthOptions {
        confirm_email: true,
        ..AuthOptions::default()
    });
    let sign_up = |email: &str| json!({ "email": email, "password": "correct horse" });
    post(&idp, "/signup", sign_up("ada@example.com")).await;
    let mail = inbox(&idp).await.remove(0);
    follow(&idp, &mail).await;
    let known = post(&idp, "/recover", json!({ "email": "ada@example.com" })).await;
    let unknown = post(&idp, "/recover", json!({ "email": "nobody@example.com" })).await;
    assert_eq!((known.status, known.body), (unknown.status, unknown.body));
    let members = |answer: &crate::http::Answer| {
        answer
            .json()
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect::<Vec<_>>()
    };
    let known = post(&idp, "/signup", sign_up("ada@example.com")).await;
    let unknown = post(&idp, "/signup", sign_up("nobody@example.com")).await;
    assert_eq!(
        (known.status, members(&known)),
        (unknown.status, members(&unknown))
    );
}

#[tokio::test]
async fn no_other_page_reads_the_inbox() {
    let (idp, _) = start();
    for headers in [
        [("origin", "https://attacker.invalid")],
        [("host", "attacker.invalid")],
        [("origin", "null")],
    ] {
        for line in ["GET /.inbox", "DELETE /.inbox"] {
            let answer = send(&idp, line, &headers, "").await;
            assert_eq!(
                answer.refusal(),
                (403, "ORIGIN_REFUSED".to_owned()),
                "{line} {headers:?}"
            );
        }
    }
    let answer = send(
        &idp,
        "GET /.inbox",
        &[("origin", "http://localhost:3000")],
        "",
    )
    .await;
    assert_eq!(
        (answer.status, answer.header("access-control-allow-origin")),
        (200, None)
    );
}
