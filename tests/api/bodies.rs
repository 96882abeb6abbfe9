//! What is said about requests that no handler can work with.

use reqwest::Method;
use serde_json::json;

use crate::world::{World, send};

/// Every route that takes a body.
const BODIES: [(Method, &str); 6] = [
    (Method::POST, "/api/status"),
    (Method::PATCH, "/api/user"),
    (Method::POST, "/api/user/api-keys"),
    (Method::POST, "/api/generate"),
    (Method::PATCH, "/api/admin/users/00000000-0000-7000-8000-000000000000"),
    (Method::POST, "/api/auth/google"),
];

#[tokio::test]
async fn a_body_that_is_no_json_object_is_told_what_it_is_not() {
    let world = World::start().await;
    for (method, path) in BODIES {
        let send_body = async |body: &'static str, kind: &'static str| {
            let request = world.request(method.clone(), path).bearer_auth(world.admin()).header("content-type", kind);
            send(request.body(body)).await
        };
        for unreadable in ["", "{", "{\"a\":}", "nonsense", "\u{feff}{}", "{}{}"] {
            send_body(unreadable, "application/json").await.refuses(400, "INVALID_REQUEST");
        }
        for other in ["[]", "7", "null", "\"text\"", "true"] {
            let told = send_body(other, "application/json").await.invalid();
            assert_eq!(told, [("null".to_owned(), "must be a JSON object".to_owned())], "{method} {path} {other}");
        }
        for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/jsonx"] {
            send_body("{}", kind).await.refuses(415, "UNSUPPORTED_MEDIA_TYPE");
        }
        assert_ne!(send_body("{}", "application/json; charset=utf-8").await.status, 415);
        assert_ne!(send_body("{}", "application/merge-patch+json").await.status, 415);
    }
}

#[tokio::test]
async fn a_body_may_be_as_large_as_the_limit_and_no_larger() {
    let world = World::with(&[("server.body_limit", "1KiB")]).await;
    for (method, path) in BODIES {
        let send_body = async |size: usize| {
            let body = format!("{{\"x\":\"{}\"}}", "a".repeat(size - 8));
            assert_eq!(body.len(), size);
            let request =
                world.request(method.clone(), path).bearer_auth(world.admin()).header("content-type", "application/json");
            send(request.body(body)).await
        };
        assert_eq!(send_body(1024).await.status, 422, "{method} {path}");
        let details = send_body(1025).await.refuses(413, "PAYLOAD_TOO_LARGE");
        assert_eq!(details["limit_bytes"], 1024);
    }
}

#[tokio::test]
async fn a_doubled_member_is_told() {
    let world = World::start().await;
    let request =
        world.request(Method::POST, "/api/status").bearer_auth(world.admin()).header("content-type", "application/json");
    let told = send(request.body(r#"{"client_name": "a", "client_name": "b"}"#)).await.invalid();
    assert_eq!(told, [("client_name".to_owned(), "is there twice".to_owned())]);
}

#[tokio::test]
async fn what_was_sent_is_not_said_again() {
    let world = World::start().await;
    let body = json!({"client_name": {"secret": "sk-hidden-1"}, "sk-hidden-2-which-is-long-enough-to-be-a-key": "sk-hidden-3", "a b": "sk-hidden-4"});
    let answer = world.post("/api/status", &world.admin(), &body).await;
    assert_eq!(answer.invalid().len(), 3);
    assert!(!answer.body.contains("hidden"), "{answer:?}");
    let nameless = world.post("/api/status", &world.admin(), &json!({"client_name": "web", "": 1})).await;
    assert_eq!(nameless.invalid()[0].0, "?");
}

#[tokio::test]
async fn who_is_not_let_in_learns_nothing_about_bodies() {
    let world = World::with(&[("server.body_limit", "1KiB")]).await;
    for (method, path) in BODIES.into_iter().filter(|(_, path)| *path != "/api/auth/google") {
        for (kind, body) in
            [("text/plain", "x".to_owned()), ("application/json", "{".to_owned()), ("application/json", "x".repeat(5000))]
        {
            let request = world.request(method.clone(), path).header("content-type", kind).body(body);
            send(request).await.refuses(401, "MISSING_TOKEN");
        }
    }
}

#[tokio::test]
async fn each_path_names_its_methods() {
    let world = World::start().await;
    let cases = [
        ("/protected", "GET, HEAD"),
        ("/api/auth/me", "GET, HEAD"),
        ("/api/user", "PATCH, DELETE"),
        ("/api/status", "POST, GET, HEAD"),
        ("/api/user/api-keys", "POST, GET, HEAD"),
        ("/api/user/api-keys/kestra", "DELETE"),
        ("/api/generate", "POST"),
        ("/api/auth/google", "GET, HEAD, POST"),
        ("/api/admin/users", "GET, HEAD"),
        ("/api/admin/users/x", "PATCH"),
        ("/health", "GET, HEAD"),
    ];
    for (path, allow) in cases {
        let answer = send(world.request(Method::PUT, path).bearer_auth(world.admin())).await;
        answer.refuses(405, "METHOD_NOT_ALLOWED");
        assert_eq!(answer.header("allow"), allow, "{path}");
    }
}

#[tokio::test]
async fn an_unknown_path_is_404_in_the_envelope() {
    let world = World::start().await;
    for path in ["/", "/api", "/api/", "/api/status/", "/api/users", "/api/status/1"] {
        world.get(path, &world.admin()).await.refuses(404, "NOT_FOUND");
    }
}
