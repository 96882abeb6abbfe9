//! Limit per user, shared by all routes with an account.

use std::time::Duration;

use super::fixture::{BURST, Fixture, INTERVAL};

#[tokio::test]
async fn the_user_limit_spans_addresses_tokens_and_routes() {
    let fixture = Fixture::start().await;
    let token = |aal: &str| fixture.app.token("ada").aal(aal).sign();
    let routes = ["/api/user/api-keys", "/api/auth/me", "/api/status"];
    for (path, from) in routes
        .into_iter()
        .zip(["198.51.100.1", "198.51.100.2", "198.51.100.3"])
    {
        fixture
            .get(path, from, &token("aal1"))
            .await
            .expect_status(200);
    }
    for path in routes {
        fixture
            .get(path, "198.51.100.4", &token("aal2"))
            .await
            .assert_rate_limited(10);
    }
    fixture.advance(INTERVAL.checked_sub(Duration::from_millis(1)).unwrap());
    fixture
        .get("/api/status", "198.51.100.4", &token("aal1"))
        .await
        .assert_rate_limited(1);
    fixture.advance(Duration::from_millis(1));
    fixture
        .get("/api/auth/me", "198.51.100.4", &token("aal1"))
        .await
        .expect_status(200);
}

#[tokio::test]
async fn each_user_has_its_own_quota() {
    let fixture = Fixture::start().await;
    let tokens = [
        fixture.app.token("ada").sign(),
        fixture.app.token("grace").sign(),
        fixture.app.other.token().sub("ada").sign(),
    ];
    for token in tokens {
        for _ in 0..BURST {
            fixture
                .get("/api/auth/me", "198.51.100.1", &token)
                .await
                .expect_status(200);
        }
        fixture
            .get("/api/auth/me", "198.51.100.1", &token)
            .await
            .assert_rate_limited(10);
    }
}

#[tokio::test]
async fn forward_auth_and_protected_are_not_limited_per_user() {
    let fixture = Fixture::start().await;
    let token = fixture.app.token("ada").sign();
    for _ in 0..5 * BURST {
        for path in ["/api/auth/verify", "/protected"] {
            fixture
                .get(path, "198.51.100.1", &token)
                .await
                .expect_status(200);
        }
    }
    fixture
        .get("/api/auth/me", "198.51.100.1", &token)
        .await
        .expect_status(200);
}
