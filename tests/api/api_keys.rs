//! `/api/user/api-keys`: stored sealed, returned masked.

use serde_json::{Value, json};
use test_support::database::{connect, query_number};

use crate::test_app::TestApp;

const PATH: &str = "/api/user/api-keys";
const KEY: &str = "sk-abc12345678901234567890wxyz";

/// Vault keys of 32 equal bytes each.
pub(crate) const OLD: &str = "old:YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE=";
const NEW: &str = "new:YmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmI=";

async fn start() -> TestApp {
    TestApp::start_with(&[("vault.keys", OLD)]).await
}

/// Returns key id and sealed bytes of every row.
async fn rows(app: &TestApp) -> Vec<(String, Vec<u8>)> {
    use sea_orm::ConnectionTrait;
    let database = connect(&app.database).await;
    let statement = sea_orm::Statement::from_string(
        database.get_database_backend(),
        "SELECT key_id, sealed FROM api_keys ORDER BY provider",
    );
    let rows = database.query_all_raw(statement).await.unwrap();
    database.close().await.unwrap();
    rows.iter()
        .map(|row| {
            (
                row.try_get_by_index(0).unwrap(),
                row.try_get_by_index(1).unwrap(),
            )
        })
        .collect()
}

#[tokio::test]
async fn keys_are_stored_and_shown_masked() {
    let app = start().await;
    let token = app.token("ada").sign();
    assert_eq!(
        app.get(PATH, &token).await.expect_status(200),
        json!({"success": true, "apiKeys": {}})
    );
    let stored = app
        .post(PATH, &token, &json!({"togetherAI": KEY, "oumi": "short"}))
        .await
        .expect_status(200);
    let masked = json!({"success": true, "apiKeys": {"togetherAI": "sk-abc12...wxyz", "oumi": "************"}});
    assert_eq!(stored, masked);
    let response = app.get(PATH, &token).await;
    assert_eq!(response.expect_status(200), masked);
    assert_eq!(response.header("cache-control"), "no-store");
}

#[tokio::test]
async fn a_new_key_replaces_only_the_key_of_its_provider() {
    let app = start().await;
    let token = app.token("ada").sign();
    app.post(PATH, &token, &json!({"togetherAI": KEY, "kestra": KEY}))
        .await
        .expect_status(200);
    let stored = app
        .post(
            PATH,
            &token,
            &json!({"togetherAI": "tg-00000000000000000000000000zzzz"}),
        )
        .await
        .expect_status(200);
    assert_eq!(
        stored["apiKeys"],
        json!({"togetherAI": "tg-00000...zzzz", "kestra": "sk-abc12...wxyz"})
    );
    assert_eq!(
        query_number(&app.database, "SELECT COUNT(*) FROM api_keys").await,
        2
    );
}

#[tokio::test]
async fn a_key_is_removed_by_name() {
    let app = start().await;
    let token = app.token("ada").sign();
    app.post(PATH, &token, &json!({"togetherAI": KEY, "kestra": KEY}))
        .await
        .expect_status(200);
    let left = app
        .delete(&format!("{PATH}/togetherAI"), &token)
        .await
        .expect_status(200);
    assert_eq!(left["apiKeys"], json!({"kestra": "sk-abc12...wxyz"}));
    for absent in ["togetherAI", "oumi", "TOGETHERAI", "kestra%20", "unknown"] {
        app.delete(&format!("{PATH}/{absent}"), &token)
            .await
            .assert_error(404, "NOT_FOUND");
    }
}

#[tokio::test]
async fn keys_of_other_users_cannot_be_read_or_removed() {
    let app = start().await;
    let (ada, bob) = (app.token("ada").sign(), app.token("bob").sign());
    app.post(PATH, &ada, &json!({"togetherAI": KEY}))
        .await
        .expect_status(200);
    for other in [&bob, &app.other.token().sub("ada").sign()] {
        assert_eq!(
            app.get(PATH, other).await.expect_status(200)["apiKeys"],
            json!({})
        );
        app.delete(&format!("{PATH}/togetherAI"), other)
            .await
            .assert_error(404, "NOT_FOUND");
    }
    assert_eq!(
        app.get(PATH, &ada).await.expect_status(200)["apiKeys"],
        json!({"togetherAI": "sk-abc12...wxyz"})
    );
}

#[tokio::test]
async fn invalid_keys_are_reported_without_their_value() {
    let app = start().await;
    let token = app.token("ada").sign();
    let cases: [(Value, &str); 8] = [
        (json!({"togetherAI": KEY, "oumi": ""}), "oumi"),
        (json!({"togetherAI": KEY, "oumi": "sk hidden"}), "oumi"),
        (json!({"togetherAI": KEY, "oumi": "sk-hidden\n"}), "oumi"),
        (json!({"togetherAI": KEY, "oumi": "k".repeat(4097)}), "oumi"),
        (json!({"togetherAI": KEY, "oumi": null}), "oumi"),
        (json!({"togetherAI": KEY, "openAI": "sk-hidden"}), "openAI"),
        (json!({"togetherAI": KEY, "sk-hidden": 1}), "?"),
        (json!({}), "body"),
    ];
    for (body, field) in cases {
        let response = app.post(PATH, &token, &body).await;
        let errors = response.field_errors();
        assert_eq!(
            (errors.len(), errors[0].0.as_str()),
            (1, field),
            "{errors:?}"
        );
        assert!(!response.body.contains("hidden"), "{response:?}");
    }
    assert_eq!(
        query_number(&app.database, "SELECT COUNT(*) FROM api_keys").await,
        0
    );
    app.post(PATH, &token, &json!({"oumi": "k".repeat(4096)}))
        .await
        .expect_status(200);
}

#[tokio::test]
async fn the_database_contains_no_plaintext() {
    let app = start().await;
    app.post(PATH, &app.token("ada").sign(), &json!({"togetherAI": KEY}))
        .await
        .expect_status(200);
    let rows = rows(&app).await;
    assert_eq!(rows[0].0, "old");
    for length in 4..KEY.len() {
        assert!(
            !rows[0]
                .1
                .windows(length)
                .any(|bytes| KEY.as_bytes().windows(length).any(|piece| piece == bytes))
        );
    }
}

#[tokio::test]
async fn a_row_moved_to_another_user_cannot_be_unsealed() {
    use sea_orm::ConnectionTrait;
    let app = start().await;
    let (ada, eve) = (app.token("ada").sign(), app.token("eve").sign());
    app.post(PATH, &ada, &json!({"togetherAI": KEY}))
        .await
        .expect_status(200);
    app.get("/api/auth/me", &eve).await.expect_status(200);
    let database = connect(&app.database).await;
    let move_rows = "UPDATE api_keys SET user_id = (SELECT id FROM users WHERE subject = 'eve')";
    database.execute_unprepared(move_rows).await.unwrap();
    database.close().await.unwrap();
    let response = app.get(PATH, &eve).await;
    assert_eq!(
        response.expect_status(200)["apiKeys"],
        json!({"togetherAI": "************"})
    );
    let generate = app
        .post("/api/generate", &eve, &json!({"prompt": "x"}))
        .await;
    generate.assert_error(500, "INTERNAL");
    app.post(PATH, &eve, &json!({"togetherAI": KEY}))
        .await
        .expect_status(200);
    assert_eq!(
        app.get(PATH, &eve).await.expect_status(200)["apiKeys"],
        json!({"togetherAI": "sk-abc12...wxyz"}),
        "the user can store a key of her own"
    );
}

#[tokio::test]
async fn without_a_vault_key_keys_cannot_be_stored() {
    let app = TestApp::start().await;
    let response = app
        .post(PATH, &app.token("ada").sign(), &json!({"togetherAI": KEY}))
        .await;
    response.assert_error(503, "VAULT_UNAVAILABLE");
    assert_eq!(
        query_number(&app.database, "SELECT COUNT(*) FROM api_keys").await,
        0
    );
}

#[tokio::test]
async fn old_rows_are_resealed_with_the_new_vault_key_on_use() {
    let app = start().await;
    let token = app.token("ada").sign();
    app.post(PATH, &token, &json!({"togetherAI": KEY}))
        .await
        .expect_status(200);
    let both = format!("{NEW},{OLD}");
    // Nothing listens at this address. The key is unsealed before the service is called.
    let settings = [
        ("vault.keys", both.as_str()),
        ("generate.base_url", "http://127.0.0.1:9/v1"),
    ];
    let newer = app.replica_with(&settings).await;
    assert_eq!(
        app.get_from(newer, PATH, &token).await.expect_status(200)["apiKeys"]["togetherAI"],
        "sk-abc12...wxyz"
    );
    assert_eq!(rows(&app).await[0].0, "old", "listing does not use the key");
    let generate = crate::test_app::JsonBody::json_body(
        app.request_to(newer, reqwest::Method::POST, "/api/generate")
            .bearer_auth(&token),
        &json!({"prompt": "x"}),
    );
    crate::test_app::send(generate)
        .await
        .assert_error(502, "UPSTREAM_FAILED");
    assert_eq!(rows(&app).await[0].0, "new");
}

#[tokio::test]
async fn deleting_the_account_deletes_its_keys() {
    let app = start().await;
    let token = app.token("ada").sign();
    app.post(PATH, &token, &json!({"togetherAI": KEY}))
        .await
        .expect_status(200);
    app.delete("/api/user", &token).await.expect_status(204);
    assert_eq!(
        query_number(&app.database, "SELECT COUNT(*) FROM api_keys").await,
        0
    );
}
