//! The caller's token and all of its claims, for calls to other services and for databases.

use bearward::Principal;
use serde_json::{Value, json};
use test_support::raw_http::get;

use actix_web::web;

use crate::test_app::TestApp;

async fn token(user: Principal) -> String {
    user.token().to_owned()
}

async fn claims(user: Principal) -> String {
    user.claims_json()
}

#[actix_web::test]
async fn principals_have_the_token_that_was_sent() {
    for entries in [0, 10] {
        let app = TestApp::start_with(|builder| builder.token_cache(entries)).await;
        let server = app.serve(|config| {
            config
                .route("/token", web::get().to(token))
                .route("/claims", web::get().to(claims));
        });
        let tokens = ["ada", "bob"].map(|subject| app.token().sub(subject).sign());
        // Several times, so that each level of the cache answers.
        for _ in 0..4 {
            for token in &tokens {
                let response = server.send(get("/token").bearer(token)).await;
                assert_eq!(response.body, *token, "cache of {entries}");
            }
        }
        let signed = app
            .token()
            .sub("ada")
            .claim("department", json!({"id": [1, "é"]}));
        let response = server
            .send(get("/claims").bearer(&signed.clone().sign()))
            .await;
        let found: Value = serde_json::from_str(&response.body).unwrap();
        assert_eq!(found, Value::Object(signed.claims().clone()));
    }
}

#[actix_web::test]
async fn debug_does_not_print_the_token() {
    let app = TestApp::start().await;
    let token = app.valid_token();
    let user = app.auth.verify(&token).await.unwrap();
    for part in token.split('.') {
        assert!(!format!("{user:?} {:?}", app.auth).contains(part));
    }
    assert_eq!(user.canonical_issuer(), app.idp.issuer());
}
