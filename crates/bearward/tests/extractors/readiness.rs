//! Extraction is ready on the first poll unless it needs a fetch, and may be dropped while it waits.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, Waker},
};

use actix_web::{FromRequest, HttpRequest, dev::Payload, test::TestRequest};
use bearward::{Algorithm, MaybePrincipal, NoCustomClaims, Principal, Require};
use bearward_testing::{Faults, MockIdp};
use test_support::raw_http::get;

use crate::{requirements::Admin, test_app::TestApp};

fn request(test_app: &TestApp, token: &str) -> HttpRequest {
    let request = TestRequest::get().app_data(test_app.auth.clone());
    request
        .insert_header(("authorization", format!("Bearer {token}")))
        .to_http_request()
}

fn start_extraction<E: FromRequest>(request: &HttpRequest) -> Pin<Box<E::Future>> {
    Box::pin(E::from_request(request, &mut Payload::None))
}

fn poll_once<F: Future>(future: &mut Pin<Box<F>>) -> Poll<F::Output> {
    future
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
}

/// Returns the result of the first poll.
///
/// # Panics
/// If the extraction is pending.
fn extract_now<E: FromRequest>(request: &HttpRequest) -> Result<E, E::Error> {
    match poll_once(&mut start_extraction::<E>(request)) {
        Poll::Ready(result) => result,
        Poll::Pending => panic!("the extraction is pending"),
    }
}

/// Returns an application whose first fetch is held back.
async fn app_with_pending_fetch() -> TestApp {
    let idp = MockIdp::start_with(Algorithm::ES256).await;
    idp.set_faults(Faults::hang());
    TestApp::start_cold(idp, |builder| builder).await
}

#[actix_web::test]
async fn verification_with_known_keys_is_ready_immediately() {
    for entries in [0, 100] {
        let test_app = TestApp::start_with(|builder| builder.token_cache(entries)).await;
        let (valid_token, admin) = (
            test_app.valid_token(),
            test_app.token().role("admin").sign(),
        );
        for _ in 0..3 {
            assert_eq!(
                extract_now::<Principal<NoCustomClaims>>(&request(&test_app, &valid_token))
                    .unwrap()
                    .subject(),
                "ada"
            );
            assert!(
                extract_now::<MaybePrincipal>(&request(&test_app, &valid_token))
                    .unwrap()
                    .as_ref()
                    .is_some()
            );
            assert!(extract_now::<Require<Admin>>(&request(&test_app, &admin)).is_ok());
        }
        assert_eq!(
            test_app.auth.cached_tokens(),
            if entries == 0 { 0 } else { 2 }
        );
    }
}

#[actix_web::test]
async fn rejections_are_ready_immediately() {
    let test_app = TestApp::start().await;
    for (token, code) in crate::principals::invalid_tokens(&test_app) {
        if code == "INVALID_SIGNATURE" {
            // An invalid signature may cause a fetch, because the key may have been replaced.
            continue;
        }
        let rejection =
            extract_now::<Principal<NoCustomClaims>>(&request(&test_app, &token)).unwrap_err();
        assert_eq!(rejection.error().code(), code);
    }
    let anonymous = TestRequest::get()
        .app_data(test_app.auth.clone())
        .to_http_request();
    assert!(extract_now::<Principal<NoCustomClaims>>(&anonymous).is_err());
    assert!(
        extract_now::<MaybePrincipal>(&anonymous)
            .unwrap()
            .as_ref()
            .is_none()
    );
}

#[actix_web::test]
async fn rejections_that_need_no_key_do_not_wait_for_keys() {
    let test_app = app_with_pending_fetch().await;
    assert!(extract_now::<Principal<NoCustomClaims>>(&request(&test_app, "x")).is_err());
    let rejection = extract_now::<Principal<NoCustomClaims>>(&request(
        &test_app,
        &test_app.token().expired().sign(),
    ))
    .unwrap_err();
    assert_eq!(rejection.error().code(), "TOKEN_EXPIRED");
    assert!(
        extract_now::<MaybePrincipal>(
            &TestRequest::get()
                .app_data(test_app.auth.clone())
                .to_http_request()
        )
        .is_ok()
    );
}

#[actix_web::test]
async fn without_keys_extraction_waits_for_the_fetch() {
    let test_app = app_with_pending_fetch().await;
    let valid_request = request(&test_app, &test_app.valid_token());
    let mut principal = start_extraction::<Principal<NoCustomClaims>>(&valid_request);
    let mut maybe = start_extraction::<MaybePrincipal>(&valid_request);
    let mut tampered = start_extraction::<Principal<NoCustomClaims>>(&request(
        &test_app,
        &test_app.token().tampered(),
    ));
    let mut without_role = start_extraction::<Require<Admin>>(&valid_request);
    for _ in 0..3 {
        assert!(poll_once(&mut principal).is_pending() && poll_once(&mut maybe).is_pending());
        assert!(poll_once(&mut tampered).is_pending() && poll_once(&mut without_role).is_pending());
    }
    test_app.idp.recover();
    assert_eq!(principal.await.unwrap().subject(), "ada");
    assert!(maybe.await.unwrap().as_ref().is_some());
    assert_eq!(
        tampered.await.unwrap_err().error().code(),
        "INVALID_SIGNATURE"
    );
    assert_eq!(
        without_role.await.unwrap_err().error().code(),
        "INSUFFICIENT_ROLE"
    );
    assert_eq!(test_app.idp.fetches(), 1, "all extractions share one fetch");
    assert!(extract_now::<Principal<NoCustomClaims>>(&valid_request).is_ok());
}

#[actix_web::test]
async fn an_unknown_kid_waits_for_a_fetch_only_once() {
    let test_app = TestApp::start().await;
    let unknown = request(&test_app, &test_app.token().kid("unknown").sign());
    let mut first = start_extraction::<Principal<NoCustomClaims>>(&unknown);
    assert!(poll_once(&mut first).is_pending());
    assert_eq!(first.await.unwrap_err().error().code(), "UNKNOWN_KEY");
    assert_eq!(
        extract_now::<Principal<NoCustomClaims>>(&unknown)
            .unwrap_err()
            .error()
            .code(),
        "UNKNOWN_KEY"
    );
    assert_eq!(test_app.idp.fetches(), 2);
}

#[actix_web::test]
async fn dropping_an_extraction_does_not_cancel_the_fetch() {
    let test_app = app_with_pending_fetch().await;
    let valid_request = request(&test_app, &test_app.valid_token());
    let mut first = start_extraction::<Principal<NoCustomClaims>>(&valid_request);
    let mut second = start_extraction::<Principal<NoCustomClaims>>(&valid_request);
    assert!(poll_once(&mut first).is_pending() && poll_once(&mut second).is_pending());
    drop(first);
    test_app.idp.recover();
    assert_eq!(second.await.unwrap().subject(), "ada");
    assert_eq!(test_app.idp.fetches(), 1);
}

#[actix_web::test]
async fn disconnecting_clients_do_not_affect_other_requests() {
    let test_app = app_with_pending_fetch().await;
    let (server, valid_token) = (test_app.serve_default(), test_app.valid_token());
    for _ in 0..5 {
        drop(
            server
                .send_without_reading(&get("/me").bearer(&valid_token))
                .await,
        );
    }
    let response = server.send(get("/me").bearer(&valid_token));
    let recovery = async { test_app.idp.recover() };
    let (response, ()) = tokio::join!(response, recovery);
    assert_eq!(response.body, "ada");
    assert_eq!(test_app.idp.fetches(), 1);
    assert_eq!(
        server.send(get("/me").bearer(&valid_token)).await.body,
        "ada"
    );
}

#[actix_web::test]
async fn the_fetch_completes_after_all_clients_disconnect() {
    let test_app = app_with_pending_fetch().await;
    let server = test_app.serve_default();
    drop(
        server
            .send_without_reading(&get("/me").bearer(&test_app.valid_token()))
            .await,
    );
    test_app.idp.recover();
    test_app.auth.wait_for_initial_fetch().await;
    assert!(test_app.auth.is_ready());
    assert_eq!(test_app.idp.fetches(), 1);
}
