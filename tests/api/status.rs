//! `/api/status`: reports, once each, listed newest first.

use std::collections::HashSet;

use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{Answer, Json, World, send};

async fn report(world: &World, token: &str, client: &str) -> Value {
    world
        .post("/api/status", token, &json!({ "client_name": client }))
        .await
        .expect(201)
}

async fn report_once(world: &World, token: &str, client: &str, key: &str) -> Answer {
    let request = world
        .request(Method::POST, "/api/status")
        .bearer_auth(token)
        .header("idempotency-key", key);
    send(request.json(&json!({ "client_name": client }))).await
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
async fn a_report_is_kept_and_listed_newest_first() {
    let world = World::start().await;
    let token = world.token("ada").sign();
    for client in ["first", "second", "third"] {
        let made = report(&world, &token, client).await;
        assert_eq!(made["client_name"], client);
        assert!(
            made["timestamp"]
                .as_str()
                .is_some_and(|at| at.ends_with('Z')),
            "{made}"
        );
        assert_eq!(made.as_object().map(serde_json::Map::len), Some(3));
    }
    let page = world.get("/api/status", &token).await.expect(200);
    assert_eq!(names(&page), ["third", "second", "first"]);
    assert_eq!(page["next_cursor"], Value::Null);
}

#[tokio::test]
async fn a_report_reads_back_as_it_was_answered() {
    let world = World::start().await;
    let token = world.token("ada").sign();
    let made = report(&world, &token, "Größe 🐻").await;
    assert_eq!(
        world.get("/api/status", &token).await.expect(200)["items"][0],
        made
    );
}

#[tokio::test]
async fn pages_hold_every_report_once_while_others_are_added() {
    let world = World::start().await;
    let token = world.token("ada").sign();
    for n in 0..7 {
        report(&world, &token, &format!("early {n}")).await;
    }
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = world
            .get(&format!("/api/status?limit=3{cursor}"), &token)
            .await
            .expect(200);
        seen.extend(names(&page).into_iter().map(str::to_owned));
        report(&world, &token, "late").await;
        let Some(next) = page["next_cursor"].as_str() else {
            break;
        };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(
        seen,
        (0..7)
            .rev()
            .map(|n| format!("early {n}"))
            .collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn a_page_has_1_to_100_reports() {
    let world = World::start().await;
    let token = world.token("ada").sign();
    for fits in ["1", "100"] {
        world
            .get(&format!("/api/status?limit={fits}"), &token)
            .await
            .expect(200);
    }
    for wrong in ["0", "101", "-1", "many", "1e2", "9999999999999999999999"] {
        let told = world
            .get(&format!("/api/status?limit={wrong}"), &token)
            .await
            .invalid();
        assert_eq!(
            told,
            [(
                "limit".to_owned(),
                "must be a number from 1 to 100".to_owned()
            )],
            "{wrong}"
        );
    }
}

#[tokio::test]
async fn a_made_up_cursor_and_an_unknown_parameter_are_told() {
    let world = World::start().await;
    let token = world.token("ada").sign();
    for query in [
        "cursor=x",
        "cursor=%27%20OR%201=1",
        "cursor=",
        "offset=3",
        "limit=1&limit=2",
    ] {
        let told = world
            .get(&format!("/api/status?{query}"), &token)
            .await
            .invalid();
        assert_eq!(told.len(), 1, "{query}: {told:?}");
    }
}

#[tokio::test]
async fn somebody_elses_cursor_shows_nothing_of_theirs() {
    let world = World::start().await;
    let (ada, bob) = (world.token("ada").sign(), world.token("bob").sign());
    for n in 0..3 {
        report(&world, &ada, &format!("ada {n}")).await;
    }
    let page = world.get("/api/status?limit=1", &ada).await.expect(200);
    let cursor = page["next_cursor"].as_str().unwrap();
    let theirs = world
        .get(&format!("/api/status?cursor={cursor}"), &bob)
        .await
        .expect(200);
    assert_eq!(theirs["items"], json!([]));
}

#[tokio::test]
async fn the_same_request_sent_again_is_one_report() {
    let world = World::start().await;
    let token = world.token("ada").sign();
    let first = report_once(&world, &token, "web", "key-1").await;
    let again = report_once(&world, &token, "web", "key-1").await;
    assert_eq!(first.expect(201), again.expect(201));
    assert_eq!(
        (
            first.header("idempotency-replayed"),
            again.header("idempotency-replayed")
        ),
        ("", "true")
    );
    assert_eq!(
        names(&world.get("/api/status", &token).await.expect(200)),
        ["web"]
    );
}

#[tokio::test]
async fn fifty_copies_at_once_are_one_report() {
    let world = World::start().await;
    let token = world.token("ada").sign();
    let copies = (0..50).map(|_| report_once(&world, &token, "web", "key-1"));
    let ids: HashSet<String> = futures_util::future::join_all(copies)
        .await
        .iter()
        .map(|answer| answer.expect(201)["id"].to_string())
        .collect();
    assert_eq!(ids.len(), 1);
}

#[tokio::test]
async fn a_key_that_was_used_for_another_body_is_refused() {
    let world = World::start().await;
    let token = world.token("ada").sign();
    report_once(&world, &token, "web", "key-1")
        .await
        .expect(201);
    let told = report_once(&world, &token, "mobile", "key-1")
        .await
        .invalid();
    assert_eq!(told[0].0, "Idempotency-Key");
    assert_eq!(
        names(&world.get("/api/status", &token).await.expect(200)),
        ["web"]
    );
}

#[tokio::test]
async fn keys_of_two_users_have_nothing_to_do_with_each_other() {
    let world = World::start().await;
    for (user, client) in [("ada", "web"), ("bob", "mobile")] {
        report_once(&world, &world.token(user).sign(), client, "same")
            .await
            .expect(201);
    }
}

#[tokio::test]
async fn keys_that_differ_in_case_are_different() {
    let world = World::start().await;
    let token = world.token("ada").sign();
    let [lower, upper] = [
        report_once(&world, &token, "web", "key").await,
        report_once(&world, &token, "web", "KEY").await,
    ];
    assert_ne!(lower.expect(201)["id"], upper.expect(201)["id"]);
}

#[tokio::test]
async fn an_idempotency_key_is_one_of_1_to_200_visible_characters() {
    let world = World::start().await;
    let token = world.token("ada").sign();
    report_once(&world, &token, "web", &"k".repeat(200))
        .await
        .expect(201);
    for wrong in ["k".repeat(201), String::new(), "a b".to_owned()] {
        let told = report_once(&world, &token, "web", &wrong).await.invalid();
        assert_eq!(told[0].0, "Idempotency-Key");
    }
    let two = world
        .request(Method::POST, "/api/status")
        .bearer_auth(&token);
    let two = two
        .header("idempotency-key", "a")
        .header("idempotency-key", "b")
        .json(&json!({"client_name": "web"}));
    assert_eq!(send(two).await.invalid()[0].0, "Idempotency-Key");
}

#[tokio::test]
async fn a_client_has_a_name_of_1_to_100_characters() {
    let world = World::start().await;
    let token = world.token("ada").sign();
    report(&world, &token, &"é".repeat(100)).await;
    for wrong in [
        json!("é".repeat(101)),
        json!(""),
        json!(" web"),
        json!("a\u{0}b"),
        json!(7),
        json!(null),
        json!(["web"]),
    ] {
        let told = world
            .post("/api/status", &token, &json!({ "client_name": wrong }))
            .await
            .invalid();
        assert_eq!(told[0].0, "client_name", "{wrong}: {told:?}");
    }
}
