//! Health of the database.

use crate::test_app::TestApp;

/// The route is public, and the rules of an issuer are policy.
#[tokio::test]
async fn no_rule_of_an_issuer_is_public() {
    let app = TestApp::start_with(&[
        ("issuers.main.client_ids", "secret-client"),
        (
            "issuers.main.require",
            r#"{"secret-claim": "secret-value"}"#,
        ),
        (
            "issuers.rules.issuer",
            "https://login.example.com/{secret_tid}/v2.0",
        ),
        ("issuers.rules.tenants", "secret-tenant"),
        ("issuers.rules.audiences", "secret-audience"),
        ("issuers.rules.jwks_url", "http://127.0.0.1:9/secret-keys"),
    ])
    .await;
    let health = app.get("/health", "").await.expect_status(200);
    assert!(health["issuers"]["main"].is_object(), "{health}");
    assert!(!health.to_string().contains("secret"), "{health}");
}

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
