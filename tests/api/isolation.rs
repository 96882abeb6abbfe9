//! Whose rows a request sees: its subject's, and nobody else's, whatever it sends.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{Json, World, send};

/// Every route behind a token: what owns rows, with a body that would be right.
fn routes(id: &str) -> Vec<(Method, String, Option<Value>)> {
    vec![
        (Method::GET, "/protected".to_owned(), None),
        (Method::GET, "/api/auth/me".to_owned(), None),
        (
            Method::PATCH,
            "/api/user".to_owned(),
            Some(json!({"name": "x"})),
        ),
        (Method::DELETE, "/api/user".to_owned(), None),
        (Method::GET, "/api/status".to_owned(), None),
        (
            Method::POST,
            "/api/status".to_owned(),
            Some(json!({"client_name": "web"})),
        ),
        (Method::GET, "/api/user/api-keys".to_owned(), None),
        (
            Method::POST,
            "/api/user/api-keys".to_owned(),
            Some(json!({"kestra": "kestra-key-of-somebody-else"})),
        ),
        (
            Method::DELETE,
            "/api/user/api-keys/togetherAI".to_owned(),
            None,
        ),
        (
            Method::POST,
            "/api/generate".to_owned(),
            Some(json!({"prompt": "x"})),
        ),
        (Method::GET, "/api/auth/verify".to_owned(), None),
        (Method::GET, "/api/admin/users".to_owned(), None),
        (
            Method::PATCH,
            format!("/api/admin/users/{id}"),
            Some(json!({"is_active": false})),
        ),
    ]
}

/// Ada, with a row of each kind that she may have, as she and the database know her.
async fn ada(world: &World) -> (String, String) {
    let token = world
        .token("ada")
        .claim("email", "ada-private@example.com")
        .sign();
    world
        .post(
            "/api/status",
            &token,
            &json!({"client_name": "ada-private-client"}),
        )
        .await
        .expect(201);
    world
        .patch("/api/user", &token, &json!({"name": "ada-private-name"}))
        .await
        .expect(200);
    world
        .post(
            "/api/user/api-keys",
            &token,
            &json!({"togetherAI": "ada-private-key-of-24-chars-and-more"}),
        )
        .await
        .expect(200);
    let id = world.get("/api/auth/me", &token).await.expect(200)["id"]
        .as_str()
        .unwrap()
        .to_owned();
    (token, id)
}

async fn whole(world: &World, token: &str) -> Vec<Value> {
    let mut whole = Vec::new();
    for path in ["/api/auth/me", "/api/status", "/api/user/api-keys"] {
        whole.push(world.get(path, token).await.expect(200));
    }
    whole
}

#[tokio::test]
async fn who_is_not_let_in_learns_nothing_on_any_route() {
    let world = World::with(&[("vault.keys", crate::api_keys::OLD)]).await;
    let (token, id) = ada(&world).await;
    let before = whole(&world, &token).await;
    let strangers = [
        ("MISSING_TOKEN", None),
        ("TOKEN_EXPIRED", Some(world.token("ada").expired().sign())),
        (
            "INVALID_SIGNATURE",
            Some(world.token("ada").signed_by_stranger()),
        ),
        ("INVALID_SIGNATURE", Some(world.token("ada").tampered())),
        (
            "UNKNOWN_ISSUER",
            Some(world.stranger.token().sub("ada").roles(["admin"]).sign()),
        ),
        (
            "MALFORMED_TOKEN",
            Some(world.token("ada").roles(["admin"]).alg_none()),
        ),
    ];
    for (code, stranger) in strangers {
        for (method, path, body) in routes(&id) {
            let mut request = world.request(method.clone(), &path);
            if let Some(stranger) = &stranger {
                request = request.bearer_auth(stranger);
            }
            if let Some(body) = body {
                request = request.json(&body);
            }
            let answer = send(request).await;
            answer.refuses(401, code);
            assert!(
                !answer.body.contains("ada-private"),
                "{method} {path}: {answer:?}"
            );
        }
    }
    assert_eq!(whole(&world, &token).await, before);
}

#[tokio::test]
async fn another_user_sees_and_changes_nothing_of_hers() {
    let world = World::with(&[("vault.keys", crate::api_keys::OLD)]).await;
    let (token, id) = ada(&world).await;
    let before = whole(&world, &token).await;
    let others = [
        world.token("bob").sign(),
        world
            .token("nobody")
            .claim("is_anonymous", true)
            .without("email")
            .sign(),
        world.other.token().sub("ada").sign(),
        world.token("Ada").sign(),
        world.token("ada ").sign(),
    ];
    for other in others {
        for (method, path, body) in routes(&id) {
            let mut request = world.request(method.clone(), &path).bearer_auth(&other);
            if let Some(body) = body {
                request = request.json(&body);
            }
            let answer = send(request).await;
            assert!(
                !answer.body.contains("ada-private"),
                "{method} {path}: {answer:?}"
            );
            assert_eq!(
                path.contains("/admin/"),
                answer.status == 403,
                "{method} {path}: {answer:?}"
            );
        }
    }
    world.clock.advance(Duration::from_secs(30));
    assert_eq!(whole(&world, &token).await, before);
}

#[tokio::test]
async fn an_id_that_a_client_sends_is_never_used() {
    let world = World::with(&[("vault.keys", crate::api_keys::OLD)]).await;
    let (_, id) = ada(&world).await;
    let bob = world.token("bob").sign();
    for query in [
        format!("user_id={id}"),
        format!("sub={id}"),
        format!("id={id}"),
    ] {
        world
            .get(&format!("/api/status?{query}"), &bob)
            .await
            .invalid();
    }
    for field in ["user_id", "id", "sub", "owner"] {
        world
            .post(
                "/api/status",
                &bob,
                &json!({ "client_name": "web", field: id }),
            )
            .await
            .invalid();
    }
    let request = world.request(Method::GET, "/api/auth/me").bearer_auth(&bob);
    let request = request
        .header("x-user-id", &id)
        .header("x-auth-subject", "ada")
        .header("x-forwarded-user", "ada");
    assert_eq!(send(request).await.expect(200)["subject"], "bob");
}
