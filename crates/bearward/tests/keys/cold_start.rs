//! Before the first key set is there.

use std::time::Duration;

use actix_web::{App, http::header, test as http, web};
use {Bearward, Principal, Verification};
use bearward_testing::{FORGERIES, Faults, MockIdp};
use futures_util::{FutureExt, future::join_all};

use crate::stack::{Stack, builder, code, idp, s, settle, until};

#[tokio::test]
async fn a_herd_of_500_cold_requests_makes_one_fetch_and_all_succeed() {
    let stack = Stack::hanging().await;
    let tokens: Vec<String> = (0..500)
        .map(|n| stack.token().sub(&format!("user-{n}")).sign())
        .collect();
    let herd = join_all(tokens.iter().map(|token| stack.verify(token)));
    let watch = async {
        until("all 500 wait", || stack.clock.sleepers() == 500).await;
        stack.idp.release();
    };
    let (verified, ()) = tokio::join!(herd, watch);
    for (n, user) in verified.into_iter().enumerate() {
        assert_eq!(user.unwrap().subject(), format!("user-{n}"));
    }
    assert_eq!((stack.idp.fetches(), stack.outcome("updated")), (1, 1));
}

/// The same without a hand that holds the fetch back: some of the herd come before it, some during
/// it, some after it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_herd_that_races_the_first_fetch_makes_no_second_one() {
    let stack = Stack::cold().await;
    let herd: Vec<_> = (0..500)
        .map(|n| {
            let (auth, token) = (
                stack.auth.clone(),
                stack.token().sub(&format!("user-{n}")).sign(),
            );
            tokio::spawn(async move { auth.verify(&token).await })
        })
        .collect();
    for request in herd {
        assert_eq!(code(&request.await.unwrap()), "OK");
    }
    assert_eq!(stack.idp.fetches(), 1);
}

#[tokio::test]
async fn the_first_fetch_begins_without_any_request() {
    let stack = Stack::cold().await;
    stack.asked(1).await;
    stack.attempted(1).await;
    let token = stack.token().sign();
    assert!(
        matches!(stack.auth.try_verify(&token), Verification::Ready(Ok(_))),
        "and then no request waits"
    );
    assert_eq!(stack.state(), "fresh");
}

#[tokio::test]
async fn building_does_not_wait_for_the_identity_provider() {
    let idp = idp().await;
    idp.set_faults(Faults::hang());
    let auth = builder(&idp)
        .build()
        .now_or_never()
        .expect("no await")
        .unwrap();
    assert!(!auth.is_ready());
    let status = auth.key_set_statuses().swap_remove(0);
    assert_eq!(
        (status.state(), status.keys, status.generation, status.age),
        ("empty", 0, 0, None)
    );
    until("the fetch begins", || idp.fetches() == 1).await;
    idp.release();
    auth.wait_for_initial_fetch().await;
    assert!(auth.is_ready());
}

#[tokio::test]
async fn a_request_waits_two_seconds_for_a_slow_identity_provider_and_is_then_503() {
    let stack = Stack::hanging().await;
    let (auth, token) = (stack.auth.clone(), stack.token().sign());
    let request = tokio::spawn(async move { auth.verify(&token).await });
    until("it waits", || stack.clock.sleepers() == 1).await;
    assert_eq!(stack.clock.next_wake(), Some(s(2)));
    stack.clock.advance(Duration::from_millis(1999));
    settle().await;
    assert!(!request.is_finished());
    stack.clock.advance(Duration::from_millis(1));
    let refusal = request.await.unwrap().unwrap_err();
    assert_eq!(
        refusal.error,
        bearward::AuthError::KeysUnavailable { retry_after: s(1) }
    );
    stack.idp.release();
    stack.attempted(1).await;
    assert_eq!(
        stack.code(&stack.token().sign()).await,
        "OK",
        "the fetch went on"
    );
    assert_eq!(stack.idp.fetches(), 1);
}

#[actix_web::test]
async fn on_the_wire_that_is_503_with_retry_after_and_other_routes_answer_meanwhile() {
    let stack = Stack::hanging().await;
    let me = |principal: Principal| async move { principal.subject().to_owned() };
    let app = App::new()
        .app_data(stack.auth.clone())
        .route("/me", web::get().to(me))
        .route("/livez", web::get().to(|| async { "alive" }));
    let app = http::init_service(app).await;
    let bearer = (
        header::AUTHORIZATION,
        format!("Bearer {}", stack.token().sub("user-1").sign()),
    );
    let get = |path| {
        http::TestRequest::get()
            .uri(path)
            .insert_header(bearer.clone())
            .to_request()
    };

    let mut waiting = Box::pin(http::call_service(&app, get("/me")));
    assert!(futures_util::poll!(&mut waiting).is_pending());
    for _ in 0..100 {
        let alive = http::call_service(&app, get("/livez"))
            .now_or_never()
            .expect("nothing to wait for");
        assert_eq!(alive.status(), 200);
    }
    stack.clock.advance(s(2));
    let answer = waiting.await;
    assert_eq!(
        (
            answer.status().as_u16(),
            answer
                .headers()
                .get(header::RETRY_AFTER)
                .unwrap()
                .as_bytes()
        ),
        (503, &b"1"[..])
    );
    assert!(
        answer.headers().get(header::WWW_AUTHENTICATE).is_none(),
        "nothing is wrong with the token"
    );
    let body: serde_json::Value = http::read_body_json(answer).await;
    assert_eq!(body["error"]["code"], "KEYS_UNAVAILABLE");

    stack.idp.release();
    stack.attempted(1).await;
    let answer = http::call_and_read_body(&app, get("/me")).await;
    assert_eq!(answer, "user-1");
}

#[tokio::test]
async fn a_client_that_hangs_up_does_not_cancel_the_fetch_for_the_others() {
    let stack = Stack::hanging().await;
    let token = stack.token().sign();
    let (mut first, mut second) = (
        Box::pin(stack.verify(&token)),
        Box::pin(stack.verify(&token)),
    );
    assert!(futures_util::poll!(&mut first).is_pending());
    assert!(futures_util::poll!(&mut second).is_pending());
    drop(first);
    settle().await;
    stack.idp.release();
    assert_eq!(code(&second.await), "OK");
    assert_eq!((stack.idp.fetches(), stack.outcome("updated")), (1, 1));
}

#[tokio::test]
async fn the_same_holds_when_the_client_that_caused_the_fetch_hangs_up() {
    let stack = Stack::warm().await;
    stack.idp.rotate();
    stack.idp.set_faults(Faults::hang());
    let token = stack.token().sign();
    let mut first = Box::pin(stack.verify(&token));
    assert!(futures_util::poll!(&mut first).is_pending());
    stack.asked(2).await;
    let mut second = Box::pin(stack.verify(&token));
    assert!(futures_util::poll!(&mut second).is_pending());
    drop(first);
    settle().await;
    stack.idp.recover();
    // The second asked while the fetch was under way, but its answer has the key.
    assert_eq!(code(&second.await), "OK");
    assert_eq!(stack.idp.fetches(), 2);
}

#[tokio::test]
async fn a_client_that_asks_and_hangs_up_at_once_leaves_the_keys_behind() {
    let stack = Stack::warm().await;
    stack.idp.rotate();
    let token = stack.token().sign();
    drop(stack.auth.try_verify(&token));
    stack.attempted(2).await;
    assert!(matches!(
        stack.auth.try_verify(&token),
        Verification::Ready(Ok(_))
    ));
}

#[tokio::test]
async fn by_the_machines_own_clock_a_token_is_accepted_and_its_forgeries_are_refused() {
    let idp = MockIdp::start().await;
    let auth = Bearward::builder()
        .issuer(idp.as_issuer())
        .build()
        .await
        .unwrap();
    assert_eq!(code(&auth.verify(&idp.token().sign()).await), "OK");
    for forged in FORGERIES {
        assert_ne!(
            code(&auth.verify(&idp.token().forged(forged).unwrap()).await),
            "OK",
            "{forged}"
        );
    }
    assert_eq!(
        code(&auth.verify(&idp.token().expired().sign()).await),
        "TOKEN_EXPIRED"
    );
    assert_eq!(idp.fetches(), 1);
}
