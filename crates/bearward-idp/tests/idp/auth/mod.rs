//! The auth API: what `tests/supabase_js` drives with the real client, here at its limits, with a
//! clock that is moved.

mod consent;
mod data;
mod errors;
mod google;
mod mails;
mod origins;
mod people;
mod sessions;
mod sign_in;

use std::sync::Arc;

use bearward_idp::{AuthOptions, Idp, Options};
use bearward_testing::TestClock;
use serde_json::{Value, json};

use crate::http::{Answer, JSON, send};

const PASSWORD: &str = "correct horse";

/// An IdP whose time stands until it is moved.
fn start_with(auth: AuthOptions) -> (Idp, TestClock) {
    let clock = TestClock::new();
    let auth = AuthOptions {
        clock: Arc::new(clock.clone()),
        ..auth
    };
    (
        Idp::start(Options {
            auth,
            ..crate::options()
        })
        .unwrap(),
        clock,
    )
}

fn start() -> (Idp, TestClock) {
    start_with(AuthOptions::default())
}

/// `path` is below the issuer.
async fn post(idp: &Idp, path: &str, body: Value) -> Answer {
    send(
        idp,
        &format!("POST /auth/v1{path}"),
        &[JSON],
        &body.to_string(),
    )
    .await
}

async fn sign_up(idp: &Idp, email: &str) -> Value {
    let answer = post(
        idp,
        "/signup",
        json!({ "email": email, "password": PASSWORD }),
    )
    .await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()
}

async fn refresh(idp: &Idp, token: &str) -> Answer {
    post(
        idp,
        "/token?grant_type=refresh_token",
        json!({ "refresh_token": token }),
    )
    .await
}

async fn user(idp: &Idp, session: &Value) -> Answer {
    let bearer = format!("Bearer {}", text(session, "access_token"));
    send(idp, "GET /auth/v1/user", &[("authorization", &bearer)], "").await
}

/// Status and code of a refusal in its first form.
fn refusal(answer: &Answer) -> (u16, String) {
    let body = answer.json();
    assert_eq!(body["code"], answer.status, "{body}");
    assert!(
        body["msg"]
            .as_str()
            .is_some_and(|message| !message.is_empty()),
        "{body}"
    );
    assert_eq!(
        answer.header("x-sb-error-code"),
        body["error_code"].as_str()
    );
    (answer.status, text(&body, "error_code").to_owned())
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name]
        .as_str()
        .unwrap_or_else(|| panic!("no {name} in {value}"))
}
