//! A user's quota, over every route that asks for a token.

use std::time::Duration;

use super::stand::{BURST, INTERVAL, Stand};

#[tokio::test]
async fn a_user_is_limited_whatever_the_address_the_token_and_the_route() {
    let stand = Stand::start().await;
    let token = |aal: &str| stand.0.token("ada").aal(aal).sign();
    let routes = ["/api/user/api-keys", "/api/auth/me", "/api/status"];
    for (path, from) in routes
        .into_iter()
        .zip(["198.51.100.1", "198.51.100.2", "198.51.100.3"])
    {
        stand.ask(path, from, &token("aal1")).await.expect(200);
    }
    for path in routes {
        stand
            .ask(path, "198.51.100.4", &token("aal2"))
            .await
            .is_limited(10);
    }
    stand.advance(INTERVAL.checked_sub(Duration::from_millis(1)).unwrap());
    stand
        .ask("/api/status", "198.51.100.4", &token("aal1"))
        .await
        .is_limited(1);
    stand.advance(Duration::from_millis(1));
    stand
        .ask("/api/auth/me", "198.51.100.4", &token("aal1"))
        .await
        .expect(200);
}

#[tokio::test]
async fn users_of_one_address_have_a_quota_each_and_so_has_the_same_subject_of_another_issuer() {
    let stand = Stand::start().await;
    let tokens = [
        stand.0.token("ada").sign(),
        stand.0.token("grace").sign(),
        stand.0.other.token().sub("ada").sign(),
    ];
    for token in tokens {
        for _ in 0..BURST {
            stand
                .ask("/api/auth/me", "198.51.100.1", &token)
                .await
                .expect(200);
        }
        stand
            .ask("/api/auth/me", "198.51.100.1", &token)
            .await
            .is_limited(10);
    }
}

#[tokio::test]
async fn what_gateways_ask_and_the_plainest_route_are_not_counted() {
    let stand = Stand::start().await;
    let token = stand.0.token("ada").sign();
    for _ in 0..5 * BURST {
        for path in ["/api/auth/verify", "/protected"] {
            stand.ask(path, "198.51.100.1", &token).await.expect(200);
        }
    }
    stand
        .ask("/api/auth/me", "198.51.100.1", &token)
        .await
        .expect(200);
}
