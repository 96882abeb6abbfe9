//! Request bodies that cannot be parsed, body limits, methods and paths.

use reqwest::Method;
use sea_orm::{ConnectionTrait, TransactionTrait};
use serde_json::json;
use test_support::{database, raw_http::send_until_closed};

use crate::test_app::{TestApp, send};

/// All routes with a request body.
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
async fn a_body_must_be_a_json_object() {
    let app = TestApp::start().await;
    for (method, path) in BODIES {
        let send_body = async |body: &'static str, kind: &'static str| {
            let request = app
                .request(method.clone(), path)
                .bearer_auth(app.admin_token())
                .header("content-type", kind);
            send(request.body(body)).await
        };
        for unreadable in ["", "{", "{\"a\":}", "nonsense", "\u{feff}{}", "{}{}"] {
            send_body(unreadable, "application/json")
                .await
                .assert_error(400, "INVALID_REQUEST");
        }
        for other in ["[]", "7", "null", "\"text\"", "true"] {
            let errors = send_body(other, "application/json").await.field_errors();
            assert_eq!(
                errors,
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
                .assert_error(415, "UNSUPPORTED_MEDIA_TYPE");
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
async fn the_body_limit_is_exact() {
    let app = TestApp::start_with(&[("server.body_limit", "1KiB")]).await;
    for (method, path) in BODIES {
        let send_body = async |size: usize| {
            let body = format!("{{\"x\":\"{}\"}}", "a".repeat(size - 8));
            assert_eq!(body.len(), size);
            let request = app
                .request(method.clone(), path)
                .bearer_auth(app.admin_token())
                .header("content-type", "application/json");
            send(request.body(body)).await
        };
        assert_eq!(send_body(1024).await.status, 422, "{method} {path}");
        let details = send_body(1025).await.assert_error(413, "PAYLOAD_TOO_LARGE");
        assert_eq!(details["limit_bytes"], 1024);
    }
}

#[tokio::test]
async fn a_duplicate_member_is_a_field_error() {
    let app = TestApp::start().await;
    let request = app
        .request(Method::POST, "/api/status")
        .bearer_auth(app.admin_token())
        .header("content-type", "application/json");
    let errors = send(request.body(r#"{"client_name": "a", "client_name": "b"}"#))
        .await
        .field_errors();
    assert_eq!(
        errors,
        [("client_name".to_owned(), "is repeated".to_owned())]
    );
}

#[tokio::test]
async fn errors_do_not_echo_the_body() {
    let app = TestApp::start().await;
    let body = json!({"client_name": {"secret": "sk-hidden-1"}, "sk-hidden-2-which-is-long-enough-to-be-a-key": "sk-hidden-3", "a b": "sk-hidden-4"});
    let response = app.post("/api/status", &app.admin_token(), &body).await;
    assert_eq!(response.field_errors().len(), 3);
    assert!(!response.body.contains("hidden"), "{response:?}");
    let nameless = app
        .post(
            "/api/status",
            &app.admin_token(),
            &json!({"client_name": "web", "": 1}),
        )
        .await;
    assert_eq!(nameless.field_errors()[0].0, "?");
}

#[tokio::test]
async fn authentication_errors_take_precedence_over_body_errors() {
    let app = TestApp::start_with(&[("server.body_limit", "1KiB")]).await;
    for (method, path) in BODIES
        .into_iter()
        .filter(|(_, path)| *path != "/api/auth/google")
    {
        for (kind, body) in [
            ("text/plain", "x".to_owned()),
            ("application/json", "{".to_owned()),
            ("application/json", "x".repeat(5000)),
        ] {
            let request = app
                .request(method.clone(), path)
                .header("content-type", kind)
                .body(body);
            send(request).await.assert_error(401, "MISSING_TOKEN");
        }
    }
}

#[tokio::test]
async fn method_not_allowed_lists_the_methods() {
    let app = TestApp::start().await;
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
        let response = send(
            app.request(Method::PUT, path)
                .bearer_auth(app.admin_token()),
        )
        .await;
        response.assert_error(405, "METHOD_NOT_ALLOWED");
        assert_eq!(response.header("allow"), allow, "{path}");
    }
}

#[tokio::test]
async fn unknown_paths_are_404_with_an_error_body() {
    let app = TestApp::start().await;
    for path in [
        "/",
        "/api",
        "/api/",
        "/api/status/",
        "/api/users",
        "/api/status/1",
    ] {
        app.get(path, &app.admin_token())
            .await
            .assert_error(404, "NOT_FOUND");
    }
}

#[tokio::test]
async fn an_unread_body_does_not_keep_the_connection_open() {
    let app = TestApp::start_with(&[("server.body_limit", "1KiB")]).await;
    let token = app.token("ada").sign();
    let head = |path: &str, token: &str| {
        format!(
            "POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\n"
        )
    };
    let too_large = format!("1000\r\n{}\r\n", "x".repeat(4096));
    for (head, body, status) in [
        (head("/api/status", "x"), "1\r\n{\r\n", "401"),
        (head("/nowhere", "x"), "1\r\n{\r\n", "404"),
        (head("/api/status", &token), too_large.as_str(), "413"),
    ] {
        let response = send_until_closed(
            app.address,
            format!("{head}transfer-encoding: chunked\r\n\r\n{body}"),
        )
        .await;
        assert!(
            response.starts_with(&format!("HTTP/1.1 {status} "))
                && response.contains("connection: close"),
            "{response}"
        );
        let response = send_until_closed(
            app.address,
            format!("{head}content-length: 5000\r\n\r\n{body}"),
        )
        .await;
        assert!(
            response.starts_with(&format!("HTTP/1.1 {status} ")),
            "{response}"
        );
    }
}

#[tokio::test]
async fn a_connection_is_reused_after_a_chunked_body() {
    let app = TestApp::start().await;
    let token = app.token("ada").sign();
    let first = format!(
        "POST /api/status HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\n\
         transfer-encoding: chunked\r\n\r\nb\r\n{{\"client_na\r\nb\r\nme\": \"web\"}}\r\n0\r\n\r\n"
    );
    let response = send_until_closed(
        app.address,
        first + "GET /livez HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
    )
    .await;
    assert!(
        response.starts_with("HTTP/1.1 201") && response.contains("HTTP/1.1 200"),
        "{response}"
    );
}

#[tokio::test]
async fn a_compressed_body_is_415_with_the_accepted_coding() {
    let app = TestApp::start().await;
    for (method, path) in BODIES {
        let send_coded = async |coding: &'static str| {
            let request = app
                .request(method.clone(), path)
                .bearer_auth(app.admin_token())
                .header("content-type", "application/json")
                .header("content-encoding", coding);
            send(request.body("{}")).await
        };
        let response = send_coded("gzip").await;
        assert_eq!(response.headers["accept-encoding"], "identity");
        response.assert_error(415, "UNSUPPORTED_MEDIA_TYPE");
        assert_ne!(send_coded("identity").await.status, 415, "{method} {path}");
    }
}

#[tokio::test]
async fn a_slow_body_is_408_and_a_slow_server_503() {
    let app = TestApp::start_with(&[("server.request_timeout", "2s")]).await;
    let token = app.token("ada").sign();
    app.get("/api/auth/me", &token).await.expect_status(200);

    let head = format!(
        "POST /api/status HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\n"
    );
    for body in [
        "content-length: 100\r\n\r\n{",
        "transfer-encoding: chunked\r\n\r\n1\r\n{\r\n",
    ] {
        let response = send_until_closed(app.address, format!("{head}{body}")).await;
        assert!(
            response.starts_with("HTTP/1.1 408 ") && response.contains("REQUEST_TIMEOUT"),
            "{response}"
        );
    }

    let database = database::connect(&app.database).await;
    let lock = database.begin().await.unwrap();
    lock.execute_unprepared("UPDATE users SET name = 'locked'")
        .await
        .unwrap();
    let response = app
        .patch("/api/user", &token, &json!({"name": "Ada"}))
        .await;
    response.assert_error(503, "TIMEOUT");
    assert_eq!(response.header("retry-after"), "5");
    lock.rollback().await.unwrap();
}
