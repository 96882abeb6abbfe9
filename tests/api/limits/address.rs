//! A public resource: each request counts, before anything of it is looked at.

use std::time::Duration;

use reqwest::Method;

use super::stand::{BURST, INTERVAL, Stand};
use crate::world::{Answer, send};

const ADA: &str = "198.51.100.7";

async fn sign_in(stand: &Stand, from: &str) -> Answer {
    send(
        stand
            .request(Method::POST, "/api/auth/google", from)
            .body("{}")
            .header("content-type", "application/json"),
    )
    .await
}

async fn exhaust(stand: &Stand, from: &str) {
    for _ in 0..BURST {
        assert_eq!(sign_in(stand, from).await.status, 422);
    }
}

#[tokio::test]
async fn a_burst_passes_the_next_one_does_not_and_the_one_after_the_wait_does() {
    let stand = Stand::start().await;
    exhaust(&stand, ADA).await;
    sign_in(&stand, ADA).await.is_limited(10);
    stand.advance(INTERVAL.checked_sub(Duration::from_millis(1)).unwrap());
    sign_in(&stand, ADA).await.is_limited(1);
    stand.advance(Duration::from_millis(1));
    assert_eq!(sign_in(&stand, ADA).await.status, 422);
    sign_in(&stand, ADA).await.is_limited(10);
}

#[tokio::test]
async fn it_counts_before_the_method_and_the_body_are_looked_at() {
    let stand = Stand::start().await;
    for _ in 0..BURST {
        assert_eq!(
            send(stand.request(Method::PUT, "/api/auth/google", ADA))
                .await
                .status,
            405
        );
    }
    send(stand.request(Method::PUT, "/api/auth/google", ADA))
        .await
        .is_limited(10);
    send(
        stand
            .request(Method::POST, "/api/auth/google", ADA)
            .body("x".repeat(1000)),
    )
    .await
    .is_limited(10);
}

#[tokio::test]
async fn each_address_has_its_own_quota() {
    let stand = Stand::start().await;
    exhaust(&stand, ADA).await;
    assert_eq!(sign_in(&stand, "198.51.100.8").await.status, 422);
    sign_in(&stand, &format!("203.0.113.1, {ADA}"))
        .await
        .is_limited(10);
}

#[tokio::test]
async fn an_ipv6_network_of_64_bits_is_one_client() {
    let stand = Stand::start().await;
    exhaust(&stand, "2001:db8:1:2::3").await;
    sign_in(&stand, "2001:db8:1:2:ffff:ffff:ffff:ffff")
        .await
        .is_limited(10);
    assert_eq!(sign_in(&stand, "2001:db8:1:3::3").await.status, 422);
}

#[tokio::test]
async fn a_client_without_a_trusted_proxy_cannot_change_its_address() {
    let stand = Stand::with(&[("server.trusted_proxies", "10.0.0.0/8")]).await;
    for from in ["198.51.100.1", "198.51.100.2", "198.51.100.3"] {
        assert_eq!(sign_in(&stand, from).await.status, 422);
    }
    sign_in(&stand, "198.51.100.4").await.is_limited(10);
}

#[tokio::test]
async fn to_ask_where_to_sign_in_is_not_to_sign_in() {
    let stand = Stand::start().await;
    exhaust(&stand, ADA).await;
    for _ in 0..5 * BURST {
        assert_eq!(
            send(stand.request(Method::GET, "/api/auth/google", ADA))
                .await
                .status,
            200
        );
    }
}

#[tokio::test]
async fn bad_tokens_of_an_address_keep_nobody_there_from_signing_in() {
    let stand = Stand::start().await;
    stand.used_up(ADA).await;
    exhaust(&stand, ADA).await;
    sign_in(&stand, ADA).await.is_limited(10);
}
