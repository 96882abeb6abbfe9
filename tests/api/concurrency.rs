//! Many at once: nothing is lost, nobody is answered with a fault of ours.

use std::{collections::HashSet, sync::Arc};

use serde_json::json;

use crate::{database::number, world::World};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_writers_lose_nothing() {
    const WRITERS: usize = 64;
    const EACH: usize = 20;
    let world = Arc::new(World::start().await);
    let writers = (0..WRITERS).map(|writer| {
        let world = Arc::clone(&world);
        tokio::spawn(async move {
            let token = world.token(&format!("user-{}", writer % 16)).sign();
            let mut ids = Vec::new();
            for n in 0..EACH {
                let made = world
                    .post(
                        "/api/status",
                        &token,
                        &json!({ "client_name": format!("{writer}-{n}") }),
                    )
                    .await
                    .expect(201);
                ids.push(made["id"].to_string());
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
    let rows = number(&world.database, "SELECT COUNT(*) FROM status_checks").await;
    assert_eq!(usize::try_from(rows), Ok(WRITERS * EACH));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_and_erasures_of_one_account_at_once_end_in_one_account_or_none() {
    let world = Arc::new(World::start().await);
    let token = world.token("ada").sign();
    let work = (0..60).map(|n| {
        let (world, token) = (Arc::clone(&world), token.clone());
        tokio::spawn(async move {
            match n % 3 {
                0 => {
                    world
                        .patch("/api/user", &token, &json!({ "name": format!("name {n}") }))
                        .await
                }
                1 => {
                    world
                        .post("/api/status", &token, &json!({"client_name": "web"}))
                        .await
                }
                _ => world.delete("/api/user", &token).await,
            }
        })
    });
    for answer in futures_util::future::try_join_all(work).await.unwrap() {
        assert!(matches!(answer.status, 200 | 201 | 204 | 404), "{answer:?}");
    }
    assert!(number(&world.database, "SELECT COUNT(*) FROM users").await <= 1);
    let orphans = "SELECT COUNT(*) FROM status_checks WHERE user_id NOT IN (SELECT id FROM users)";
    assert_eq!(number(&world.database, orphans).await, 0);
}
