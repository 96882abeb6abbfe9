//! `/api/admin/users`, and what a closed account can still do: nothing.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{GOOGLE, Json, World, send};

async fn id_of(world: &World, subject: &str) -> String {
    world
        .get("/api/auth/me", &world.token(subject).sign())
        .await
        .expect(200)["id"]
        .as_str()
        .unwrap()
        .to_owned()
}

async fn set_active(world: &World, id: &str, is_active: bool) -> Value {
    world
        .patch(
            &format!("/api/admin/users/{id}"),
            &world.admin(),
            &json!({ "is_active": is_active }),
        )
        .await
        .expect(200)
}

#[tokio::test]
async fn administration_takes_the_role_admin() {
    let world = World::start().await;
    let id = id_of(&world, "ada").await;
    for token in [
        world.token("bob").sign(),
        world.token("bob").roles(["Admin", "administrator"]).sign(),
        world.token("bob").claim("role", "admin").sign(),
    ] {
        world
            .get("/api/admin/users", &token)
            .await
            .refuses(403, "INSUFFICIENT_ROLE");
        let change = world
            .patch(
                &format!("/api/admin/users/{id}"),
                &token,
                &json!({"is_active": false}),
            )
            .await;
        change.refuses(403, "INSUFFICIENT_ROLE");
    }
    world
        .get("/api/admin/users", &world.admin())
        .await
        .expect(200);
}

#[tokio::test]
async fn every_account_is_listed_once_the_latest_first() {
    let world = World::start().await;
    let mut expected = Vec::new();
    for subject in ["a", "b", "c", "d", "e"] {
        expected.insert(0, id_of(&world, subject).await);
    }
    let root = world.get("/api/auth/me", &world.admin()).await.expect(200);
    expected.insert(0, root["id"].as_str().unwrap().to_owned());
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = world
            .get(&format!("/api/admin/users?limit=2{cursor}"), &world.admin())
            .await
            .expect(200);
        seen.extend(
            page["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|user| user["id"].as_str().unwrap().to_owned()),
        );
        let Some(next) = page["next_cursor"].as_str() else {
            break;
        };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn a_closed_account_is_out_on_this_replica_at_once_and_in_again() {
    let world = World::start().await;
    let token = world.token("ada").sign();
    let id = id_of(&world, "ada").await;
    let closed = set_active(&world, &id, false).await;
    assert_eq!(closed["is_active"], false);
    let calls: [(Method, &str, Option<Value>); 5] = [
        (Method::GET, "/api/auth/me", None),
        (Method::GET, "/api/status", None),
        (
            Method::POST,
            "/api/status",
            Some(json!({"client_name": "web"})),
        ),
        (Method::PATCH, "/api/user", Some(json!({"name": "x"}))),
        (Method::DELETE, "/api/user", None),
    ];
    for (method, path, body) in calls {
        let mut request = world.request(method, path).bearer_auth(&token);
        if let Some(body) = body {
            request = request.json(&body);
        }
        send(request).await.refuses(403, "ACCOUNT_DISABLED");
    }
    set_active(&world, &id, true).await;
    assert_eq!(
        world.get("/api/auth/me", &token).await.expect(200)["id"],
        id,
        "nothing was lost"
    );
}

#[tokio::test]
async fn another_replica_takes_a_closed_account_for_open_for_20_seconds_and_no_longer() {
    let world = World::start().await;
    let replica = world.replica().await;
    let token = world.token("ada").sign();
    world
        .get_from(replica, "/api/status", &token)
        .await
        .expect(200);
    let id = id_of(&world, "ada").await;
    set_active(&world, &id, false).await;
    world.clock.advance(Duration::from_millis(19_900));
    world
        .get_from(replica, "/api/status", &token)
        .await
        .expect(200);
    world.clock.advance(Duration::from_millis(100));
    world
        .get_from(replica, "/api/status", &token)
        .await
        .refuses(403, "ACCOUNT_DISABLED");
}

#[tokio::test]
async fn a_new_token_does_not_open_a_closed_account() {
    let world = World::start().await;
    let id = id_of(&world, "ada").await;
    set_active(&world, &id, false).await;
    world.clock.advance(Duration::from_secs(5));
    world
        .get(
            "/api/auth/me",
            &world.token("ada").claim("session_id", "new").sign(),
        )
        .await
        .refuses(403, "ACCOUNT_DISABLED");
}

#[tokio::test]
async fn a_closed_account_cannot_sign_in_with_google() {
    let world = World::start().await;
    let credential = world.google.token().sub("g").issuer(GOOGLE[0]).sign();
    let sign_in = async || {
        send(
            world
                .request(Method::POST, "/api/auth/google")
                .json(&json!({ "credential": credential })),
        )
        .await
    };
    let id = sign_in().await.expect(200)["user"]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    set_active(&world, &id, false).await;
    sign_in().await.refuses(403, "ACCOUNT_DISABLED");
}

#[tokio::test]
async fn an_unknown_id_is_404_and_a_wrong_body_is_told() {
    let world = World::start().await;
    let patch = async |id: &str, body: Value| {
        world
            .patch(&format!("/api/admin/users/{id}"), &world.admin(), &body)
            .await
    };
    for id in ["00000000-0000-7000-8000-000000000000", "x", "%27", "1"] {
        patch(id, json!({"is_active": true}))
            .await
            .refuses(404, "NOT_FOUND");
    }
    let id = id_of(&world, "ada").await;
    for body in [
        json!({}),
        json!({"is_active": "false"}),
        json!({"is_active": null}),
        json!({"is_active": true, "email": "x"}),
    ] {
        patch(&id, body).await.invalid();
    }
}

#[tokio::test]
async fn who_is_shut_out_cannot_erase_the_account_and_come_back_as_somebody_new() {
    let world = World::start().await;
    let replica = world.replica().await;
    let token = world.token("ada").sign();
    world
        .get_from(replica, "/api/auth/me", &token)
        .await
        .expect(200);
    let id = id_of(&world, "ada").await;
    set_active(&world, &id, false).await;
    // The replica still takes the account for open.
    let erase = world
        .request_to(replica, Method::DELETE, "/api/user")
        .bearer_auth(&token);
    send(erase).await.refuses(403, "ACCOUNT_DISABLED");
    for address in [None, Some(replica)] {
        let me = match address {
            None => world.get("/api/auth/me", &token).await,
            Some(address) => world.get_from(address, "/api/auth/me", &token).await,
        };
        me.refuses(403, "ACCOUNT_DISABLED");
    }
}
