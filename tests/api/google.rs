//! `/api/auth/google`.

use reqwest::Method;
use serde_json::{Value, json};
use test_support::database::query_number;

use crate::test_app::{ApiResponse, GOOGLE, JsonBody, TestApp, send};

async fn sign_in(app: &TestApp, body: &Value) -> ApiResponse {
    send(
        app.request(Method::POST, "/api/auth/google")
            .json_body(body),
    )
    .await
}

fn credential(app: &TestApp, issuer: &str) -> bearward_testing::TokenBuilder {
    let token = app.google.token().sub("google-ada").issuer(issuer);
    token
        .claim("email", "ada@gmail.com")
        .claim("email_verified", true)
        .claim("name", "Ada")
        .claim("picture", "https://x.example/a.png")
}

#[tokio::test]
async fn a_google_id_token_signs_in_with_either_issuer() {
    let app = TestApp::start().await;
    let mut ids = Vec::new();
    for issuer in GOOGLE {
        let body = json!({ "credential": credential(&app, issuer).sign() });
        let login = sign_in(&app, &body).await.expect_status(200);
        assert_eq!(
            (&login["success"], &login["message"]),
            (&json!(true), &json!("Login successful"))
        );
        let user = &login["user"];
        assert_eq!(
            (&user["googleId"], &user["email"], &user["name"]),
            (&json!("google-ada"), &json!("ada@gmail.com"), &json!("Ada"))
        );
        assert_eq!(user["picture"], "https://x.example/a.png");
        assert!(user["createdAt"].is_string() && user["updatedAt"].is_string());
        ids.push(user["id"].to_string());
    }
    assert_eq!(ids[0], ids[1], "both issuers identify the same account");
    assert_eq!(
        query_number(&app.database, "SELECT COUNT(*) FROM users").await,
        1
    );
}

#[tokio::test]
async fn user_data_sent_by_the_client_is_ignored() {
    let app = TestApp::start().await;
    let user = json!({"id": "1", "email": "boss@example.com", "name": "Boss", "sub": "grace"});
    let body = json!({ "credential": credential(&app, GOOGLE[0]).sign(), "user": user });
    let login = sign_in(&app, &body).await.expect_status(200);
    assert_eq!(
        (&login["user"]["email"], &login["user"]["googleId"]),
        (&json!("ada@gmail.com"), &json!("google-ada"))
    );
}

#[tokio::test]
async fn an_invalid_credential_is_401_with_a_challenge() {
    let app = TestApp::start().await;
    let good = || credential(&app, GOOGLE[0]);
    let cases = [
        ("INVALID_SIGNATURE", good().tampered()),
        ("TOKEN_EXPIRED", good().expired().sign()),
        ("INVALID_AUDIENCE", good().audience("another-client").sign()),
        (
            "UNKNOWN_ISSUER",
            good().issuer("https://accounts.google.com/").sign(),
        ),
        ("UNKNOWN_ISSUER", app.token("ada").sign()),
        ("MALFORMED_TOKEN", "no token".to_owned()),
    ];
    for (code, credential) in cases {
        let response = sign_in(&app, &json!({ "credential": credential })).await;
        response.assert_error(401, code);
        assert!(
            response.header("www-authenticate").starts_with("Bearer "),
            "{response:?}"
        );
    }
    assert_eq!(
        query_number(&app.database, "SELECT COUNT(*) FROM users").await,
        0
    );
}

#[tokio::test]
async fn a_credential_is_not_accepted_as_a_bearer_token() {
    let app = TestApp::start().await;
    let token = credential(&app, GOOGLE[0]).sign();
    for path in ["/api/auth/me", "/api/status", "/protected"] {
        app.get(path, &token)
            .await
            .assert_error(401, "UNKNOWN_ISSUER");
    }
}

#[tokio::test]
async fn a_body_without_a_credential_is_a_field_error() {
    let app = TestApp::start().await;
    for (body, problem) in [
        (json!({}), "is missing"),
        (json!({"credential": 7}), "must be a string"),
        (json!({"credential": null}), "must be a string"),
        (json!({"credential": ""}), "must not be empty"),
    ] {
        let errors = sign_in(&app, &body).await.field_errors();
        assert_eq!(errors, [("credential".to_owned(), problem.to_owned())]);
    }
}

#[tokio::test]
async fn the_sign_in_url_redirects_only_to_allowed_origins() {
    let app = TestApp::start().await;
    let ask = async |query: &str| {
        send(app.request(Method::GET, &format!("/api/auth/google{query}"))).await
    };
    let url = ask("?redirect_to=http%3A%2F%2Flocalhost%3A3000%2Fauth%2Fcallback%3Fnext%3D%2Fx")
        .await
        .expect_status(200)["url"]
        .clone();
    let url: url::Url = url.as_str().unwrap().parse().unwrap();
    assert!(
        url.as_str()
            .starts_with(&format!("{}/authorize?provider=google&", app.idp.issuer())),
        "{url}"
    );
    let redirect_to = url
        .query_pairs()
        .find(|(name, _)| name == "redirect_to")
        .unwrap()
        .1
        .into_owned();
    assert_eq!(redirect_to, "http://localhost:3000/auth/callback?next=/x");
    assert!(
        !ask("").await.expect_status(200)["url"]
            .as_str()
            .unwrap()
            .contains("redirect_to")
    );
    for invalid in [
        "http://evil.example/",
        "http://localhost:3000.evil.example/",
        "http://localhost:3000@evil.example/",
        "//evil.example",
        "http://localhost:3001/",
        "https://localhost:3000/",
        "javascript:alert(1)",
        "blob:http://localhost:3000/x@evil.example",
        "/dashboard",
        "http:\\\\evil.example",
        "http://u:p@localhost:3000/",
    ] {
        let query: String = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("redirect_to", invalid)
            .finish();
        let errors = ask(&format!("?{query}")).await.field_errors();
        assert_eq!(errors[0].0, "redirect_to", "{invalid}");
    }
}
