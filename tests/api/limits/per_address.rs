//! Limit per address on public endpoints: each request counts before it is parsed.

use std::time::Duration;

use reqwest::Method;

use super::fixture::{BURST, Fixture, INTERVAL};
use crate::test_app::{ApiResponse, send};

const ADA: &str = "198.51.100.7";

async fn sign_in(fixture: &Fixture, from: &str) -> ApiResponse {
    send(
        fixture
            .request(Method::POST, "/api/auth/google", from)
            .body("{}")
            .header("content-type", "application/json"),
    )
    .await
}

async fn exhaust(fixture: &Fixture, from: &str) {
    for _ in 0..BURST {
        assert_eq!(sign_in(fixture, from).await.status, 422);
    }
}

#[tokio::test]
async fn requests_over_the_burst_are_limited_until_the_quota_refills() {
    let fixture = Fixture::start().await;
    exhaust(&fixture, ADA).await;
    sign_in(&fixture, ADA).await.assert_rate_limited(10);
    fixture.advance(INTERVAL.checked_sub(Duration::from_millis(1)).unwrap());
    sign_in(&fixture, ADA).await.assert_rate_limited(1);
    fixture.advance(Duration::from_millis(1));
    assert_eq!(sign_in(&fixture, ADA).await.status, 422);
    sign_in(&fixture, ADA).await.assert_rate_limited(10);
}

#[tokio::test]
async fn requests_are_counted_before_method_and_body_are_checked() {
    let fixture = Fixture::start().await;
    for _ in 0..BURST {
        assert_eq!(
            send(fixture.request(Method::PUT, "/api/auth/google", ADA))
                .await
                .status,
            405
        );
    }
    send(fixture.request(Method::PUT, "/api/auth/google", ADA))
        .await
        .assert_rate_limited(10);
    send(
        fixture
            .request(Method::POST, "/api/auth/google", ADA)
            .body("x".repeat(1000)),
    )
    .await
    .assert_rate_limited(10);
}

#[tokio::test]
async fn each_address_has_its_own_quota() {
    let fixture = Fixture::start().await;
    exhaust(&fixture, ADA).await;
    assert_eq!(sign_in(&fixture, "198.51.100.8").await.status, 422);
    sign_in(&fixture, &format!("203.0.113.1, {ADA}"))
        .await
        .assert_rate_limited(10);
}

#[tokio::test]
async fn an_ipv6_64_prefix_is_one_client() {
    let fixture = Fixture::start().await;
    exhaust(&fixture, "2001:db8:1:2::3").await;
    sign_in(&fixture, "2001:db8:1:2:ffff:ffff:ffff:ffff")
        .await
        .assert_rate_limited(10);
    assert_eq!(sign_in(&fixture, "2001:db8:1:3::3").await.status, 422);
}

#[tokio::test]
async fn x_forwarded_for_is_ignored_without_a_trusted_proxy() {
    let fixture = Fixture::start_with(&[("server.trusted_proxies", "10.0.0.0/8")]).await;
    for from in ["198.51.100.1", "198.51.100.2", "198.51.100.3"] {
        assert_eq!(sign_in(&fixture, from).await.status, 422);
    }
    sign_in(&fixture, "198.51.100.4")
        .await
        .assert_rate_limited(10);
}

#[tokio::test]
async fn requests_for_the_sign_in_url_are_not_limited() {
    let fixture = Fixture::start().await;
    exhaust(&fixture, ADA).await;
    for _ in 0..5 * BURST {
        assert_eq!(
            send(fixture.request(Method::GET, "/api/auth/google", ADA))
                .await
                .status,
            200
        );
    }
}

#[tokio::test]
async fn invalid_tokens_do_not_use_the_sign_in_quota() {
    let fixture = Fixture::start().await;
    fixture.exhaust_invalid_tokens(ADA).await;
    exhaust(&fixture, ADA).await;
    sign_in(&fixture, ADA).await.assert_rate_limited(10);
}
