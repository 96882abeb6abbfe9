//! A user's quota, which a handler counts once it knows who asks.

use std::time::Duration;

use crate::stand::{Answer, BURST, INTERVAL, Stand, send};

const ADA: &str = "0198f3a2-7c1e-7abc-8def-0123456789ab";
const GRACE: &str = "0198f3a2-7c1e-7abc-8def-0123456789ac";

async fn mine(stand: &Stand, subject: &str, from: &str) -> Answer {
    let token = stand.idp.token().sub(subject).sign();
    send(stand.get("/mine").header("x-forwarded-for", from).bearer_auth(token)).await
}

#[actix_web::test]
async fn a_user_is_limited_whatever_the_address_and_the_token() {
    let stand = Stand::start().await;
    for from in ["198.51.100.1", "198.51.100.2", "198.51.100.3"] {
        assert_eq!(mine(&stand, ADA, from).await.body, "yours");
    }
    mine(&stand, ADA, "198.51.100.4").await.is_limited(10);
    stand.clock.advance(INTERVAL.checked_sub(Duration::from_millis(1)).unwrap());
    mine(&stand, ADA, "198.51.100.4").await.is_limited(1);
    stand.clock.advance(Duration::from_millis(1));
    assert_eq!(mine(&stand, ADA, "198.51.100.4").await.status, 200);
}

#[actix_web::test]
async fn users_of_one_address_have_a_quota_each() {
    let stand = Stand::start().await;
    for subject in [ADA, GRACE, "charles"] {
        for _ in 0..BURST {
            assert_eq!(mine(&stand, subject, "198.51.100.1").await.status, 200);
        }
        mine(&stand, subject, "198.51.100.1").await.is_limited(10);
    }
}
