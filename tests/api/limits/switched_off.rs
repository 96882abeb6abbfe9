//! `rate_limit.enabled = false`.

use reqwest::Method;

use super::stand::{BURST, Stand};
use crate::world::send;

#[tokio::test]
async fn nothing_is_limited() {
    let stand = Stand::with(&[("rate_limit.enabled", "false")]).await;
    let (good, bad, from) = (stand.good(), stand.bad(), "198.51.100.7");
    for _ in 0..5 * BURST {
        assert_eq!(stand.ask("/protected", from, &bad).await.status, 401);
        assert_eq!(stand.ask("/api/auth/me", from, &good).await.status, 200);
        assert_eq!(
            send(stand.request(Method::GET, "/api/auth/google", from))
                .await
                .status,
            200
        );
    }
}
