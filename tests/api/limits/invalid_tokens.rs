//! Limit on invalid tokens per address. Valid tokens from the same address are not affected.

use std::time::Duration;

use bearward::Clock;
use reqwest::Method;

use super::fixture::{BURST, Fixture, INTERVAL};
use crate::test_app::send;

const OFFICE: &str = "198.51.100.7";

#[tokio::test]
async fn invalid_tokens_over_the_quota_are_429_until_it_refills() {
    let fixture = Fixture::start().await;
    let invalid_token = fixture.invalid_token();
    for _ in 0..BURST {
        fixture
            .get("/protected", OFFICE, &invalid_token)
            .await
            .assert_error(401, "INVALID_SIGNATURE");
    }
    fixture
        .get("/protected", OFFICE, &invalid_token)
        .await
        .assert_invalid_token_limited(10);
    fixture.advance(INTERVAL.checked_sub(Duration::from_millis(1)).unwrap());
    fixture
        .get("/protected", OFFICE, &invalid_token)
        .await
        .assert_invalid_token_limited(1);
    fixture.advance(Duration::from_millis(1));
    let response = fixture.get("/protected", OFFICE, &invalid_token).await;
    response.assert_error(401, "INVALID_SIGNATURE");
    assert!(
        response
            .header("www-authenticate")
            .contains("invalid_token")
    );
    fixture
        .get("/protected", OFFICE, &invalid_token)
        .await
        .assert_invalid_token_limited(10);
}

#[tokio::test]
async fn valid_tokens_are_neither_limited_nor_counted() {
    let fixture = Fixture::start().await;
    for _ in 0..5 * BURST {
        assert_eq!(
            fixture
                .get("/protected", OFFICE, &fixture.new_user_token())
                .await
                .status,
            200
        );
    }
    fixture.exhaust_invalid_tokens(OFFICE).await;
    for _ in 0..5 * BURST {
        assert_eq!(
            fixture
                .get("/protected", OFFICE, &fixture.new_user_token())
                .await
                .status,
            200
        );
    }
}

#[tokio::test]
async fn requests_without_a_token_are_neither_limited_nor_counted() {
    let fixture = Fixture::start().await;
    let without_token = || send(fixture.request(Method::GET, "/protected", OFFICE));
    for _ in 0..5 * BURST {
        without_token().await.assert_error(401, "MISSING_TOKEN");
    }
    fixture.exhaust_invalid_tokens(OFFICE).await;
    without_token().await.assert_error(401, "MISSING_TOKEN");
}

#[tokio::test]
async fn insufficient_permissions_do_not_count_as_invalid_tokens() {
    let fixture = Fixture::start().await;
    let get_code = async |path: &str| {
        fixture
            .get(path, OFFICE, &fixture.new_user_token())
            .await
            .json()["error"]["code"]
            .clone()
    };
    for _ in 0..5 * BURST {
        assert_eq!(
            get_code("/api/auth/verify?aal=aal2").await,
            "STEP_UP_REQUIRED"
        );
        assert_eq!(
            get_code("/api/auth/verify?role=admin").await,
            "INSUFFICIENT_ROLE"
        );
    }
    fixture.exhaust_invalid_tokens(OFFICE).await;
    assert_eq!(
        get_code("/api/auth/verify?aal=aal2").await,
        "STEP_UP_REQUIRED"
    );
}

#[tokio::test]
async fn all_authenticated_routes_share_one_quota_per_address() {
    let fixture = Fixture::start().await;
    let invalid_token = fixture.invalid_token();
    let get_code = async |path: &str| fixture.get(path, OFFICE, &invalid_token).await;
    for path in ["/protected", "/api/auth/verify", "/api/status"] {
        assert_eq!(get_code(path).await.status, 401, "{path}");
    }
    for path in [
        "/protected",
        "/api/auth/verify",
        "/api/user",
        "/api/auth/me",
    ] {
        get_code(path).await.assert_invalid_token_limited(10);
    }
}

#[tokio::test]
async fn other_addresses_are_not_affected() {
    let fixture = Fixture::start().await;
    fixture.exhaust_invalid_tokens(OFFICE).await;
    assert_eq!(
        fixture
            .get("/protected", "198.51.100.8", &fixture.invalid_token())
            .await
            .status,
        401
    );
}

#[tokio::test]
async fn health_metrics_and_metadata_are_never_limited() {
    let fixture = Fixture::start().await;
    fixture.exhaust_invalid_tokens(OFFICE).await;
    for (path, status) in [
        ("/health", 200),
        ("/livez", 200),
        ("/readyz", 200),
        // Not served to clients behind a proxy.
        ("/metrics", 404),
        ("/.well-known/oauth-protected-resource", 200),
    ] {
        for _ in 0..5 * BURST {
            assert_eq!(
                fixture
                    .get(path, OFFICE, &fixture.invalid_token())
                    .await
                    .status,
                status,
                "{path}"
            );
        }
    }
}

#[tokio::test]
async fn expired_tokens_are_neither_limited_nor_counted() {
    let fixture = Fixture::start().await;
    let app = &fixture.app;
    let expired = app.token("ada").sign();
    fixture.advance(Duration::from_secs(2 * 3600));
    let early = app
        .token("ada")
        .claim("nbf", app.clock.now().unix() + 600)
        .sign();
    for _ in 0..5 * BURST {
        fixture
            .get("/protected", OFFICE, &expired)
            .await
            .assert_error(401, "TOKEN_EXPIRED");
    }
    fixture.exhaust_invalid_tokens(OFFICE).await;
    for (token, code) in [(&expired, "TOKEN_EXPIRED"), (&early, "TOKEN_NOT_YET_VALID")] {
        let response = fixture.get("/protected", OFFICE, token).await;
        response.assert_error(401, code);
        let challenge = response.header("www-authenticate");
        assert!(challenge.contains("invalid_token"), "{challenge}");
    }
}
