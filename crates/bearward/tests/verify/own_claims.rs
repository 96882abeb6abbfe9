//! A team's own claims type by serde: what does not fit is the token's fault, never the server's.

use actix_web::{App, HttpResponse, http::StatusCode, test, web};
use {Algorithm, Principal};
use bearward_testing::KeyPair;
use rstest::rstest;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::stand::Stand;

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

async fn answer(stand: &Stand, token: &str) -> (StatusCode, Value) {
    async fn route(user: Principal<Order>) -> HttpResponse {
        let Order { org, limits, beta } = user.custom();
        HttpResponse::Ok().json(json!({ "sub": user.subject(), "org": [org.id, org.name], "limits": limits, "beta": beta }))
    }
    let app = test::init_service(
        App::new()
            .app_data(stand.auth.clone())
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
async fn a_token_that_fits_becomes_the_type_also_when_it_is_remembered() {
    let stand = Stand::new();
    let token = stand
        .token()
        .sub("u")
        .claim("org", json!({ "id": 7, "name": "Bär" }))
        .claim("limits", json!([1, 2]))
        .sign();
    for _ in 0..3 {
        let (status, body) = answer(&stand, &token).await;
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
async fn a_token_that_does_not_fit_is_401_invalid_claim_and_never_500(
    #[case] name: &str,
    #[case] value: &str,
) {
    let stand = Stand::new();
    let mut claims = stand
        .token()
        .claim("org", json!({ "id": 7, "name": "x" }))
        .claim("limits", json!([1]))
        .claims()
        .clone();
    claims.remove(name);
    let token = stand.with_payload(crate::stand::with_member(&claims, name, value));
    stand.accepts(&token);
    for _ in 0..2 {
        let (status, body) = answer(&stand, &token).await;
        assert_eq!(
            (status, &body["error"]["code"]),
            (StatusCode::UNAUTHORIZED, &json!("INVALID_CLAIM"))
        );
        assert!(
            !body.to_string().contains("4294967296"),
            "no claim's value in a message"
        );
    }
}

#[actix_web::test]
async fn claims_nested_ten_thousand_deep_are_401_and_no_overflow() {
    let key = KeyPair::shared(Algorithm::ES256, 0);
    let stand = Stand::built(
        &key,
        |issuer| issuer,
        |builder| builder.max_token_bytes(1 << 20),
    );
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    for name in ["org", "limits"] {
        let mut claims = stand
            .token()
            .claim("org", json!({ "id": 7, "name": "x" }))
            .claim("limits", json!([1]))
            .claims()
            .clone();
        claims.remove(name);
        let token = stand.with_payload(crate::stand::with_member(&claims, name, &deep));
        let (status, body) = answer(&stand, &token).await;
        assert_eq!(
            (status, &body["error"]["code"]),
            (StatusCode::UNAUTHORIZED, &json!("INVALID_CLAIM"))
        );
    }
}

#[actix_web::test]
async fn a_bad_token_is_refused_for_its_own_reason_before_its_claims_are_read() {
    let stand = Stand::new();
    let (status, body) = answer(&stand, &stand.token().expired().sign()).await;
    assert_eq!(
        (status, &body["error"]["code"]),
        (StatusCode::UNAUTHORIZED, &json!("TOKEN_EXPIRED"))
    );
}
