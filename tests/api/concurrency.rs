//! Concurrent requests: no lost writes and no internal errors.

use std::{collections::HashSet, sync::Arc};

use serde_json::json;
use test_support::database::query_number;

use crate::test_app::TestApp;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_concurrent_writers_lose_no_rows() {
    const WRITERS: usize = 64;
    const EACH: usize = 20;
    let app = Arc::new(TestApp::start().await);
    let writers = (0..WRITERS).map(|writer| {
        let app = Arc::clone(&app);
        tokio::spawn(async move {
            let token = app.token(&format!("user-{}", writer % 16)).sign();
            let mut ids = Vec::new();
            for n in 0..EACH {
                let created = app
                    .post(
                        "/api/status",
                        &token,
                        &json!({ "client_name": format!("{writer}-{n}") }),
                    )
                    .await
                    .expect_status(201);
                ids.push(created["id"].to_string());
            }
            ids
        })
    });
    let ids: HashSet<String> = futures_util::future::try_join_all(writers)
        .await
        .unwrap()
        .concat()
        .into_iter()
        .collect();
    assert_eq!(ids.len(), WRITERS * EACH);
    let rows = query_number(&app.database, "SELECT COUNT(*) FROM status_checks").await;
    assert_eq!(usize::try_from(rows), Ok(WRITERS * EACH));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_updates_and_deletions_stay_consistent() {
    let app = Arc::new(TestApp::start().await);
    let tasks = (0..60).map(|n| {
        // A deletion revokes the tokens that were issued before its own.
        let issued_at = app.clock_seconds() + n / 3;
        let token = app.token("ada").claim("iat", issued_at).sign();
        let app = Arc::clone(&app);
        tokio::spawn(async move {
            match n % 3 {
                0 => {
                    app.patch("/api/user", &token, &json!({ "name": format!("name {n}") }))
                        .await
                }
                1 => {
                    app.post("/api/status", &token, &json!({"client_name": "web"}))
                        .await
                }
                _ => app.delete("/api/user", &token).await,
            }
        })
    });
    for response in futures_util::future::try_join_all(tasks).await.unwrap() {
        assert!(
            matches!(response.status, 200 | 201 | 204 | 401 | 404),
            "{response:?}"
        );
    }
    assert!(query_number(&app.database, "SELECT COUNT(*) FROM users").await <= 1);
    let orphans = "SELECT COUNT(*) FROM status_checks WHERE user_id NOT IN (SELECT id FROM users)";
    assert_eq!(query_number(&app.database, orphans).await, 0);
}
