//! Refused tokens count against the address that they come from; a good one from there passes all
//! the same.

use std::time::Duration;

use reqwest::Method;

use super::stand::{BURST, INTERVAL, Stand};
use crate::world::send;

const OFFICE: &str = "198.51.100.7";

#[tokio::test]
async fn when_the_quota_is_used_up_a_refused_token_is_429_until_there_is_room_again() {
    let stand = Stand::start().await;
    let bad = stand.bad();
    for _ in 0..BURST {
        stand
            .ask("/protected", OFFICE, &bad)
            .await
            .refuses(401, "INVALID_SIGNATURE");
    }
    stand.ask("/protected", OFFICE, &bad).await.is_limited(10);
    stand.advance(INTERVAL.checked_sub(Duration::from_millis(1)).unwrap());
    stand.ask("/protected", OFFICE, &bad).await.is_limited(1);
    stand.advance(Duration::from_millis(1));
    let refused = stand.ask("/protected", OFFICE, &bad).await;
    refused.refuses(401, "INVALID_SIGNATURE");
    assert!(refused.header("www-authenticate").contains("invalid_token"));
    stand.ask("/protected", OFFICE, &bad).await.is_limited(10);
}

#[tokio::test]
async fn a_good_token_of_the_same_address_is_never_hurt_and_never_counted() {
    let stand = Stand::start().await;
    for _ in 0..5 * BURST {
        assert_eq!(
            stand.ask("/protected", OFFICE, &stand.good()).await.status,
            200
        );
    }
    stand.used_up(OFFICE).await;
    for _ in 0..5 * BURST {
        assert_eq!(
            stand.ask("/protected", OFFICE, &stand.good()).await.status,
            200
        );
    }
}

#[tokio::test]
async fn a_request_without_a_token_is_neither_counted_nor_limited() {
    let stand = Stand::start().await;
    let nobody = || send(stand.request(Method::GET, "/protected", OFFICE));
    for _ in 0..5 * BURST {
        nobody().await.refuses(401, "MISSING_TOKEN");
    }
    stand.used_up(OFFICE).await;
    nobody().await.refuses(401, "MISSING_TOKEN");
}

#[tokio::test]
async fn a_good_token_that_does_not_suffice_is_no_bad_token() {
    let stand = Stand::start().await;
    let ask = async |path: &str| {
        stand.ask(path, OFFICE, &stand.good()).await.json()["error"]["code"].clone()
    };
    for _ in 0..5 * BURST {
        assert_eq!(ask("/api/auth/verify?aal=aal2").await, "STEP_UP_REQUIRED");
        assert_eq!(
            ask("/api/auth/verify?role=admin").await,
            "INSUFFICIENT_ROLE"
        );
    }
    stand.used_up(OFFICE).await;
    assert_eq!(ask("/api/auth/verify?aal=aal2").await, "STEP_UP_REQUIRED");
}

#[tokio::test]
async fn every_bearer_route_counts_and_all_of_them_together() {
    let stand = Stand::start().await;
    let bad = stand.bad();
    let ask = async |path: &str| stand.ask(path, OFFICE, &bad).await;
    for path in ["/protected", "/api/auth/verify", "/api/status"] {
        assert_eq!(ask(path).await.status, 401, "{path}");
    }
    for path in [
        "/protected",
        "/api/auth/verify",
        "/api/user",
        "/api/auth/me",
    ] {
        ask(path).await.is_limited(10);
    }
}

#[tokio::test]
async fn another_address_is_not_hurt() {
    let stand = Stand::start().await;
    stand.used_up(OFFICE).await;
    assert_eq!(
        stand
            .ask("/protected", "198.51.100.8", &stand.bad())
            .await
            .status,
        401
    );
}

#[tokio::test]
async fn what_operators_and_strangers_ask_is_never_limited() {
    let stand = Stand::start().await;
    stand.used_up(OFFICE).await;
    for path in [
        "/health",
        "/livez",
        "/readyz",
        "/metrics",
        "/.well-known/oauth-protected-resource",
    ] {
        for _ in 0..5 * BURST {
            assert_eq!(
                stand.ask(path, OFFICE, &stand.bad()).await.status,
                200,
                "{path}"
            );
        }
    }
}
