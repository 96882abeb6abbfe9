//! Custom claim types: claims that do not deserialize are an error of the token (401), not of the
//! server (500).

use actix_web::{App, HttpResponse, http::StatusCode, test, web};
use bearward::{Algorithm, Principal};
use bearward_testing::KeyPair;
use rstest::rstest;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::fixture::Fixture;

#[derive(Debug, Deserialize)]
struct Order {
    org: Organisation,
    limits: Vec<u32>,
    #[serde(default)]
    beta: bool,
}

#[derive(Debug, Deserialize)]
struct Organisation {
    id: u64,
    name: String,
}

async fn call(fixture: &Fixture, token: &str) -> (StatusCode, Value) {
    async fn route(user: Principal<Order>) -> HttpResponse {
        let Order { org, limits, beta } = user.custom();
        HttpResponse::Ok().json(json!({ "sub": user.subject(), "org": [org.id, org.name], "limits": limits, "beta": beta }))
    }
    let app = test::init_service(
        App::new()
            .app_data(fixture.auth.clone())
            .route("/", web::get().to(route)),
    )
    .await;
    let request = test::TestRequest::get()
        .uri("/")
        .insert_header(("authorization", format!("Bearer {token}")));
    let response = test::call_service(&app, request.to_request()).await;
    let status = response.status();
    (status, test::read_body_json(response).await)
}

#[actix_web::test]
async fn matching_claims_deserialize_also_from_the_token_cache() {
    let fixture = Fixture::new();
    let token = fixture
        .token()
        .sub("u")
        .claim("org", json!({ "id": 7, "name": "Bär" }))
        .claim("limits", json!([1, 2]))
        .sign();
    for _ in 0..3 {
        let (status, body) = call(&fixture, &token).await;
        assert_eq!(
            (status, body),
            (
                StatusCode::OK,
                json!({ "sub": "u", "org": [7, "Bär"], "limits": [1, 2], "beta": false })
            )
        );
    }
}

#[rstest]
#[case::absent("org", "null")]
#[case::wrong_type("org", "\"acme\"")]
#[case::wrong_member(r"org", r#"{"id":"7","name":"x"}"#)]
#[case::member_absent("org", r#"{"id":7}"#)]
#[case::negative("org", r#"{"id":-1,"name":"x"}"#)]
#[case::too_large("limits", "[4294967296]")]
#[case::fraction("limits", "[1.5]")]
#[case::mixed("limits", "[1,null]")]
#[case::doubled_member("org", r#"{"id":1,"id":2,"name":"x"}"#)]
#[case::flag_no_boolean("beta", "\"true\"")]
#[actix_web::test]
async fn mismatched_claims_are_401_invalid_claim(#[case] name: &str, #[case] value: &str) {
    let fixture = Fixture::new();
    let mut claims = fixture
        .token()
        .claim("org", json!({ "id": 7, "name": "x" }))
        .claim("limits", json!([1]))
        .claims()
        .clone();
    claims.remove(name);
    let token = fixture.with_payload(crate::fixture::with_member(&claims, name, value));
    fixture.verify_ok(&token);
    for _ in 0..2 {
        let (status, body) = call(&fixture, &token).await;
        assert_eq!(
            (status, &body["error"]["code"]),
            (StatusCode::UNAUTHORIZED, &json!("INVALID_CLAIM"))
        );
        assert!(
            !body.to_string().contains("4294967296"),
            "messages do not contain claim values"
        );
    }
}

#[actix_web::test]
async fn claims_nested_10000_deep_are_401_without_overflow() {
    let key = KeyPair::cached(Algorithm::ES256, 0);
    let fixture = Fixture::with_builder(
        &key,
        |issuer| issuer,
        |builder| builder.max_token_bytes(1 << 20),
    );
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    for name in ["org", "limits"] {
        let mut claims = fixture
            .token()
            .claim("org", json!({ "id": 7, "name": "x" }))
            .claim("limits", json!([1]))
            .claims()
            .clone();
        claims.remove(name);
        let token = fixture.with_payload(crate::fixture::with_member(&claims, name, &deep));
        let (status, body) = call(&fixture, &token).await;
        assert_eq!(
            (status, &body["error"]["code"]),
            (StatusCode::UNAUTHORIZED, &json!("INVALID_CLAIM"))
        );
    }
}

#[actix_web::test]
async fn token_errors_take_precedence_over_claim_mismatches() {
    let fixture = Fixture::new();
    let (status, body) = call(&fixture, &fixture.token().expired().sign()).await;
    assert_eq!(
        (status, &body["error"]["code"]),
        (StatusCode::UNAUTHORIZED, &json!("TOKEN_EXPIRED"))
    );
}
