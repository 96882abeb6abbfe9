//! `/api/auth/google`.

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    database::number,
    world::{Answer, GOOGLE, Json, World, send},
};

async fn sign_in(world: &World, body: &Value) -> Answer {
    send(world.request(Method::POST, "/api/auth/google").json(body)).await
}

fn credential(world: &World, spelling: &str) -> bearward_testing::TokenBuilder {
    let token = world.google.token().sub("google-ada").issuer(spelling);
    token
        .claim("email", "ada@gmail.com")
        .claim("email_verified", true)
        .claim("name", "Ada")
        .claim("picture", "https://x.example/a.png")
}

#[tokio::test]
async fn a_google_id_token_signs_in_under_both_spellings_of_its_issuer() {
    let world = World::start().await;
    let mut ids = Vec::new();
    for spelling in GOOGLE {
        let body = json!({ "credential": credential(&world, spelling).sign() });
        let login = sign_in(&world, &body).await.expect(200);
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
    assert_eq!(ids[0], ids[1], "one person, however the issuer is spelled");
    assert_eq!(
        number(&world.database, "SELECT COUNT(*) FROM users").await,
        1
    );
}

#[tokio::test]
async fn what_a_client_says_of_the_user_is_not_looked_at() {
    let world = World::start().await;
    let user =
        json!({"id": "1", "email": "boss@example.com", "name": "Boss", "sub": "somebody-else"});
    let body = json!({ "credential": credential(&world, GOOGLE[0]).sign(), "user": user });
    let login = sign_in(&world, &body).await.expect(200);
    assert_eq!(
        (&login["user"]["email"], &login["user"]["googleId"]),
        (&json!("ada@gmail.com"), &json!("google-ada"))
    );
}

#[tokio::test]
async fn a_credential_that_does_not_verify_is_401_with_a_challenge() {
    let world = World::start().await;
    let good = || credential(&world, GOOGLE[0]);
    let cases = [
        ("INVALID_SIGNATURE", good().tampered()),
        ("TOKEN_EXPIRED", good().expired().sign()),
        ("INVALID_AUDIENCE", good().audience("another-client").sign()),
        (
            "UNKNOWN_ISSUER",
            good().issuer("https://accounts.google.com/").sign(),
        ),
        ("UNKNOWN_ISSUER", world.token("ada").sign()),
        ("MALFORMED_TOKEN", "no token".to_owned()),
    ];
    for (code, credential) in cases {
        let answer = sign_in(&world, &json!({ "credential": credential })).await;
        answer.refuses(401, code);
        assert!(
            answer.header("www-authenticate").starts_with("Bearer "),
            "{answer:?}"
        );
    }
    assert_eq!(
        number(&world.database, "SELECT COUNT(*) FROM users").await,
        0
    );
}

#[tokio::test]
async fn a_credential_is_no_bearer_token() {
    let world = World::start().await;
    let token = credential(&world, GOOGLE[0]).sign();
    for path in ["/api/auth/me", "/api/status", "/protected"] {
        world.get(path, &token).await.refuses(401, "UNKNOWN_ISSUER");
    }
}

#[tokio::test]
async fn a_body_without_a_credential_is_told_what_is_missing() {
    let world = World::start().await;
    for (body, problem) in [
        (json!({}), "is missing"),
        (json!({"credential": 7}), "must be a string"),
        (json!({"credential": null}), "must be a string"),
        (json!({"credential": ""}), "must not be empty"),
    ] {
        let told = sign_in(&world, &body).await.invalid();
        assert_eq!(told, [("credential".to_owned(), problem.to_owned())]);
    }
}

#[tokio::test]
async fn the_sign_in_address_is_the_issuers_and_leads_back_to_listed_origins_only() {
    let world = World::start().await;
    let ask = async |query: &str| {
        send(world.request(Method::GET, &format!("/api/auth/google{query}"))).await
    };
    let url = ask("?redirect_to=http%3A%2F%2Flocalhost%3A3000%2Fauth%2Fcallback%3Fnext%3D%2Fx")
        .await
        .expect(200)["url"]
        .clone();
    let url: url::Url = url.as_str().unwrap().parse().unwrap();
    assert!(
        url.as_str().starts_with(&format!(
            "{}/authorize?provider=google&",
            world.idp.issuer()
        )),
        "{url}"
    );
    let back = url
        .query_pairs()
        .find(|(name, _)| name == "redirect_to")
        .unwrap()
        .1
        .into_owned();
    assert_eq!(back, "http://localhost:3000/auth/callback?next=/x");
    assert!(
        !ask("").await.expect(200)["url"]
            .as_str()
            .unwrap()
            .contains("redirect_to")
    );
    for wrong in [
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
            .append_pair("redirect_to", wrong)
            .finish();
        let told = ask(&format!("?{query}")).await.invalid();
        assert_eq!(told[0].0, "redirect_to", "{wrong}");
    }
}
