//! Linking and unlinking of identities.

use bearward_idp::AuthOptions;
use serde_json::{Value, json};
use url::Url;

use super::consent::{ConsentPage, finish_page};
use crate::fixture::{self, JSON, TestIdp, TestResponse, text};

fn linking() -> TestIdp {
    let (idp, _) = TestIdp::with_auth(AuthOptions {
        manual_linking: true,
        ..fixture::auth_options()
    });
    idp
}

async fn send(idp: &TestIdp, line: &str, session: &Value) -> TestResponse {
    let bearer = format!("Bearer {}", text(session, "access_token"));
    idp.send(line, &[JSON, ("authorization", bearer.as_str())], "")
        .await
}

/// Links the Google identity of this address, and returns the redirect to the app.
async fn link(idp: &TestIdp, session: &Value, email: &str) -> Url {
    let line = "GET /auth/v1/user/identities/authorize?provider=google\
                &redirect_to=http://localhost:3000/back&skip_http_redirect=true";
    let response = send(idp, line, session).await;
    assert_eq!(response.status, 200, "{}", response.body);
    let url = response.json();
    let path = text(&url, "url")
        .strip_prefix(&idp.base())
        .unwrap()
        .to_owned();
    finish_page(
        idp,
        &ConsentPage::show(idp, &path).await,
        &[("email", email)],
    )
    .await
}

fn error_code(address: &Url) -> Option<String> {
    let mut pairs = address.query_pairs();
    pairs.find_map(|(name, value)| (name == "error_code").then(|| value.into_owned()))
}

#[tokio::test]
async fn linked_identity_signs_in_to_the_same_user() {
    let idp = linking();
    let session = idp.sign_up("ada@example.com").await;
    let back = link(&idp, &session, "work@example.com").await;
    assert!(back.fragment().unwrap().contains("access_token="), "{back}");
    let user = idp.user(&session).await.json();
    assert_eq!(text(&user, "email"), "ada@example.com");
    assert_eq!(
        user["app_metadata"]["providers"],
        json!(["email", "google"])
    );
    let credential = json!({ "email": "work@example.com" });
    let token = idp
        .send_json("POST /google/credential", &credential.to_string())
        .await
        .json();
    let body = json!({ "provider": "google", "id_token": token["credential"] });
    let signed_in = idp
        .auth_post("/token?grant_type=id_token", body)
        .await
        .json();
    assert_eq!(signed_in["user"]["id"], user["id"]);
    let again = link(&idp, &session, "work@example.com").await;
    assert_eq!(
        error_code(&again).as_deref(),
        Some("identity_already_exists")
    );
    let other = idp.sign_up("eve@example.com").await;
    let stolen = link(&idp, &other, "work@example.com").await;
    assert_eq!(
        error_code(&stolen).as_deref(),
        Some("identity_already_exists")
    );
}

#[tokio::test]
async fn unlinking_keeps_one_identity() {
    let idp = linking();
    let session = idp.sign_up("ada@example.com").await;
    link(&idp, &session, "work@example.com").await;
    let user = idp.user(&session).await.json();
    let line = |index: usize| {
        let id = text(&user["identities"][index], "identity_id");
        format!("DELETE /auth/v1/user/identities/{id}")
    };
    // The user keeps an address: without its own identity, that of the other one.
    let removed = send(&idp, &line(0), &session).await;
    assert_eq!((removed.status, removed.json()), (200, json!({})));
    let user = idp.user(&session).await.json();
    assert_eq!(text(&user, "email"), "work@example.com");
    assert_eq!(
        user["app_metadata"],
        json!({ "provider": "google", "providers": ["google"] })
    );
    let last = send(&idp, &line(1), &session).await;
    assert_eq!(
        last.auth_error(),
        (422, "single_identity_not_deletable".to_owned())
    );
}

#[tokio::test]
async fn unlinking_checks_the_identity() {
    let idp = linking();
    let session = idp.sign_up("ada@example.com").await;
    link(&idp, &session, "work@example.com").await;
    for (id, expected) in [
        ("x", (404, "validation_failed")),
        (
            "00000000-0000-4000-8000-000000000000",
            (422, "identity_not_found"),
        ),
    ] {
        let line = format!("DELETE /auth/v1/user/identities/{id}");
        let (status, code) = send(&idp, &line, &session).await.auth_error();
        assert_eq!((status, code.as_str()), expected);
    }
    // The address of the remaining identity belongs to another user meanwhile.
    idp.sign_up("work@example.com").await;
    let user = idp.user(&session).await.json();
    let id = text(&user["identities"][0], "identity_id");
    let line = format!("DELETE /auth/v1/user/identities/{id}");
    let conflict = send(&idp, &line, &session).await.auth_error();
    assert_eq!(
        conflict,
        (422, "email_conflict_identity_not_deletable".to_owned())
    );
}

#[tokio::test]
async fn linking_converts_an_anonymous_user() {
    let idp = linking();
    idp.sign_up("ada@example.com").await;
    let session = idp.auth_post("/signup", json!({})).await.json();
    let taken = link(&idp, &session, "ada@example.com").await;
    assert_eq!(error_code(&taken).as_deref(), Some("email_exists"));
    link(&idp, &session, "new@example.com").await;
    let user = idp.user(&session).await.json();
    assert_eq!(user["id"], session["user"]["id"]);
    assert_eq!(
        (text(&user, "email"), &user["is_anonymous"]),
        ("new@example.com", &json!(false))
    );
}

#[tokio::test]
async fn linking_is_disabled_by_default_and_needs_a_token() {
    let (idp, _) = TestIdp::with_clock();
    let session = idp.sign_up("ada@example.com").await;
    for line in [
        "GET /auth/v1/user/identities/authorize?provider=google",
        "DELETE /auth/v1/user/identities/00000000-0000-4000-8000-000000000000",
    ] {
        let response = send(&idp, line, &session).await;
        assert_eq!(
            response.auth_error(),
            (404, "manual_linking_disabled".to_owned()),
            "{line}"
        );
        let response = linking().send(line, &[], "").await;
        assert_eq!(
            response.auth_error(),
            (401, "no_authorization".to_owned()),
            "{line}"
        );
    }
}
