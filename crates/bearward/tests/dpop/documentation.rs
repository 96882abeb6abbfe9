//! The code of `docs/dpop.md`.

use actix_web::{
    App, Responder,
    http::header::AUTHORIZATION,
    post,
    test::{TestRequest, call_service, init_service},
};
use bearward::{Bearward, Bound, DpopConfig, DpopMode, Issuer, Require};
use bearward_testing::{MockIdp, ProofKey};

#[post("/payments")]
async fn pay(user: Require<Bound>) -> impl Responder {
    format!("paid by {}", user.subject())
}

async fn build() -> Result<Bearward, Box<dyn std::error::Error>> {
    let issuer =
        Issuer::new("https://id.example.com", "https://api.example.com")?.dpop(DpopMode::Accepted);
    let dpop = DpopConfig::default().base_url("https://api.example.com".parse()?);
    let auth = Bearward::builder()
        .issuer(issuer)
        .dpop(dpop)
        .build()
        .await?;
    Ok(auth)
}

#[actix_web::test]
async fn the_code_of_the_page_accepts_a_proof() {
    assert!(build().await.unwrap().warnings().is_empty());
    let idp = MockIdp::offline();
    let auth = Bearward::builder()
        .issuer(idp.as_issuer().dpop(DpopMode::Required))
        .dpop(DpopConfig::default().base_url("https://api.example.com".parse().unwrap()))
        .build()
        .await
        .unwrap();
    let app = init_service(App::new().app_data(auth).service(pay)).await;

    let key = ProofKey::generate();
    let token = idp.token().bound_to(&key).sign();
    let proof = key
        .proof("POST", "https://api.example.com/payments")
        .for_token(&token)
        .sign();

    let request = TestRequest::post()
        .uri("/payments")
        .insert_header((AUTHORIZATION, format!("DPoP {token}")))
        .insert_header(("dpop", proof));
    let response = call_service(&app, request.to_request()).await;
    assert_eq!(response.status(), 200);
}
