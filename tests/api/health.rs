//! Health of the database.

use crate::test_app::TestApp;

#[tokio::test]
async fn a_reachable_database_is_reported_as_ok() {
    let app = TestApp::start().await;
    let health = app.get("/health", "").await.expect_status(200);
    assert_eq!(
        (health["status"].as_str(), health["database"].as_str()),
        (Some("ok"), Some("ok"))
    );
    for path in ["/readyz", "/readyz?check=keys", "/readyz?_=1"] {
        assert_eq!(app.get(path, "").await.status, 200, "{path}");
    }
    let errors = app.get("/readyz?check=other", "").await.field_errors();
    assert_eq!(
        errors,
        [("check".to_owned(), "must be \"keys\"".to_owned())]
    );
}
