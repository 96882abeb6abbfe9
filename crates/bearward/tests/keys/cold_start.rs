//! Verification before the first key set is loaded.

use std::time::Duration;

use actix_web::{App, http::header, test as http, web};
use bearward::{Bearward, Principal, Verification};
use bearward_testing::{FORGERIES, Faults, MockIdp};
use futures_util::{FutureExt, future::join_all};
use test_support::poll_once;

use crate::fixture::{Fixture, builder, idp, result_code, secs, wait_until, yield_to_tasks};

#[tokio::test]
async fn five_hundred_concurrent_cold_requests_share_one_fetch() {
    let fixture = Fixture::start_with_pending_fetch().await;
    let tokens: Vec<String> = (0..500)
        .map(|n| fixture.token().sub(&format!("user-{n}")).sign())
        .collect();
    let requests = join_all(tokens.iter().map(|token| fixture.verify(token)));
    let release = async {
        wait_until("all 500 requests wait", || fixture.clock.sleepers() == 500).await;
        fixture.idp.release();
    };
    let (verified, ()) = tokio::join!(requests, release);
    for (n, user) in verified.into_iter().enumerate() {
        assert_eq!(user.unwrap().subject(), format!("user-{n}"));
    }
    assert_eq!(
        (fixture.idp.fetches(), fixture.fetch_outcomes("updated")),
        (1, 1)
    );
}

/// Unlike the test above, the fetch is not held back: requests arrive before, during and after it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_racing_the_initial_fetch_cause_no_second_fetch() {
    let fixture = Fixture::start_cold().await;
    let requests: Vec<_> = (0..500)
        .map(|n| {
            let (auth, token) = (
                fixture.auth.clone(),
                fixture.token().sub(&format!("user-{n}")).sign(),
            );
            tokio::spawn(async move { auth.verify(&token).await })
        })
        .collect();
    for request in requests {
        assert_eq!(result_code(&request.await.unwrap()), "OK");
    }
    assert_eq!(fixture.idp.fetches(), 1);
}

#[tokio::test]
async fn the_initial_fetch_starts_without_a_request() {
    let fixture = Fixture::start_cold().await;
    fixture.wait_for_fetches(1).await;
    fixture.wait_for_attempts(1).await;
    let token = fixture.token().sign();
    assert!(
        matches!(fixture.auth.try_verify(&token), Verification::Ready(Ok(_))),
        "no request waits afterwards"
    );
    assert_eq!(fixture.state(), "fresh");
}

#[tokio::test]
async fn building_does_not_wait_for_the_identity_provider() {
    let idp = idp().await;
    idp.set_faults(Faults::hang());
    let auth = builder(&idp)
        .build()
        .now_or_never()
        .expect("building does not wait")
        .unwrap();
    assert!(!auth.is_ready());
    let status = auth.key_set_statuses().swap_remove(0);
    assert_eq!(
        (status.state(), status.keys, status.generation, status.age),
        ("empty", 0, 0, None)
    );
    wait_until("the fetch starts", || idp.fetches() == 1).await;
    idp.release();
    auth.wait_for_initial_fetch().await;
    assert!(auth.is_ready());
}

#[tokio::test]
async fn a_request_waits_two_seconds_for_a_slow_provider() {
    let fixture = Fixture::start_with_pending_fetch().await;
    let (auth, token) = (fixture.auth.clone(), fixture.token().sign());
    let request = tokio::spawn(async move { auth.verify(&token).await });
    wait_until("the request waits", || fixture.clock.sleepers() == 1).await;
    assert_eq!(fixture.clock.next_wake(), Some(secs(2)));
    fixture.clock.advance(Duration::from_millis(1999));
    yield_to_tasks().await;
    assert!(!request.is_finished());
    fixture.clock.advance(Duration::from_millis(1));
    let failure = request.await.unwrap().unwrap_err();
    assert_eq!(
        failure.error,
        bearward::AuthError::KeysUnavailable {
            retry_after: secs(1)
        }
    );
    fixture.idp.release();
    fixture.wait_for_attempts(1).await;
    assert_eq!(
        fixture.result_code(&fixture.token().sign()).await,
        "OK",
        "the fetch was not cancelled"
    );
    assert_eq!(fixture.idp.fetches(), 1);
}

#[actix_web::test]
async fn unavailable_keys_are_503_with_retry_after() {
    let fixture = Fixture::start_with_pending_fetch().await;
    let me = |principal: Principal| async move { principal.subject().to_owned() };
    let app = App::new()
        .app_data(fixture.auth.clone())
        .route("/me", web::get().to(me))
        .route("/livez", web::get().to(|| async { "alive" }));
    let app = http::init_service(app).await;
    let bearer = (
        header::AUTHORIZATION,
        format!("Bearer {}", fixture.token().sub("user-1").sign()),
    );
    let get = |path| {
        http::TestRequest::get()
            .uri(path)
            .insert_header(bearer.clone())
            .to_request()
    };

    let mut waiting = Box::pin(http::call_service(&app, get("/me")));
    assert!(poll_once(&mut waiting).await.is_pending());
    for _ in 0..100 {
        let alive = http::call_service(&app, get("/livez"))
            .now_or_never()
            .expect("the route does not wait");
        assert_eq!(alive.status(), 200);
    }
    fixture.clock.advance(secs(2));
    let response = waiting.await;
    assert_eq!(
        (
            response.status().as_u16(),
            response
                .headers()
                .get(header::RETRY_AFTER)
                .unwrap()
                .as_bytes()
        ),
        (503, &b"1"[..])
    );
    assert!(
        response.headers().get(header::WWW_AUTHENTICATE).is_none(),
        "the token is not at fault"
    );
    let body: serde_json::Value = http::read_body_json(response).await;
    assert_eq!(body["error"]["code"], "KEYS_UNAVAILABLE");

    fixture.idp.release();
    fixture.wait_for_attempts(1).await;
    let response = http::call_and_read_body(&app, get("/me")).await;
    assert_eq!(response, "user-1");
}

#[tokio::test]
async fn a_disconnected_client_does_not_cancel_a_shared_fetch() {
    let fixture = Fixture::start_with_pending_fetch().await;
    let token = fixture.token().sign();
    let (mut first, mut second) = (
        Box::pin(fixture.verify(&token)),
        Box::pin(fixture.verify(&token)),
    );
    assert!(poll_once(&mut first).await.is_pending());
    assert!(poll_once(&mut second).await.is_pending());
    drop(first);
    yield_to_tasks().await;
    fixture.idp.release();
    assert_eq!(result_code(&second.await), "OK");
    assert_eq!(
        (fixture.idp.fetches(), fixture.fetch_outcomes("updated")),
        (1, 1)
    );
}

#[tokio::test]
async fn a_disconnect_of_the_initiator_does_not_cancel_the_fetch() {
    let fixture = Fixture::start().await;
    fixture.idp.rotate();
    fixture.idp.set_faults(Faults::hang());
    let token = fixture.token().sign();
    let mut first = Box::pin(fixture.verify(&token));
    assert!(poll_once(&mut first).await.is_pending());
    fixture.wait_for_fetches(2).await;
    let mut second = Box::pin(fixture.verify(&token));
    assert!(poll_once(&mut second).await.is_pending());
    drop(first);
    yield_to_tasks().await;
    fixture.idp.recover();
    // The second request joined the running fetch, which returns the key.
    assert_eq!(result_code(&second.await), "OK");
    assert_eq!(fixture.idp.fetches(), 2);
}

#[tokio::test]
async fn a_fetch_completes_after_its_only_client_disconnects() {
    let fixture = Fixture::start().await;
    fixture.idp.rotate();
    let token = fixture.token().sign();
    drop(fixture.auth.try_verify(&token));
    fixture.wait_for_attempts(2).await;
    assert!(matches!(
        fixture.auth.try_verify(&token),
        Verification::Ready(Ok(_))
    ));
}

#[tokio::test]
async fn the_system_clock_accepts_tokens_and_rejects_forgeries() {
    let idp = MockIdp::start().await;
    let auth = Bearward::builder()
        .issuer(idp.as_issuer())
        .build()
        .await
        .unwrap();
    assert_eq!(result_code(&auth.verify(&idp.token().sign()).await), "OK");
    for forged in FORGERIES {
        assert_ne!(
            result_code(&auth.verify(&idp.token().forged(forged).unwrap()).await),
            "OK",
            "{forged}"
        );
    }
    assert_eq!(
        result_code(&auth.verify(&idp.token().expired().sign()).await),
        "TOKEN_EXPIRED"
    );
    assert_eq!(idp.fetches(), 1);
}
