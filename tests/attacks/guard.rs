//! Middleware between a guard and a handler, and values of a requirement in a header.

use std::time::Duration;

use actix_web::{
    App,
    dev::Service,
    http::{
        StatusCode,
        header::{AUTHORIZATION, HeaderValue, WWW_AUTHENTICATE},
    },
    test, web,
};
use bearward::{
    AuthError, Bearward, JwksCacheConfig, NoCustomClaims, Principal, Require, Requirement, Verified,
};
use bearward_testing::{Faults, MockIdp, signing::encode};

#[derive(serde::Deserialize)]
struct Tenant {
    tenant: String,
}

struct AnyUser;

impl Requirement for AnyUser {
    type Claims = NoCustomClaims;

    fn check(_: &Verified) -> Result<(), AuthError> {
        Ok(())
    }
}

struct Quoted;

impl Requirement for Quoted {
    type Claims = NoCustomClaims;

    fn check(user: &Verified) -> Result<(), AuthError> {
        user.require_aal("aal2\", error=\"none\r\nX-Forged: 1")
    }
}

async fn tenant(user: Principal<Tenant>) -> String {
    user.custom().tenant.clone()
}

async fn quoted(_: Require<Quoted>) -> &'static str {
    "in"
}

#[actix_web::test]
async fn header_rewritten_after_the_guard_is_ignored() {
    let idp = MockIdp::start().await;
    let auth = Bearward::builder()
        .issuer(idp.as_issuer())
        .build()
        .await
        .unwrap();
    let forged = format!("Bearer e30.{}.AAAA", encode(br#"{"tenant":"victim"}"#));
    let rewritten = HeaderValue::from_str(&forged).unwrap();
    let scope = web::scope("/a").route("/tenant", web::get().to(tenant));
    let scope = scope.wrap_fn(move |mut request, service| {
        request
            .headers_mut()
            .insert(AUTHORIZATION, rewritten.clone());
        service.call(request)
    });
    let app = test::init_service(App::new().service(scope.wrap(auth.require::<AnyUser>()))).await;
    let token = idp.token().claim("tenant", "own").sign();
    let request = test::TestRequest::get()
        .uri("/a/tenant")
        .insert_header((AUTHORIZATION, format!("Bearer {token}")));
    assert_eq!(
        test::call_and_read_body(&app, request.to_request()).await,
        "own"
    );
}

#[actix_web::test]
async fn acr_values_are_escaped_in_the_challenge() {
    let idp = MockIdp::start().await;
    let auth = Bearward::builder()
        .issuer(idp.as_issuer())
        .build()
        .await
        .unwrap();
    let app = test::init_service(App::new().app_data(auth).route("/", web::get().to(quoted))).await;
    let token = idp.token().sign();
    let request = test::TestRequest::get()
        .uri("/")
        .insert_header((AUTHORIZATION, format!("Bearer {token}")));
    let response = test::call_service(&app, request.to_request()).await;
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    let challenge = response
        .headers()
        .get(WWW_AUTHENTICATE)
        .expect("every 401 has a challenge")
        .to_str()
        .unwrap();
    assert!(
        challenge.ends_with("acr_values=\"aal2, error=noneX-Forged: 1\""),
        "{challenge}"
    );
    assert!(!response.headers().contains_key("x-forged"));
}

async fn with_body(_: Principal, _: web::Json<serde_json::Value>) -> &'static str {
    "in"
}

#[actix_web::test]
async fn guard_rejects_before_the_body_while_keys_are_fetched() {
    let idp = MockIdp::start().await;
    idp.set_faults(Faults::hang());
    let config = JwksCacheConfig::default().wait_timeout(Duration::from_millis(20));
    let auth = Bearward::builder()
        .issuer(idp.as_issuer())
        .jwks_cache(config)
        .build()
        .await
        .unwrap();
    let scope = web::scope("/a")
        .route("", web::post().to(with_body))
        .wrap(auth.require::<AnyUser>());
    let app = test::init_service(App::new().service(scope)).await;
    let token = format!("Bearer {}", idp.token().signed_by_stranger());
    let request = test::TestRequest::post()
        .uri("/a")
        .insert_header((AUTHORIZATION, token))
        .set_payload("no json");
    assert_eq!(
        test::call_service(&app, request.to_request())
            .await
            .status(),
        StatusCode::SERVICE_UNAVAILABLE
    );
    idp.recover();
}
