//! `/api/status`: creation with idempotency keys, and paging.

use std::collections::HashSet;

use reqwest::Method;
use serde_json::{Value, json};

use crate::test_app::{ApiResponse, JsonBody, TestApp, send};

async fn create_status_check(app: &TestApp, token: &str, client: &str) -> Value {
    app.post("/api/status", token, &json!({ "client_name": client }))
        .await
        .expect_status(201)
}

async fn create_with_key(app: &TestApp, token: &str, client: &str, key: &str) -> ApiResponse {
    let request = app
        .request(Method::POST, "/api/status")
        .bearer_auth(token)
        .header("idempotency-key", key);
    send(request.json_body(&json!({ "client_name": client }))).await
}

fn names(page: &Value) -> Vec<&str> {
    page["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["client_name"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn status_checks_are_listed_newest_first() {
    let app = TestApp::start().await;
    let token = app.token("ada").sign();
    for client in ["first", "second", "third"] {
        let created = create_status_check(&app, &token, client).await;
        assert_eq!(created["client_name"], client);
        assert!(
            created["timestamp"]
                .as_str()
                .is_some_and(|at| at.ends_with('Z')),
            "{created}"
        );
        assert_eq!(created.as_object().map(serde_json::Map::len), Some(3));
    }
    let page = app.get("/api/status", &token).await.expect_status(200);
    assert_eq!(names(&page), ["third", "second", "first"]);
    assert_eq!(page["next_cursor"], Value::Null);
}

#[tokio::test]
async fn a_listed_status_check_equals_the_created_one() {
    let app = TestApp::start().await;
    let token = app.token("ada").sign();
    let created = create_status_check(&app, &token, "Größe 🐻").await;
    assert_eq!(
        app.get("/api/status", &token).await.expect_status(200)["items"][0],
        created
    );
}

#[tokio::test]
async fn paging_is_stable_while_rows_are_added() {
    let app = TestApp::start().await;
    let token = app.token("ada").sign();
    for n in 0..7 {
        create_status_check(&app, &token, &format!("early {n}")).await;
    }
    let (mut listed, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = app
            .get(&format!("/api/status?limit=3{cursor}"), &token)
            .await
            .expect_status(200);
        listed.extend(names(&page).into_iter().map(str::to_owned));
        create_status_check(&app, &token, "late").await;
        let Some(next) = page["next_cursor"].as_str() else {
            break;
        };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(
        listed,
        (0..7)
            .rev()
            .map(|n| format!("early {n}"))
            .collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn a_page_has_1_to_100_items() {
    let app = TestApp::start().await;
    let token = app.token("ada").sign();
    for limit in ["1", "100"] {
        app.get(&format!("/api/status?limit={limit}"), &token)
            .await
            .expect_status(200);
    }
    for invalid in ["0", "101", "-1", "many", "1e2", "9999999999999999999999"] {
        let errors = app
            .get(&format!("/api/status?limit={invalid}"), &token)
            .await
            .field_errors();
        assert_eq!(
            errors,
            [(
                "limit".to_owned(),
                "must be a number from 1 to 100".to_owned()
            )],
            "{invalid}"
        );
    }
}

#[tokio::test]
async fn invalid_cursors_and_unknown_parameters_are_rejected() {
    let app = TestApp::start().await;
    let token = app.token("ada").sign();
    for query in [
        "cursor=x",
        "cursor=%27%20OR%201=1",
        "cursor=",
        "offset=3",
        "limit=1&limit=2",
    ] {
        let errors = app
            .get(&format!("/api/status?{query}"), &token)
            .await
            .field_errors();
        assert_eq!(errors.len(), 1, "{query}: {errors:?}");
    }
}

#[tokio::test]
async fn a_cursor_of_another_user_reveals_nothing() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.token("ada").sign(), app.token("bob").sign());
    for n in 0..3 {
        create_status_check(&app, &ada, &format!("ada {n}")).await;
    }
    let page = app
        .get("/api/status?limit=1", &ada)
        .await
        .expect_status(200);
    let cursor = page["next_cursor"].as_str().unwrap();
    let page = app
        .get(&format!("/api/status?cursor={cursor}"), &bob)
        .await
        .expect_status(200);
    assert_eq!(page["items"], json!([]));
}

#[tokio::test]
async fn a_repeated_request_is_replayed() {
    let app = TestApp::start().await;
    let token = app.token("ada").sign();
    let first = create_with_key(&app, &token, "web", "key-1").await;
    let repeated = create_with_key(&app, &token, "web", "key-1").await;
    assert_eq!(first.expect_status(201), repeated.expect_status(201));
    assert_eq!(
        (
            first.header("idempotency-replayed"),
            repeated.header("idempotency-replayed")
        ),
        ("", "true")
    );
    assert_eq!(
        names(&app.get("/api/status", &token).await.expect_status(200)),
        ["web"]
    );
}

#[tokio::test]
async fn fifty_concurrent_copies_create_one_status_check() {
    let app = TestApp::start().await;
    let token = app.token("ada").sign();
    let copies = (0..50).map(|_| create_with_key(&app, &token, "web", "key-1"));
    let ids: HashSet<String> = futures_util::future::join_all(copies)
        .await
        .iter()
        .map(|response| response.expect_status(201)["id"].to_string())
        .collect();
    assert_eq!(ids.len(), 1);
}

#[tokio::test]
async fn an_idempotency_key_cannot_be_reused_for_another_body() {
    let app = TestApp::start().await;
    let token = app.token("ada").sign();
    create_with_key(&app, &token, "web", "key-1")
        .await
        .expect_status(201);
    let errors = create_with_key(&app, &token, "mobile", "key-1")
        .await
        .field_errors();
    assert_eq!(errors[0].0, "Idempotency-Key");
    assert_eq!(
        names(&app.get("/api/status", &token).await.expect_status(200)),
        ["web"]
    );
}

#[tokio::test]
async fn idempotency_keys_are_scoped_to_the_user() {
    let app = TestApp::start().await;
    for (user, client) in [("ada", "web"), ("bob", "mobile")] {
        create_with_key(&app, &app.token(user).sign(), client, "same")
            .await
            .expect_status(201);
    }
}

#[tokio::test]
async fn idempotency_keys_are_case_sensitive() {
    let app = TestApp::start().await;
    let token = app.token("ada").sign();
    let [lower, upper] = [
        create_with_key(&app, &token, "web", "key").await,
        create_with_key(&app, &token, "web", "KEY").await,
    ];
    assert_ne!(
        lower.expect_status(201)["id"],
        upper.expect_status(201)["id"]
    );
}

#[tokio::test]
async fn an_idempotency_key_has_1_to_200_visible_characters() {
    let app = TestApp::start().await;
    let token = app.token("ada").sign();
    create_with_key(&app, &token, "web", &"k".repeat(200))
        .await
        .expect_status(201);
    for invalid in ["k".repeat(201), String::new(), "a b".to_owned()] {
        let errors = create_with_key(&app, &token, "web", &invalid)
            .await
            .field_errors();
        assert_eq!(errors[0].0, "Idempotency-Key");
    }
    let two = app.request(Method::POST, "/api/status").bearer_auth(&token);
    let two = two
        .header("idempotency-key", "a")
        .header("idempotency-key", "b")
        .json_body(&json!({"client_name": "web"}));
    assert_eq!(send(two).await.field_errors()[0].0, "Idempotency-Key");
}

#[tokio::test]
async fn a_client_name_has_1_to_100_characters() {
    let app = TestApp::start().await;
    let token = app.token("ada").sign();
    create_status_check(&app, &token, &"é".repeat(100)).await;
    for invalid in [
        json!("é".repeat(101)),
        json!(""),
        json!(" web"),
        json!("a\u{0}b"),
        json!(7),
        json!(null),
        json!(["web"]),
    ] {
        let errors = app
            .post("/api/status", &token, &json!({ "client_name": invalid }))
            .await
            .field_errors();
        assert_eq!(errors[0].0, "client_name", "{invalid}: {errors:?}");
    }
}
