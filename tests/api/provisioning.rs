//! When an account is made, and when it changes with the token.

use std::time::Duration;

use serde_json::json;

use crate::{database::number, world::World};

#[tokio::test]
async fn the_first_request_makes_the_account_from_the_tokens_claims() {
    let world = World::start().await;
    let token = world
        .token("ada")
        .claim("email", "ada@example.com")
        .claim("email_verified", true);
    let token = token
        .claim(
            "user_metadata",
            json!({"full_name": "Ada", "avatar_url": "https://x.example/ada.png"}),
        )
        .sign();
    let me = world.get("/api/auth/me", &token).await.expect(200);
    assert_eq!(me["subject"], "ada");
    assert_eq!(me["issuer"], world.idp.issuer());
    assert_eq!(me["email"], "ada@example.com");
    assert_eq!(me["email_verified"], true);
    assert_eq!(me["name"], "Ada");
    assert_eq!(me["picture"], "https://x.example/ada.png");
    assert_eq!(me["is_active"], true);
    assert_eq!(me["created_at"], me["last_login"]);
    assert!(me["id"].as_str().is_some_and(|id| id.len() == 36));
}

#[tokio::test]
async fn the_same_account_answers_from_then_on() {
    let world = World::start().await;
    let first = world
        .get("/api/auth/me", &world.token("ada").sign())
        .await
        .expect(200);
    let again = world
        .get("/api/auth/me", &world.token("ada").aal("aal2").sign())
        .await
        .expect(200);
    assert_eq!(first["id"], again["id"]);
    assert_eq!(
        number(&world.database, "SELECT COUNT(*) FROM users").await,
        1
    );
}

#[tokio::test]
async fn another_issuers_same_subject_is_another_account() {
    let world = World::start().await;
    let ours = world
        .get("/api/auth/me", &world.token("ada").sign())
        .await
        .expect(200);
    let theirs = world
        .get("/api/auth/me", &world.other.token().sub("ada").sign())
        .await
        .expect(200);
    assert_ne!(ours["id"], theirs["id"]);
    assert_ne!(ours["issuer"], theirs["issuer"]);
}

#[tokio::test]
async fn subjects_that_differ_in_case_or_a_trailing_space_are_different_accounts() {
    let world = World::start().await;
    let mut ids = std::collections::HashSet::new();
    for subject in ["ada", "Ada", "ada ", "ADA", "áda"] {
        let me = world
            .get("/api/auth/me", &world.token(subject).sign())
            .await
            .expect(200);
        assert!(
            ids.insert(me["id"].to_string()),
            "{subject:?} has somebody else's account"
        );
    }
}

#[tokio::test]
async fn an_address_links_nobody() {
    let world = World::start().await;
    let ada = world.token("ada").claim("email", "same@example.com").sign();
    let bob = world.token("bob").claim("email", "same@example.com").sign();
    let (ada, bob) = (
        world.get("/api/auth/me", &ada).await.expect(200),
        world.get("/api/auth/me", &bob).await.expect(200),
    );
    assert_ne!(ada["id"], bob["id"]);
}

#[tokio::test]
async fn changed_claims_change_the_account() {
    let world = World::start().await;
    let before = world
        .get(
            "/api/auth/me",
            &world.token("ada").claim("name", "Ada").sign(),
        )
        .await
        .expect(200);
    world.clock.advance(Duration::from_secs(5));
    let after = world
        .token("ada")
        .claim("name", "Ada Lovelace")
        .claim("email", "new@example.com")
        .sign();
    let after = world.get("/api/auth/me", &after).await.expect(200);
    assert_eq!(
        (after["id"].clone(), after["name"].clone()),
        (before["id"].clone(), json!("Ada Lovelace"))
    );
    assert_eq!(after["email"], "new@example.com");
    assert!(after["updated_at"].as_str() > before["updated_at"].as_str());
    assert_eq!(after["created_at"], before["created_at"]);
}

#[tokio::test]
async fn an_older_tokens_claims_do_not_undo_newer_ones() {
    let world = World::start().await;
    let older = world.token("ada").claim("name", "Before").sign();
    world.clock.advance(Duration::from_secs(5));
    let newer = world.token("ada").claim("name", "After").sign();
    world.get("/api/auth/me", &newer).await.expect(200);
    let me = world.get("/api/auth/me", &older).await.expect(200);
    assert_eq!(me["name"], "After");
}

#[tokio::test]
async fn a_new_session_moves_last_login_and_another_request_does_not() {
    let world = World::start().await;
    let first = world.token("ada").claim("session_id", "one").sign();
    let before = world.get("/api/auth/me", &first).await.expect(200);
    world.clock.advance(Duration::from_secs(3600 - 60));
    let same_session = world.token("ada").claim("session_id", "one").sign();
    let same = world.get("/api/auth/me", &same_session).await.expect(200);
    assert_eq!(
        same["last_login"], before["last_login"],
        "a refreshed token of the same session is no login"
    );
    world.clock.advance(Duration::from_secs(1));
    let second = world.token("ada").claim("session_id", "two").sign();
    let after = world.get("/api/auth/me", &second).await.expect(200);
    assert!(
        after["last_login"].as_str() > before["last_login"].as_str(),
        "{after}"
    );
    assert_eq!(
        after["updated_at"], before["updated_at"],
        "nothing else has changed"
    );
}

#[tokio::test]
async fn a_new_iat_is_a_new_session_where_tokens_name_none() {
    let world = World::start().await;
    let token = |world: &World| world.token("ada").without("session_id").sign();
    let before = world.get("/api/auth/me", &token(&world)).await.expect(200);
    world.clock.advance(Duration::from_secs(10));
    let after = world.get("/api/auth/me", &token(&world)).await.expect(200);
    assert!(
        after["last_login"].as_str() > before["last_login"].as_str(),
        "{after}"
    );
}

#[tokio::test]
async fn two_devices_in_turn_do_not_write_at_each_request() {
    let world = World::start().await;
    let [phone, laptop] =
        ["phone", "laptop"].map(|session| world.token("ada").claim("session_id", session).sign());
    world.get("/api/auth/me", &phone).await.expect(200);
    let settled = world.get("/api/auth/me", &laptop).await.expect(200);
    world.clock.advance(Duration::from_secs(1));
    for token in [&phone, &laptop, &phone, &laptop] {
        let me = world.get("/api/auth/me", token).await.expect(200);
        assert_eq!(me["last_login"], settled["last_login"]);
    }
}

#[tokio::test]
async fn five_hundred_first_requests_at_once_make_one_account() {
    let world = World::start().await;
    let token = world.token("ada").sign();
    let answers =
        futures_util::future::join_all((0..500).map(|_| world.get("/api/auth/me", &token))).await;
    let ids: std::collections::HashSet<String> = answers
        .iter()
        .map(|answer| answer.expect(200)["id"].to_string())
        .collect();
    assert_eq!(ids.len(), 1);
    assert_eq!(
        number(&world.database, "SELECT COUNT(*) FROM users").await,
        1
    );
}

#[tokio::test]
async fn the_protected_route_makes_no_account() {
    let world = World::start().await;
    world
        .get("/protected", &world.token("ada").sign())
        .await
        .expect(200);
    assert_eq!(
        number(&world.database, "SELECT COUNT(*) FROM users").await,
        0
    );
}

#[tokio::test]
async fn claims_that_cannot_be_kept_lock_nobody_out() {
    let world = World::start().await;
    let token = world
        .token("ada")
        .claim("email", 7)
        .claim("name", "a\nb")
        .claim("picture", "javascript:alert(1)")
        .claim("user_metadata", "x");
    let me = world.get("/api/auth/me", &token.sign()).await.expect(200);
    assert_eq!(
        (&me["email"], &me["name"], &me["picture"]),
        (&json!(null), &json!(null), &json!(null))
    );
}
