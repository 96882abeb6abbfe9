//! What is said about requests that no handler can work with.

use reqwest::Method;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::world::{GUARD, World, send};

/// Every route that takes a body.
const BODIES: [(Method, &str); 6] = [
    (Method::POST, "/api/status"),
    (Method::PATCH, "/api/user"),
    (Method::POST, "/api/user/api-keys"),
    (Method::POST, "/api/generate"),
    (
        Method::PATCH,
        "/api/admin/users/00000000-0000-7000-8000-000000000000",
    ),
    (Method::POST, "/api/auth/google"),
];

#[tokio::test]
async fn a_body_that_is_no_json_object_is_told_what_it_is_not() {
    let world = World::start().await;
    for (method, path) in BODIES {
        let send_body = async |body: &'static str, kind: &'static str| {
            let request = world
                .request(method.clone(), path)
                .bearer_auth(world.admin())
                .header("content-type", kind);
            send(request.body(body)).await
        };
        for unreadable in ["", "{", "{\"a\":}", "nonsense", "\u{feff}{}", "{}{}"] {
            send_body(unreadable, "application/json")
                .await
                .refuses(400, "INVALID_REQUEST");
        }
        for other in ["[]", "7", "null", "\"text\"", "true"] {
            let told = send_body(other, "application/json").await.invalid();
            assert_eq!(
                told,
                [("null".to_owned(), "must be a JSON object".to_owned())],
                "{method} {path} {other}"
            );
        }
        for kind in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data",
            "application/jsonx",
        ] {
            send_body("{}", kind)
                .await
                .refuses(415, "UNSUPPORTED_MEDIA_TYPE");
        }
        assert_ne!(
            send_body("{}", "application/json; charset=utf-8")
                .await
                .status,
            415
        );
        assert_ne!(
            send_body("{}", "application/merge-patch+json").await.status,
            415
        );
    }
}

#[tokio::test]
async fn a_body_may_be_as_large_as_the_limit_and_no_larger() {
    let world = World::with(&[("server.body_limit", "1KiB")]).await;
    for (method, path) in BODIES {
        let send_body = async |size: usize| {
            let body = format!("{{\"x\":\"{}\"}}", "a".repeat(size - 8));
            assert_eq!(body.len(), size);
            let request = world
                .request(method.clone(), path)
                .bearer_auth(world.admin())
                .header("content-type", "application/json");
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
    let request = world
        .request(Method::POST, "/api/status")
        .bearer_auth(world.admin())
        .header("content-type", "application/json");
    let told = send(request.body(r#"{"client_name": "a", "client_name": "b"}"#))
        .await
        .invalid();
    assert_eq!(told, [("client_name".to_owned(), "is repeated".to_owned())]);
}

#[tokio::test]
async fn what_was_sent_is_not_said_again() {
    let world = World::start().await;
    let body = json!({"client_name": {"secret": "sk-hidden-1"}, "sk-hidden-2-which-is-long-enough-to-be-a-key": "sk-hidden-3", "a b": "sk-hidden-4"});
    let answer = world.post("/api/status", &world.admin(), &body).await;
    assert_eq!(answer.invalid().len(), 3);
    assert!(!answer.body.contains("hidden"), "{answer:?}");
    let nameless = world
        .post(
            "/api/status",
            &world.admin(),
            &json!({"client_name": "web", "": 1}),
        )
        .await;
    assert_eq!(nameless.invalid()[0].0, "?");
}

#[tokio::test]
async fn who_is_not_let_in_learns_nothing_about_bodies() {
    let world = World::with(&[("server.body_limit", "1KiB")]).await;
    for (method, path) in BODIES
        .into_iter()
        .filter(|(_, path)| *path != "/api/auth/google")
    {
        for (kind, body) in [
            ("text/plain", "x".to_owned()),
            ("application/json", "{".to_owned()),
            ("application/json", "x".repeat(5000)),
        ] {
            let request = world
                .request(method.clone(), path)
                .header("content-type", kind)
                .body(body);
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
    for path in [
        "/",
        "/api",
        "/api/",
        "/api/status/",
        "/api/users",
        "/api/status/1",
    ] {
        world
            .get(path, &world.admin())
            .await
            .refuses(404, "NOT_FOUND");
    }
}

/// What comes back on one connection for these bytes, until the server closes it. The client leaves
/// it open.
async fn until_closed(world: &World, bytes: String) -> String {
    let mut stream = TcpStream::connect(world.address).await.unwrap();
    stream.write_all(bytes.as_bytes()).await.unwrap();
    let mut answer = String::new();
    tokio::time::timeout(GUARD, stream.read_to_string(&mut answer))
        .await
        .expect("the server closes the connection")
        .unwrap();
    answer
}

#[tokio::test]
async fn a_body_without_an_end_that_nobody_reads_holds_no_connection() {
    let world = World::with(&[("server.body_limit", "1KiB")]).await;
    let token = world.token("ada").sign();
    let head = |path: &str, token: &str| {
        format!(
            "POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\n"
        )
    };
    let too_much = format!("1000\r\n{}\r\n", "x".repeat(4096));
    for (head, body, status) in [
        (head("/api/status", "x"), "1\r\n{\r\n", "401"),
        (head("/nowhere", "x"), "1\r\n{\r\n", "404"),
        (head("/api/status", &token), too_much.as_str(), "413"),
    ] {
        let answer = until_closed(
            &world,
            format!("{head}transfer-encoding: chunked\r\n\r\n{body}"),
        )
        .await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} "))
                && answer.contains("connection: close"),
            "{answer}"
        );
        let answer =
            until_closed(&world, format!("{head}content-length: 5000\r\n\r\n{body}")).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{answer}"
        );
    }
}

#[tokio::test]
async fn a_connection_whose_body_in_chunks_was_read_serves_the_next_request() {
    let world = World::start().await;
    let token = world.token("ada").sign();
    let first = format!(
        "POST /api/status HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\n\
         transfer-encoding: chunked\r\n\r\nb\r\n{{\"client_na\r\nb\r\nme\": \"web\"}}\r\n0\r\n\r\n"
    );
    let answer = until_closed(
        &world,
        first + "GET /livez HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
    )
    .await;
    assert!(
        answer.starts_with("HTTP/1.1 201") && answer.contains("HTTP/1.1 200"),
        "{answer}"
    );
}
