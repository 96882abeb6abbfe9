//! A verification that needs no fetch is ready without being awaited; one that needs a fetch waits
//! for it, and may be left.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, Waker},
};

use actix_web::{FromRequest, HttpRequest, dev::Payload, test::TestRequest};
use {Algorithm, MaybePrincipal, NoCustomClaims, Principal, Require};
use bearward_testing::{Faults, MockIdp};

use crate::{
    requirements::Admin,
    wire::get,
    world::{World, cold_world_of, world, world_with},
};

fn request(world: &World, token: &str) -> HttpRequest {
    let request = TestRequest::get().app_data(world.auth.clone());
    request
        .insert_header(("authorization", format!("Bearer {token}")))
        .to_http_request()
}

fn begin<E: FromRequest>(request: &HttpRequest) -> Pin<Box<E::Future>> {
    Box::pin(E::from_request(request, &mut Payload::None))
}

fn poll_once<F: Future>(future: &mut Pin<Box<F>>) -> Poll<F::Output> {
    future
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
}

/// What the first poll gives; a pending one is a failure.
fn at_once<E: FromRequest>(request: &HttpRequest) -> Result<E, E::Error> {
    match poll_once(&mut begin::<E>(request)) {
        Poll::Ready(result) => result,
        Poll::Pending => panic!("the extraction waits for something"),
    }
}

/// A world whose identity provider has not answered yet.
async fn world_before_its_keys() -> World {
    let idp = MockIdp::start_with(Algorithm::ES256).await;
    idp.set_faults(Faults::hang());
    cold_world_of(idp, |builder| builder).await
}

#[actix_web::test]
async fn a_verification_with_known_keys_is_ready_at_once() {
    for entries in [0, 100] {
        let world = world_with(|builder| builder.token_cache(entries)).await;
        let (good, admin) = (world.good(), world.token().role("admin").sign());
        for _ in 0..3 {
            assert_eq!(
                at_once::<Principal<NoCustomClaims>>(&request(&world, &good))
                    .unwrap()
                    .subject(),
                "ada"
            );
            assert!(
                at_once::<MaybePrincipal>(&request(&world, &good))
                    .unwrap()
                    .as_ref()
                    .is_some()
            );
            assert!(at_once::<Require<Admin>>(&request(&world, &admin)).is_ok());
        }
        assert_eq!(world.auth.cached_tokens(), if entries == 0 { 0 } else { 2 });
    }
}

#[actix_web::test]
async fn a_refusal_is_ready_at_once() {
    let world = world().await;
    for (token, code) in crate::principals::bad_tokens(&world) {
        if code == "INVALID_SIGNATURE" {
            // It may ask whether the key was replaced in place, once a cooldown.
            continue;
        }
        let refused = at_once::<Principal<NoCustomClaims>>(&request(&world, &token)).unwrap_err();
        assert_eq!(refused.error().code(), code);
    }
    let nobody = TestRequest::get()
        .app_data(world.auth.clone())
        .to_http_request();
    assert!(at_once::<Principal<NoCustomClaims>>(&nobody).is_err());
    assert!(
        at_once::<MaybePrincipal>(&nobody)
            .unwrap()
            .as_ref()
            .is_none()
    );
}

#[actix_web::test]
async fn what_needs_no_key_is_ready_before_there_are_any() {
    let world = world_before_its_keys().await;
    assert!(at_once::<Principal<NoCustomClaims>>(&request(&world, "x")).is_err());
    let refused =
        at_once::<Principal<NoCustomClaims>>(&request(&world, &world.token().expired().sign()))
            .unwrap_err();
    assert_eq!(refused.error().code(), "TOKEN_EXPIRED");
    assert!(
        at_once::<MaybePrincipal>(
            &TestRequest::get()
                .app_data(world.auth.clone())
                .to_http_request()
        )
        .is_ok()
    );
}

#[actix_web::test]
async fn without_keys_an_extraction_waits_for_the_fetch_and_no_longer() {
    let world = world_before_its_keys().await;
    let good = request(&world, &world.good());
    let mut principal = begin::<Principal<NoCustomClaims>>(&good);
    let mut maybe = begin::<MaybePrincipal>(&good);
    let mut tampered =
        begin::<Principal<NoCustomClaims>>(&request(&world, &world.token().tampered()));
    let mut lacking = begin::<Require<Admin>>(&good);
    for _ in 0..3 {
        assert!(poll_once(&mut principal).is_pending() && poll_once(&mut maybe).is_pending());
        assert!(poll_once(&mut tampered).is_pending() && poll_once(&mut lacking).is_pending());
    }
    world.idp.recover();
    assert_eq!(principal.await.unwrap().subject(), "ada");
    assert!(maybe.await.unwrap().as_ref().is_some());
    assert_eq!(
        tampered.await.unwrap_err().error().code(),
        "INVALID_SIGNATURE"
    );
    assert_eq!(
        lacking.await.unwrap_err().error().code(),
        "INSUFFICIENT_ROLE"
    );
    assert_eq!(world.idp.fetches(), 1, "all of them waited for one fetch");
    assert!(at_once::<Principal<NoCustomClaims>>(&good).is_ok());
}

#[actix_web::test]
async fn an_unknown_kid_waits_once_and_is_refused_at_once_from_then_on() {
    let world = world().await;
    let unknown = request(&world, &world.token().kid("unheard-of").sign());
    let mut first = begin::<Principal<NoCustomClaims>>(&unknown);
    assert!(poll_once(&mut first).is_pending());
    assert_eq!(first.await.unwrap_err().error().code(), "UNKNOWN_KEY");
    assert_eq!(
        at_once::<Principal<NoCustomClaims>>(&unknown)
            .unwrap_err()
            .error()
            .code(),
        "UNKNOWN_KEY"
    );
    assert_eq!(world.idp.fetches(), 2);
}

#[actix_web::test]
async fn an_extraction_that_is_dropped_cancels_nothing() {
    let world = world_before_its_keys().await;
    let good = request(&world, &world.good());
    let mut dropped = begin::<Principal<NoCustomClaims>>(&good);
    let mut kept = begin::<Principal<NoCustomClaims>>(&good);
    assert!(poll_once(&mut dropped).is_pending() && poll_once(&mut kept).is_pending());
    drop(dropped);
    world.idp.recover();
    assert_eq!(kept.await.unwrap().subject(), "ada");
    assert_eq!(world.idp.fetches(), 1);
}

#[actix_web::test]
async fn a_client_that_hangs_up_while_the_keys_are_fetched_harms_nobody() {
    let world = world_before_its_keys().await;
    let (server, good) = (world.plain(), world.good());
    for _ in 0..5 {
        drop(server.begin(&get("/me").bearer(&good)).await);
    }
    let patient = server.send(get("/me").bearer(&good));
    let recovery = async { world.idp.recover() };
    let (answer, ()) = tokio::join!(patient, recovery);
    assert_eq!(answer.body, "ada");
    assert_eq!(world.idp.fetches(), 1);
    assert_eq!(server.send(get("/me").bearer(&good)).await.body, "ada");
}

#[actix_web::test]
async fn when_every_client_hangs_up_the_fetch_still_ends() {
    let world = world_before_its_keys().await;
    let server = world.plain();
    drop(server.begin(&get("/me").bearer(&world.good())).await);
    world.idp.recover();
    world.auth.wait_for_initial_fetch().await;
    assert!(world.auth.is_ready());
    assert_eq!(world.idp.fetches(), 1);
}
