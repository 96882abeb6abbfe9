//! `/api/user/api-keys`: kept sealed, shown masked.

use serde_json::{Value, json};

use crate::{
    database::{connect, number},
    world::World,
};

const PATH: &str = "/api/user/api-keys";
const KEY: &str = "sk-abc12345678901234567890wxyz";

/// 32 bytes of one letter each.
pub(crate) const OLD: &str = "old:YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE=";
const NEW: &str = "new:YmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmI=";

async fn world() -> World {
    World::with(&[("vault.keys", OLD)]).await
}

/// Every sealed row, as text: key id and bytes.
async fn rows(world: &World) -> Vec<(String, Vec<u8>)> {
    use sea_orm::ConnectionTrait;
    let database = connect(&world.database).await;
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
async fn keys_are_kept_and_shown_by_their_first_8_and_last_4_characters() {
    let world = world().await;
    let token = world.token("ada").sign();
    assert_eq!(
        world.get(PATH, &token).await.expect(200),
        json!({"success": true, "apiKeys": {}})
    );
    let kept = world
        .post(PATH, &token, &json!({"togetherAI": KEY, "oumi": "short"}))
        .await
        .expect(200);
    let shown = json!({"success": true, "apiKeys": {"togetherAI": "sk-abc12...wxyz", "oumi": "************"}});
    assert_eq!(kept, shown);
    let answer = world.get(PATH, &token).await;
    assert_eq!(answer.expect(200), shown);
    assert_eq!(answer.header("cache-control"), "no-store");
}

#[tokio::test]
async fn a_newer_key_takes_the_place_of_an_older_one_and_leaves_others_alone() {
    let world = world().await;
    let token = world.token("ada").sign();
    world
        .post(PATH, &token, &json!({"togetherAI": KEY, "kestra": KEY}))
        .await
        .expect(200);
    let kept = world
        .post(
            PATH,
            &token,
            &json!({"togetherAI": "tg-00000000000000000000000000zzzz"}),
        )
        .await
        .expect(200);
    assert_eq!(
        kept["apiKeys"],
        json!({"togetherAI": "tg-00000...zzzz", "kestra": "sk-abc12...wxyz"})
    );
    assert_eq!(
        number(&world.database, "SELECT COUNT(*) FROM api_keys").await,
        2
    );
}

#[tokio::test]
async fn a_key_is_removed_by_name() {
    let world = world().await;
    let token = world.token("ada").sign();
    world
        .post(PATH, &token, &json!({"togetherAI": KEY, "kestra": KEY}))
        .await
        .expect(200);
    let left = world
        .delete(&format!("{PATH}/togetherAI"), &token)
        .await
        .expect(200);
    assert_eq!(left["apiKeys"], json!({"kestra": "sk-abc12...wxyz"}));
    for absent in ["togetherAI", "oumi", "TOGETHERAI", "kestra%20", "unknown"] {
        world
            .delete(&format!("{PATH}/{absent}"), &token)
            .await
            .refuses(404, "NOT_FOUND");
    }
}

#[tokio::test]
async fn somebody_elses_keys_are_neither_seen_nor_removed() {
    let world = world().await;
    let (ada, bob) = (world.token("ada").sign(), world.token("bob").sign());
    world
        .post(PATH, &ada, &json!({"togetherAI": KEY}))
        .await
        .expect(200);
    for other in [&bob, &world.other.token().sub("ada").sign()] {
        assert_eq!(
            world.get(PATH, other).await.expect(200)["apiKeys"],
            json!({})
        );
        world
            .delete(&format!("{PATH}/togetherAI"), other)
            .await
            .refuses(404, "NOT_FOUND");
    }
    assert_eq!(
        world.get(PATH, &ada).await.expect(200)["apiKeys"],
        json!({"togetherAI": "sk-abc12...wxyz"})
    );
}

#[tokio::test]
async fn every_wrong_key_is_told_without_its_text_and_then_none_is_kept() {
    let world = world().await;
    let token = world.token("ada").sign();
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
        let answer = world.post(PATH, &token, &body).await;
        let told = answer.invalid();
        assert_eq!((told.len(), told[0].0.as_str()), (1, field), "{told:?}");
        assert!(!answer.body.contains("hidden"), "{answer:?}");
    }
    assert_eq!(
        number(&world.database, "SELECT COUNT(*) FROM api_keys").await,
        0
    );
    world
        .post(PATH, &token, &json!({"oumi": "k".repeat(4096)}))
        .await
        .expect(200);
}

#[tokio::test]
async fn the_database_holds_nothing_of_a_key() {
    let world = world().await;
    world
        .post(
            PATH,
            &world.token("ada").sign(),
            &json!({"togetherAI": KEY}),
        )
        .await
        .expect(200);
    let rows = rows(&world).await;
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
async fn a_row_that_was_moved_to_another_user_does_not_open() {
    use sea_orm::ConnectionTrait;
    let world = world().await;
    let (ada, eve) = (world.token("ada").sign(), world.token("eve").sign());
    world
        .post(PATH, &ada, &json!({"togetherAI": KEY}))
        .await
        .expect(200);
    world.get("/api/auth/me", &eve).await.expect(200);
    let database = connect(&world.database).await;
    let steal = "UPDATE api_keys SET user_id = (SELECT id FROM users WHERE subject = 'eve')";
    database.execute_unprepared(steal).await.unwrap();
    database.close().await.unwrap();
    let answer = world.get(PATH, &eve).await;
    assert_eq!(
        answer.expect(200)["apiKeys"],
        json!({"togetherAI": "************"})
    );
    let generate = world
        .post("/api/generate", &eve, &json!({"prompt": "x"}))
        .await;
    generate.refuses(500, "INTERNAL");
    world
        .post(PATH, &eve, &json!({"togetherAI": KEY}))
        .await
        .expect(200);
    assert_eq!(
        world.get(PATH, &eve).await.expect(200)["apiKeys"],
        json!({"togetherAI": "sk-abc12...wxyz"}),
        "she can keep her own"
    );
}

#[tokio::test]
async fn a_server_without_a_vault_key_keeps_none_and_says_so() {
    let world = World::start().await;
    let answer = world
        .post(
            PATH,
            &world.token("ada").sign(),
            &json!({"togetherAI": KEY}),
        )
        .await;
    answer.refuses(503, "VAULT_UNAVAILABLE");
    assert_eq!(
        number(&world.database, "SELECT COUNT(*) FROM api_keys").await,
        0
    );
}

#[tokio::test]
async fn after_a_new_vault_key_old_rows_open_and_move_to_it_when_they_are_used() {
    let world = world().await;
    let token = world.token("ada").sign();
    world
        .post(PATH, &token, &json!({"togetherAI": KEY}))
        .await
        .expect(200);
    let both = format!("{NEW},{OLD}");
    // Nothing listens there: the key is opened before anybody is called.
    let settings = [
        ("vault.keys", both.as_str()),
        ("generate.base_url", "http://127.0.0.1:9/v1"),
    ];
    let newer = world.replica_with(&settings).await;
    assert_eq!(
        world.get_from(newer, PATH, &token).await.expect(200)["apiKeys"]["togetherAI"],
        "sk-abc12...wxyz"
    );
    assert_eq!(
        rows(&world).await[0].0,
        "old",
        "to look at the list is not to use a key"
    );
    let generate = crate::world::Json::json(
        world
            .request_to(newer, reqwest::Method::POST, "/api/generate")
            .bearer_auth(&token),
        &json!({"prompt": "x"}),
    );
    crate::world::send(generate)
        .await
        .refuses(502, "UPSTREAM_FAILED");
    assert_eq!(rows(&world).await[0].0, "new");
}

#[tokio::test]
async fn erasing_the_account_erases_its_keys() {
    let world = world().await;
    let token = world.token("ada").sign();
    world
        .post(PATH, &token, &json!({"togetherAI": KEY}))
        .await
        .expect(200);
    world.delete("/api/user", &token).await.expect(204);
    assert_eq!(
        number(&world.database, "SELECT COUNT(*) FROM api_keys").await,
        0
    );
}
