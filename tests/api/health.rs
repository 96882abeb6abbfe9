//! What operators see of the database.

use crate::world::World;

#[tokio::test]
async fn a_database_that_answers_is_told_as_ok() {
    let world = World::start().await;
    let health = world.get("/health", "").await.expect(200);
    assert_eq!(
        (health["status"].as_str(), health["database"].as_str()),
        (Some("ok"), Some("ok"))
    );
    assert_eq!(world.get("/readyz", "").await.status, 200);
}
