//! `rate_limit.enabled = false`.

use reqwest::Method;

use super::fixture::{BURST, Fixture};
use crate::test_app::send;

#[tokio::test]
async fn nothing_is_limited_if_disabled() {
    let fixture = Fixture::start_with(&[("rate_limit.enabled", "false")]).await;
    let (valid_token, invalid_token, from) = (
        fixture.new_user_token(),
        fixture.invalid_token(),
        "198.51.100.7",
    );
    for _ in 0..5 * BURST {
        assert_eq!(
            fixture.get("/protected", from, &invalid_token).await.status,
            401
        );
        assert_eq!(
            fixture.get("/api/auth/me", from, &valid_token).await.status,
            200
        );
        assert_eq!(
            send(fixture.request(Method::GET, "/api/auth/google", from))
                .await
                .status,
            200
        );
    }
}
