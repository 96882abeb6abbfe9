//! `/api/auth/me` and `/api/user`.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    database::number,
    world::{Json, World, send},
};

#[tokio::test]
async fn me_shows_the_profile_and_what_the_token_grants() {
    let world = World::start().await;
    let token = world
        .token("ada")
        .roles(["admin", "editor"])
        .scope("read write")
        .aal("aal2")
        .claim("session_id", "s-1")
        .sign();
    let me = world.get("/api/auth/me", &token).await.expect(200);
    let claims = &me["claims"];
    assert_eq!(claims["role"], "authenticated");
    assert_eq!(claims["roles"], json!(["admin", "editor"]));
    assert_eq!(claims["scopes"], json!(["read", "write"]));
    assert_eq!(
        (&claims["aal"], &claims["session_id"]),
        (&json!("aal2"), &json!("s-1"))
    );
    assert!(
        claims["expires_at"]
            .as_str()
            .is_some_and(|at| at.ends_with('Z')),
        "{claims}"
    );
    let mut names: Vec<&str> = me.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    let expected = "claims created_at email email_verified id is_active issuer last_login name picture subject updated_at";
    assert_eq!(names.join(" "), expected);
}

#[tokio::test]
async fn a_name_of_ones_own_goes_before_the_issuers_until_it_is_taken_back() {
    let world = World::start().await;
    let token = |name: &str| world.token("ada").claim("name", name).sign();
    let first = token("From the issuer");
    let changed = world
        .patch("/api/user", &first, &json!({"name": "My own"}))
        .await
        .expect(200);
    assert_eq!(changed["name"], "My own");
    world.clock.advance(Duration::from_secs(5));
    let later = token("From the issuer, later");
    assert_eq!(
        world.get("/api/auth/me", &later).await.expect(200)["name"],
        "My own"
    );
    let back = world
        .patch("/api/user", &later, &json!({"name": null}))
        .await
        .expect(200);
    assert_eq!(back["name"], "From the issuer, later");
}

#[tokio::test]
async fn a_change_leaves_alone_what_it_does_not_name() {
    let world = World::start().await;
    let token = world.token("ada").sign();
    let both = json!({"name": "Ada", "picture": "https://x.example/a.png"});
    world.patch("/api/user", &token, &both).await.expect(200);
    let after = world
        .patch(
            "/api/user",
            &token,
            &json!({"picture": "https://x.example/b.png"}),
        )
        .await
        .expect(200);
    assert_eq!(
        (&after["name"], &after["picture"]),
        (&json!("Ada"), &json!("https://x.example/b.png"))
    );
    assert_eq!(
        world.get("/api/auth/me", &token).await.expect(200)["name"],
        "Ada"
    );
}

#[tokio::test]
async fn a_name_has_1_to_200_characters() {
    let world = World::start().await;
    let token = world.token("ada").sign();
    let name = |length: usize| json!({ "name": "é".repeat(length) });
    world
        .patch("/api/user", &token, &name(200))
        .await
        .expect(200);
    let told = world.patch("/api/user", &token, &name(201)).await.invalid();
    assert_eq!(
        told,
        [(
            "name".to_owned(),
            "must have at most 200 characters".to_owned()
        )]
    );
}

#[tokio::test]
async fn every_wrong_field_is_told_at_once() {
    let world = World::start().await;
    let body = json!({"name": "", "picture": "http://x.example/a.png", "email": "e@x.example"});
    let told = world
        .patch("/api/user", &world.token("ada").sign(), &body)
        .await
        .invalid();
    let fields: Vec<&str> = told.iter().map(|(field, _)| field.as_str()).collect();
    assert_eq!(fields, ["name", "picture", "email"], "{told:?}");
}

#[tokio::test]
async fn nothing_to_change_is_told() {
    let world = World::start().await;
    let told = world
        .patch("/api/user", &world.token("ada").sign(), &json!({}))
        .await
        .invalid();
    assert_eq!(told.len(), 1, "{told:?}");
}

#[tokio::test]
async fn what_decides_about_access_cannot_be_changed() {
    let world = World::start().await;
    let token = world.token("ada").sign();
    let before = world.get("/api/auth/me", &token).await.expect(200);
    for field in [
        "id",
        "subject",
        "issuer",
        "email",
        "email_verified",
        "is_active",
        "created_at",
        "last_login",
        "user_id",
    ] {
        world
            .patch("/api/user", &token, &json!({ field: "x", "name": "y" }))
            .await
            .invalid();
    }
    assert_eq!(world.get("/api/auth/me", &token).await.expect(200), before);
}

#[tokio::test]
async fn erasing_leaves_no_row_of_the_subject_and_every_row_of_others() {
    let world = World::start().await;
    let (ada, bob) = (world.token("ada").sign(), world.token("bob").sign());
    for token in [&ada, &bob] {
        world
            .post("/api/status", token, &json!({"client_name": "web"}))
            .await
            .expect(201);
    }
    let before = world.get("/api/auth/me", &ada).await.expect(200);
    let erased = world.delete("/api/user", &ada).await;
    assert_eq!(erased.expect(204), Value::Null);
    assert_eq!(
        number(&world.database, "SELECT COUNT(*) FROM users").await,
        1
    );
    assert_eq!(
        number(&world.database, "SELECT COUNT(*) FROM status_checks").await,
        1
    );
    assert_eq!(
        world.get("/api/status", &bob).await.expect(200)["items"]
            .as_array()
            .map(Vec::len),
        Some(1)
    );
    let after = world.get("/api/auth/me", &ada).await.expect(200);
    assert_ne!(
        after["id"], before["id"],
        "the token is still good, so its next request is a newcomer's"
    );
}

#[tokio::test]
async fn an_account_erased_on_another_replica_is_made_anew_here() {
    let world = World::start().await;
    let replica = world.replica().await;
    let token = world.token("ada").sign();
    world
        .get_from(replica, "/api/auth/me", &token)
        .await
        .expect(200);
    world.delete("/api/user", &token).await.expect(204);
    world
        .get_from(replica, "/api/auth/me", &token)
        .await
        .expect(200);
    let post = world
        .request_to(replica, reqwest::Method::POST, "/api/status")
        .bearer_auth(&token);
    send(post.json(&json!({"client_name": "web"})))
        .await
        .expect(201);
}

#[tokio::test]
async fn a_change_is_seen_on_another_replica_at_once() {
    let world = World::start().await;
    let replica = world.replica().await;
    let token = world.token("ada").sign();
    world
        .get_from(replica, "/api/auth/me", &token)
        .await
        .expect(200);
    world
        .patch("/api/user", &token, &json!({"name": "Ada"}))
        .await
        .expect(200);
    assert_eq!(
        world
            .get_from(replica, "/api/auth/me", &token)
            .await
            .expect(200)["name"],
        "Ada"
    );
}
