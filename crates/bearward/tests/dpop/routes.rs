//! Extractors and guards of actix-web.

use actix_web::{
    App,
    http::header::AUTHORIZATION,
    middleware::from_fn,
    test::{TestRequest, call_service, init_service},
    web,
};
use bearward::{Bound, DpopConfig, DpopMode, MaybePrincipal, Principal, Require, renew_dpop_nonce};

use crate::fixture::Fixture;

async fn me(user: Principal) -> String {
    user.subject().to_owned()
}

async fn twice(user: Principal, again: Require<Bound>, maybe: MaybePrincipal) -> String {
    assert!(maybe.as_ref().is_some());
    format!("{}{}", user.subject(), again.subject())
}

async fn pay(user: Require<Bound>) -> String {
    user.subject().to_owned()
}

/// Sends `GET /orders` to an application; returns the status and the nonce of the response.
macro_rules! send {
    ($app:expr, $token:expr, $proof:expr) => {{
        let request = TestRequest::get()
            .uri("/orders")
            .insert_header((AUTHORIZATION, format!("DPoP {}", $token)))
            .insert_header(("dpop", $proof));
        let response = call_service(&$app, request.to_request()).await;
        let nonce = response.headers().get("dpop-nonce");
        let nonce = nonce.map(|nonce| nonce.to_str().unwrap().to_owned());
        (response.status().as_u16(), nonce)
    }};
}

#[actix_web::test]
async fn extractors_check_the_proof_once_for_each_request() {
    let fixture = Fixture::new().await;
    let app = App::new()
        .app_data(fixture.auth.clone())
        .route("/orders", web::get().to(twice));
    let app = init_service(app).await;
    let token = fixture.bound_token();
    let proof = fixture.proof(&token).sign();
    assert_eq!(send!(app, token, proof.clone()), (200, None));
    assert_eq!(send!(app, token, proof), (401, None), "a replay");
}

#[actix_web::test]
async fn guards_check_the_proof_once_for_each_request() {
    let fixture = Fixture::new().await;
    let scope = web::scope("")
        .wrap(fixture.auth.require::<Bound>())
        .route("/orders", web::get().to(me));
    let app = init_service(App::new().app_data(fixture.auth.clone()).service(scope)).await;
    let token = fixture.bound_token();
    let proof = fixture.proof(&token).sign();
    assert_eq!(send!(app, token, proof.clone()), (200, None));
    assert_eq!(send!(app, token, proof), (401, None), "a replay");
}

#[actix_web::test]
async fn a_route_demands_a_bound_token() {
    let fixture = Fixture::new().await;
    let app = App::new()
        .app_data(fixture.auth.clone())
        .route("/orders", web::get().to(pay));
    let app = init_service(app).await;
    let token = fixture.token().sign();
    let request = TestRequest::get()
        .uri("/orders")
        .insert_header((AUTHORIZATION, format!("Bearer {token}")));
    let response = call_service(&app, request.to_request()).await;
    assert_eq!(response.status(), 401);
    let token = fixture.bound_token();
    let proof = fixture.proof(&token).sign();
    assert_eq!(send!(app, token, proof), (200, None));
}

#[actix_web::test]
async fn a_nonce_is_renewed_by_guards_and_the_middleware() {
    let config = |config: DpopConfig| config.nonce_keys([[1; 32]]);
    let fixture = Fixture::with(DpopMode::Accepted, config).await;
    let auth = fixture.auth.clone();
    let guarded = web::scope("")
        .wrap(auth.guard())
        .route("/orders", web::get().to(me));
    let guarded = init_service(App::new().app_data(auth.clone()).service(guarded)).await;
    let wrapped = App::new()
        .app_data(auth.clone())
        .route("/orders", web::get().to(me))
        .wrap(from_fn(renew_dpop_nonce));
    let wrapped = init_service(wrapped).await;
    let token = fixture.bound_token();

    let proof = fixture.proof(&token).sign();
    let (status, nonce) = send!(guarded, token, proof);
    assert_eq!(status, 401);
    let first = nonce.unwrap();
    let proof = || fixture.proof(&token).nonce(&first).sign();
    assert_eq!(send!(guarded, token, proof()), (200, None), "a new nonce");
    assert_eq!(send!(wrapped, token, proof()), (200, None), "a new nonce");
    fixture.clock.advance(std::time::Duration::from_secs(60));
    let next = Some(auth.dpop_nonce().unwrap());
    assert_eq!(send!(guarded, token, proof()), (200, next.clone()));
    assert_eq!(send!(wrapped, token, proof()), (200, next));
}
