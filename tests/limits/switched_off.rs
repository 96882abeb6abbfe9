//! `rate_limit.enabled = false`.

use crate::stand::{BURST, Stand, send};

#[actix_web::test]
async fn nothing_is_limited() {
    let stand = Stand::with(&[("BEARWARD_RATE_LIMIT__ENABLED", "false")]).await;
    let (good, bad) = (stand.good(), stand.bad());
    for _ in 0..5 * BURST {
        assert_eq!(stand.ask("198.51.100.7", &bad).await.status, 401);
        assert_eq!(send(stand.post("/sign-in").body("x")).await.status, 200);
        assert_eq!(send(stand.get("/mine").bearer_auth(&good)).await.status, 200);
    }
}
