//! Authentication happens before the body is read, so that unauthenticated clients learn nothing
//! about what a route expects.

use actix_web::web::{self, Json, ServiceConfig};
use bearward::{Algorithm, Principal, Require};
use bearward_testing::{Faults, MockIdp};
use serde::Deserialize;
use test_support::raw_http::{Request, post};

use crate::{requirements::Admin, test_app::TestApp};

#[derive(Deserialize)]
struct Order {
    item: String,
}

fn routes(config: &mut ServiceConfig) {
    config
        .app_data(web::JsonConfig::default().limit(1000))
        .route(
            "/orders",
            web::post().to(|user: Principal, order: Json<Order>| async move {
                format!("{} {}", user.subject(), order.item)
            }),
        )
        .route(
            "/admin/orders",
            web::post()
                .to(|_: Require<Admin>, order: Json<Order>| async move { order.into_inner().item }),
        );
}

/// Returns requests whose body is invalid for the routes.
fn invalid_bodies(path: &str) -> Vec<Request> {
    vec![
        post(path).body("text/plain", "{\"item\": \"x\"}"),
        post(path).body("application/json", "{\"item\": "),
        post(path).body("application/json", "{\"thing\": 7}"),
        post(path).body(
            "application/json",
            format!("{{\"item\": \"{}\"}}", "x".repeat(2000)),
        ),
        post(path).partial_body("application/json", 1_000_000_000, "{"),
    ]
}

#[actix_web::test]
async fn a_valid_body_of_an_authenticated_user_is_read() {
    let test_app = TestApp::start().await;
    let response = test_app
        .serve(routes)
        .send(
            post("/orders")
                .bearer(&test_app.valid_token())
                .body("application/json", "{\"item\": \"tea\"}"),
        )
        .await;
    assert_eq!((response.status, response.body.as_str()), (200, "ada tea"));
}

#[actix_web::test]
async fn an_authenticated_user_gets_the_error_of_the_body() {
    let test_app = TestApp::start().await;
    let server = test_app.serve(routes);
    for request in invalid_bodies("/orders") {
        let response = server
            .send_unchecked(request.bearer(&test_app.valid_token()))
            .await;
        assert!(matches!(response.status, 400 | 413 | 415), "{response:?}");
    }
}

#[actix_web::test]
async fn authentication_errors_take_precedence_over_body_errors() {
    let test_app = TestApp::start().await;
    let server = test_app.serve(routes);
    let invalid_tokens = [
        "x".to_owned(),
        test_app.token().expired().sign(),
        test_app.token().tampered(),
    ];
    for request in invalid_bodies("/orders") {
        let response = server.send(request.clone()).await;
        assert_eq!(response.error(), (401, "MISSING_TOKEN".to_owned()));
        let twice = request.clone().bearer("x").bearer("y");
        assert_eq!(
            server.send(twice).await.error(),
            (400, "INVALID_REQUEST".to_owned())
        );
        for token in &invalid_tokens {
            let response = server.send(request.clone().bearer(token)).await;
            assert_eq!(response.status, 401, "{response:?}");
        }
    }
}

#[actix_web::test]
async fn role_errors_take_precedence_over_body_errors() {
    let test_app = TestApp::start().await;
    let server = test_app.serve(routes);
    for request in invalid_bodies("/admin/orders") {
        let response = server.send(request.bearer(&test_app.valid_token())).await;
        assert_eq!(response.error(), (403, "INSUFFICIENT_ROLE".to_owned()));
    }
}

#[actix_web::test]
async fn rejections_do_not_wait_for_the_body() {
    let test_app = TestApp::start().await;
    let server = test_app.serve(routes);
    for request in [
        post("/orders"),
        post("/orders").bearer(&test_app.token().expired().sign()),
    ] {
        let partial = request
            .clone()
            .partial_body("application/json", u64::MAX / 2, "");
        assert_eq!(server.send(partial).await.status, 401);
        let chunked = request
            .header("transfer-encoding", "chunked")
            .header("content-type", "application/json");
        assert_eq!(server.send(chunked).await.status, 401);
    }
}

#[actix_web::test]
async fn a_guard_rejects_before_reading_the_body_also_on_cold_start() {
    let idp = MockIdp::start_with(Algorithm::ES256).await;
    idp.set_faults(Faults::hang());
    let test_app = TestApp::start_cold(idp, |builder| builder).await;
    let auth = test_app.auth.clone();
    let server = test_app.serve(move |config| {
        config.service(
            web::scope("/guarded")
                .wrap(auth.require::<Admin>())
                .configure(routes),
        );
    });
    let requests = invalid_bodies("/guarded/orders")
        .into_iter()
        .map(|request| request.bearer(&test_app.token().tampered()));
    let responses = requests.map(|request| server.send(request));
    let (responses, ()) = tokio::join!(futures_util::future::join_all(responses), async {
        while test_app.idp.fetches() == 0 {
            tokio::task::yield_now().await;
        }
        test_app.idp.recover();
    });
    for response in responses {
        assert_eq!(response.error(), (401, "INVALID_SIGNATURE".to_owned()));
    }
}
