//! Refused tokens count against the address that they come from; a good one from there passes all the same.

use std::time::Duration;

use crate::stand::{BURST, INTERVAL, Stand, send};

const OFFICE: &str = "198.51.100.7";

#[actix_web::test]
async fn when_the_quota_is_used_up_a_refused_token_is_429_until_there_is_room_again() {
    let stand = Stand::start().await;
    let bad = stand.bad();
    for _ in 0..BURST {
        assert_eq!(stand.ask(OFFICE, &bad).await.refusal(), (401, "INVALID_SIGNATURE".to_owned()));
    }
    stand.ask(OFFICE, &bad).await.is_limited(10);
    stand.clock.advance(INTERVAL.checked_sub(Duration::from_millis(1)).unwrap());
    stand.ask(OFFICE, &bad).await.is_limited(1);
    stand.clock.advance(Duration::from_millis(1));
    let refused = stand.ask(OFFICE, &bad).await;
    assert_eq!(refused.refusal(), (401, "INVALID_SIGNATURE".to_owned()));
    assert!(refused.header("www-authenticate").unwrap().contains("invalid_token"));
    stand.ask(OFFICE, &bad).await.is_limited(10);
}

#[actix_web::test]
async fn a_good_token_of_the_same_address_is_never_hurt_and_never_counted() {
    let stand = Stand::start().await;
    let good = stand.good();
    for _ in 0..5 * BURST {
        assert_eq!(stand.ask(OFFICE, &good).await.status, 200);
    }
    stand.used_up(OFFICE).await;
    for _ in 0..5 * BURST {
        assert_eq!(stand.ask(OFFICE, &good).await.status, 200);
    }
}

#[actix_web::test]
async fn a_request_without_a_token_is_neither_counted_nor_limited() {
    let stand = Stand::start().await;
    let nobody = || send(stand.get("/protected").header("x-forwarded-for", OFFICE));
    for _ in 0..5 * BURST {
        assert_eq!(nobody().await.refusal(), (401, "MISSING_TOKEN".to_owned()));
    }
    stand.used_up(OFFICE).await;
    assert_eq!(nobody().await.refusal(), (401, "MISSING_TOKEN".to_owned()));
}

#[actix_web::test]
async fn a_good_token_that_does_not_suffice_is_no_bad_token() {
    let stand = Stand::start().await;
    let token = stand.idp.token().aal("aal1").sign();
    let ask = async |path: &str| send(stand.get(path).header("x-forwarded-for", OFFICE).bearer_auth(&token)).await.refusal().1;
    for _ in 0..5 * BURST {
        assert_eq!(ask("/api/auth/verify?aal=aal2").await, "STEP_UP_REQUIRED");
        assert_eq!(ask("/api/auth/verify?role=admin").await, "INSUFFICIENT_ROLE");
    }
    stand.used_up(OFFICE).await;
    assert_eq!(ask("/api/auth/verify?aal=aal2").await, "STEP_UP_REQUIRED");
}

#[actix_web::test]
async fn every_bearer_route_counts_and_all_of_them_together() {
    let stand = Stand::start().await;
    let bad = stand.bad();
    let ask = async |path: &str| send(stand.get(path).header("x-forwarded-for", OFFICE).bearer_auth(&bad)).await;
    for path in ["/protected", "/api/auth/verify", "/protected"] {
        assert_eq!(ask(path).await.status, 401, "{path}");
    }
    for path in ["/protected", "/api/auth/verify"] {
        ask(path).await.is_limited(10);
    }
}

#[actix_web::test]
async fn another_address_is_not_hurt() {
    let stand = Stand::start().await;
    stand.used_up(OFFICE).await;
    assert_eq!(stand.ask("198.51.100.8", &stand.bad()).await.status, 401);
}

#[actix_web::test]
async fn what_operators_and_strangers_ask_is_never_limited() {
    let stand = Stand::start().await;
    stand.used_up(OFFICE).await;
    for path in ["/health", "/livez", "/readyz", "/metrics", "/.well-known/oauth-protected-resource"] {
        for _ in 0..5 * BURST {
            let request = stand.get(path).header("x-forwarded-for", OFFICE).bearer_auth(stand.bad());
            assert_eq!(send(request).await.status, 200, "{path}");
        }
    }
}
