//! Authentication comes before every look at the body: a stranger learns nothing about what a route
//! expects.

use actix_web::web::{self, Json, ServiceConfig};
use {Algorithm, Principal, Require};
use bearward_testing::{Faults, MockIdp};
use serde::Deserialize;

use crate::{
    requirements::Admin,
    wire::{Request, post},
    world::{cold_world_of, world},
};

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

/// Requests that a signed-in user is refused for their body's sake.
fn bad_bodies(path: &str) -> Vec<Request> {
    vec![
        post(path).body("text/plain", "{\"item\": \"x\"}"),
        post(path).body("application/json", "{\"item\": "),
        post(path).body("application/json", "{\"thing\": 7}"),
        post(path).body(
            "application/json",
            format!("{{\"item\": \"{}\"}}", "x".repeat(2000)),
        ),
        post(path).unfinished_body("application/json", 1_000_000_000, "{"),
    ]
}

#[actix_web::test]
async fn a_good_body_from_a_known_user_is_read() {
    let world = world().await;
    let answer = world
        .serve(routes)
        .send(
            post("/orders")
                .bearer(&world.good())
                .body("application/json", "{\"item\": \"tea\"}"),
        )
        .await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "ada tea"));
}

#[actix_web::test]
async fn a_known_user_learns_what_is_wrong_with_the_body() {
    let world = world().await;
    let server = world.serve(routes);
    for request in bad_bodies("/orders") {
        let answer = server.exchange(request.bearer(&world.good())).await;
        assert!(matches!(answer.status, 400 | 413 | 415), "{answer:?}");
    }
}

#[actix_web::test]
async fn a_stranger_learns_nothing_from_any_body() {
    let world = world().await;
    let server = world.serve(routes);
    let bad_tokens = [
        "x".to_owned(),
        world.token().expired().sign(),
        world.token().tampered(),
    ];
    for request in bad_bodies("/orders") {
        let answer = server.send(request.clone()).await;
        assert_eq!(answer.refusal(), (401, "MISSING_TOKEN".to_owned()));
        let twice = request.clone().bearer("x").bearer("y");
        assert_eq!(
            server.send(twice).await.refusal(),
            (400, "INVALID_REQUEST".to_owned())
        );
        for token in &bad_tokens {
            let answer = server.send(request.clone().bearer(token)).await;
            assert_eq!(answer.status, 401, "{answer:?}");
        }
    }
}

#[actix_web::test]
async fn nor_does_who_lacks_the_role() {
    let world = world().await;
    let server = world.serve(routes);
    for request in bad_bodies("/admin/orders") {
        let answer = server.send(request.bearer(&world.good())).await;
        assert_eq!(answer.refusal(), (403, "INSUFFICIENT_ROLE".to_owned()));
    }
}

#[actix_web::test]
async fn a_body_that_never_ends_is_not_waited_for() {
    let world = world().await;
    let server = world.serve(routes);
    for request in [
        post("/orders"),
        post("/orders").bearer(&world.token().expired().sign()),
    ] {
        let endless = request
            .clone()
            .unfinished_body("application/json", u64::MAX / 2, "");
        assert_eq!(server.send(endless).await.status, 401);
        let chunked = request
            .header("transfer-encoding", "chunked")
            .header("content-type", "application/json");
        assert_eq!(server.send(chunked).await.status, 401);
    }
}

#[actix_web::test]
async fn behind_a_guard_this_holds_even_while_the_keys_are_being_fetched() {
    let idp = MockIdp::start_with(Algorithm::ES256).await;
    idp.set_faults(Faults::hang());
    let world = cold_world_of(idp, |builder| builder).await;
    let auth = world.auth.clone();
    let server = world.serve(move |config| {
        config.service(
            web::scope("/guarded")
                .wrap(auth.require::<Admin>())
                .configure(routes),
        );
    });
    let requests = bad_bodies("/guarded/orders")
        .into_iter()
        .map(|request| request.bearer(&world.token().tampered()));
    let answers = requests.map(|request| server.send(request));
    let (answers, ()) = tokio::join!(futures_util::future::join_all(answers), async {
        while world.idp.fetches() == 0 {
            tokio::task::yield_now().await;
        }
        world.idp.recover();
    });
    for answer in answers {
        assert_eq!(answer.refusal(), (401, "INVALID_SIGNATURE".to_owned()));
    }
}
