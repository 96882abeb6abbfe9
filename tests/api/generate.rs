//! `POST /api/generate` with a mock completions service.

use std::time::Duration;

use reqwest::{Method, Response};
use serde_json::{Value, json};
use test_support::completions_service::{Call, CompletionsService};

use crate::{
    api_keys::OLD,
    test_app::{ApiResponse, JsonBody, TestApp, send},
};

const KEY: &str = "sk-abc12345678901234567890wxyz";

/// Starts a server and a completions service. Returns them with a token of a user who has stored an
/// API key.
async fn start(settings: &[(&str, &str)]) -> (TestApp, CompletionsService, String) {
    let service = CompletionsService::start().await;
    let defaults = [
        ("vault.keys", OLD),
        ("generate.base_url", service.base_url.as_str()),
        ("generate.model", "coder-1"),
    ];
    let settings: Vec<_> = defaults.iter().chain(settings).copied().collect();
    let app = TestApp::start_with(&settings).await;
    let token = app.token("ada").sign();
    app.post("/api/user/api-keys", &token, &json!({"togetherAI": KEY}))
        .await
        .expect_status(200);
    (app, service, token)
}

/// Sends a request while the service returns `head` and `body`. Returns the response and the request
/// received by the service.
async fn generate_with(head: &str, body: &str) -> (ApiResponse, Value) {
    let (app, mut service, token) = start(&[]).await;
    let request = json!({"prompt": "reverse a string"});
    let service = async {
        let mut call = service.call().await;
        let length = body.len();
        call.send(format!(
            "HTTP/1.1 {head}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
        ))
        .await;
        call.body.clone()
    };
    tokio::join!(app.post("/api/generate", &token, &request), service)
}

fn has_key(call: &Call) -> bool {
    call.head
        .contains(&format!("authorization: bearer {}\r\n", KEY.to_lowercase()))
}

const JSON: &str = "content-type: application/json";

#[tokio::test]
async fn the_response_contains_the_text_of_the_model() {
    let body = r#"{"choices":[{"message":{"content":"fn reverse() {}"}}],"model":"coder-1-b","usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7}}"#;
    let (response, sent) = generate_with(&format!("200 OK\r\n{JSON}"), body).await;
    let usage = json!({"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7});
    let expected =
        json!({"success": true, "code": "fn reverse() {}", "model": "coder-1-b", "usage": usage});
    assert_eq!(response.expect_status(200), expected);
    assert_eq!(sent["model"], "coder-1");
    assert_eq!(
        sent["messages"],
        json!([{"role": "user", "content": "reverse a string"}])
    );
}

#[tokio::test]
async fn the_key_and_model_of_the_caller_are_used() {
    let (app, mut service, token) = start(&[]).await;
    let body = json!({"prompt": "x", "model": "other/model", "stream": false});
    let service = async {
        let mut call = service.call().await;
        assert!(has_key(&call), "{}", call.head);
        call.send("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 43\r\n\r\n{\"choices\":[{\"message\":{\"content\":\"yes\"}}]}").await;
        call.body["model"].clone()
    };
    let (response, model) = tokio::join!(app.post("/api/generate", &token, &body), service);
    assert_eq!(model, "other/model");
    assert_eq!(response.expect_status(200)["code"], "yes");
}

#[tokio::test]
async fn without_a_stored_key_the_service_is_not_called() {
    let (app, service, _) = start(&[]).await;
    let response = app
        .post(
            "/api/generate",
            &app.token("bob").sign(),
            &json!({"prompt": "x"}),
        )
        .await;
    response.assert_error(409, "API_KEY_MISSING");
    assert_eq!(service.connections(), 0);
}

#[tokio::test]
async fn service_failures_have_a_code_and_do_not_leak_the_response() {
    let cases = [
        (
            "401 Unauthorized",
            JSON,
            "{\"error\":\"sk-leaked\"}",
            502,
            "UPSTREAM_REJECTED_KEY",
        ),
        (
            "403 Forbidden",
            JSON,
            "{\"error\":\"sk-leaked\"}",
            502,
            "UPSTREAM_REJECTED_KEY",
        ),
        ("500 Oops", JSON, "sk-leaked", 502, "UPSTREAM_FAILED"),
        (
            "302 Found",
            "location: http://127.0.0.1:9/sk-leaked",
            "",
            502,
            "UPSTREAM_FAILED",
        ),
        ("200 OK", JSON, "sk-leaked", 502, "UPSTREAM_FAILED"),
        ("200 OK", JSON, "{\"choices\":[]}", 502, "UPSTREAM_FAILED"),
        (
            "200 OK",
            "content-type: text/html",
            "<p>sk-leaked",
            502,
            "UPSTREAM_FAILED",
        ),
    ];
    for (status, header, body, expected, code) in cases {
        let (response, _) = generate_with(&format!("{status}\r\n{header}"), body).await;
        response.assert_error(expected, code);
        assert!(
            !response.body.contains("leaked") && !response.body.contains("sk-abc"),
            "{response:?}"
        );
    }
}

#[tokio::test]
async fn a_rate_limit_of_the_service_is_forwarded() {
    let (response, _) =
        generate_with(&format!("429 Too Many\r\nretry-after: 17\r\n{JSON}"), "{}").await;
    response.assert_error(429, "RATE_LIMITED");
    assert_eq!(response.header("retry-after"), "17");
}

#[tokio::test]
async fn an_unresponsive_service_is_504_after_the_timeout() {
    let (app, mut service, token) = start(&[
        ("generate.timeout", "1s"),
        ("server.request_timeout", "10s"),
    ])
    .await;
    let request = json!({"prompt": "x"});
    let service = async {
        let mut call = service.call().await;
        call.closed().await;
    };
    let (response, ()) = tokio::join!(app.post("/api/generate", &token, &request), service);
    response.assert_error(504, "UPSTREAM_TIMEOUT");
}

#[tokio::test]
async fn a_stream_is_forwarded_event_by_event() {
    let (app, mut service, token) = start(&[]).await;
    let request = app
        .request(Method::POST, "/api/generate")
        .bearer_auth(&token)
        .json_body(&json!({"prompt": "x", "stream": true}));
    let response = tokio::spawn(request.send());
    let mut call = service.call().await;
    assert!(has_key(&call) && call.body["stream"] == true);
    call.send("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\ndata: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n").await;
    let mut response = response.await.unwrap().unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    assert_eq!(response.headers()["x-accel-buffering"], "no");
    // The service has not sent the second event yet.
    let first = response.chunk().await.unwrap().unwrap();
    assert_eq!(
        first,
        "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n"
    );
    call.send("data: [DONE]\n\n").await;
    drop(call);
    assert_eq!(response.text().await.unwrap(), "data: [DONE]\n\n");
}

#[tokio::test]
async fn an_interrupted_stream_ends_with_an_error_event() {
    let (app, mut service, token) = start(&[]).await;
    let request = app
        .request(Method::POST, "/api/generate")
        .bearer_auth(&token)
        .json_body(&json!({"prompt": "x", "stream": true}));
    let response = tokio::spawn(send(request));
    let mut call = service.call().await;
    call.send("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\ndata: {\"choices\":[]}\n\n").await;
    drop(call);
    let response = response.await.unwrap();
    let (last, envelope) = response
        .body
        .trim_end()
        .rsplit_once("event: error\ndata: ")
        .unwrap();
    assert_eq!(last, "data: {\"choices\":[]}\n\n");
    let envelope: Value = serde_json::from_str(envelope).unwrap();
    assert_eq!(envelope["error"]["code"], "UPSTREAM_FAILED");
    assert_eq!(envelope["request_id"], response.header("x-request-id"));
}

#[tokio::test]
async fn a_client_disconnect_cancels_the_service_call() {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n";
    let first = format!("{head}data: {{\"choices\":[]}}\n\n");
    for (stream, bytes) in [(false, ""), (true, ""), (true, head), (true, &first)] {
        let (app, mut service, token) = start(&[("generate.timeout", "10m")]).await;
        let request = app
            .request(Method::POST, "/api/generate")
            .bearer_auth(&token)
            .json_body(&json!({"prompt": "x", "stream": stream}));
        let client = tokio::spawn(async move {
            let mut response = request.send().await.unwrap();
            while response.chunk().await.unwrap().is_some() {}
        });
        let mut call = service.call().await;
        call.send(bytes).await;
        client.abort();
        call.closed().await;
    }
}

#[tokio::test]
async fn an_invalid_request_is_rejected_without_a_service_call() {
    let (app, service, token) = start(&[]).await;
    let cases = [
        (json!({}), "prompt"),
        (json!({"prompt": ""}), "prompt"),
        (json!({"prompt": " \n"}), "prompt"),
        (json!({"prompt": "a\u{0}b"}), "prompt"),
        (json!({"prompt": "x".repeat(32_769)}), "prompt"),
        (json!({"prompt": ["x"]}), "prompt"),
        (json!({"prompt": "x", "model": "a b"}), "model"),
        (json!({"prompt": "x", "model": "m".repeat(201)}), "model"),
        (json!({"prompt": "x", "stream": "true"}), "stream"),
        (json!({"prompt": "x", "key": "sk"}), "key"),
    ];
    for (body, field) in cases {
        let errors = app
            .post("/api/generate", &token, &body)
            .await
            .field_errors();
        assert_eq!(
            (errors.len(), errors[0].0.as_str()),
            (1, field),
            "{errors:?}"
        );
    }
    assert_eq!(service.connections(), 0);
}

#[tokio::test]
async fn disabling_an_account_ends_its_stream() {
    let (app, mut service, token) = start(&[("generate.timeout", "10m")]).await;
    let id = app.get("/api/auth/me", &token).await.expect_status(200)["id"].clone();
    let (stream, mut call) = start_stream(&app, &mut service, &token).await;
    let request_id = stream.headers()["x-request-id"].clone();
    app.patch(
        &format!("/api/admin/users/{}", id.as_str().unwrap()),
        &app.admin_token(),
        &json!({"is_active": false}),
    )
    .await
    .expect_status(200);
    app.clock.advance(Duration::from_secs(10));
    call.closed().await;
    let body = stream.text().await.unwrap();
    let (_, envelope) = body.trim_end().rsplit_once("event: error\ndata: ").unwrap();
    let envelope: Value = serde_json::from_str(envelope).unwrap();
    assert_eq!(envelope["error"]["code"], "ACCOUNT_DISABLED");
    assert_eq!(envelope["request_id"], request_id.to_str().unwrap());
}

#[tokio::test]
async fn disabling_an_account_ends_its_running_request() {
    let (app, mut service, token) = start(&[("generate.timeout", "10m")]).await;
    let id = app.get("/api/auth/me", &token).await.expect_status(200)["id"].clone();
    let body = json!({"prompt": "x"});
    let disable = async {
        let mut call = service.call().await;
        app.patch(
            &format!("/api/admin/users/{}", id.as_str().unwrap()),
            &app.admin_token(),
            &json!({"is_active": false}),
        )
        .await
        .expect_status(200);
        app.clock.advance(Duration::from_secs(10));
        call.closed().await;
    };
    let (response, ()) = tokio::join!(app.post("/api/generate", &token, &body), disable);
    response.assert_error(403, "ACCOUNT_DISABLED");
}

const TWO_CONCURRENT: [(&str, &str); 2] = [
    ("rate_limit.enabled", "true"),
    ("rate_limit.generations", "2"),
];

/// Starts a stream. Returns its client side and its service side.
async fn start_stream(
    app: &TestApp,
    service: &mut CompletionsService,
    token: &str,
) -> (Response, Call) {
    let request = app
        .request(Method::POST, "/api/generate")
        .bearer_auth(token)
        .json_body(&json!({"prompt": "x", "stream": true}));
    let response = tokio::spawn(request.send());
    let mut call = service.call().await;
    call.send("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\ndata: {\"choices\":[]}\n\n").await;
    (response.await.unwrap().unwrap(), call)
}

#[track_caller]
fn assert_limit_reached(response: &ApiResponse) {
    response.assert_error(429, "RATE_LIMITED");
    assert_eq!(response.header("retry-after"), "5");
}

#[tokio::test]
async fn concurrent_generations_are_limited_per_user() {
    let (app, mut service, token) = start(&TWO_CONCURRENT).await;
    let generate = async |token: &str| {
        app.post("/api/generate", token, &json!({"prompt": "x"}))
            .await
    };
    let (first, mut first_call) = start_stream(&app, &mut service, &token).await;
    let (second, mut second_call) = start_stream(&app, &mut service, &token).await;
    let another_token = app.token("ada").aal("aal2").sign();
    for token in [&token, &another_token] {
        assert_limit_reached(&generate(token).await);
    }
    assert_eq!(
        service.connections(),
        2,
        "the service is not called for rejected requests"
    );
    app.get("/api/auth/me", &token).await.expect_status(200);

    let same_subject = app.other.token().sub("ada").sign();
    generate(&same_subject)
        .await
        .assert_error(409, "API_KEY_MISSING");
    app.post(
        "/api/user/api-keys",
        &same_subject,
        &json!({"togetherAI": KEY}),
    )
    .await
    .expect_status(200);
    drop(start_stream(&app, &mut service, &same_subject).await);

    // One stream whose client disconnects, and one that ends.
    drop(first);
    first_call.closed().await;
    let (third, _third_call) = start_stream(&app, &mut service, &token).await;
    assert_limit_reached(&generate(&token).await);
    second_call.send("data: [DONE]\n\n").await;
    drop(second_call);
    assert!(second.text().await.unwrap().ends_with("data: [DONE]\n\n"));
    let (_fourth, _fourth_call) = start_stream(&app, &mut service, &token).await;
    assert_limit_reached(&generate(&token).await);
    drop(third);
}

#[tokio::test]
async fn a_failed_generation_releases_its_permit() {
    let (app, mut service, token) = start(&[
        ("rate_limit.enabled", "true"),
        ("rate_limit.generations", "1"),
    ])
    .await;
    for (stream, status, code) in [
        (false, "500 Oops", "UPSTREAM_FAILED"),
        (true, "401 No", "UPSTREAM_REJECTED_KEY"),
        (false, "200 OK", "UPSTREAM_FAILED"),
    ] {
        let body = json!({"prompt": "x", "stream": stream});
        let service = async {
            let mut call = service.call().await;
            call.send(format!(
                "HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
            ))
            .await;
        };
        let (response, ()) = tokio::join!(app.post("/api/generate", &token, &body), service);
        response.assert_error(502, code);
    }
}

#[tokio::test]
async fn deleting_the_account_does_not_release_permits() {
    let (app, mut service, token) = start(&[
        ("rate_limit.enabled", "true"),
        ("rate_limit.generations", "1"),
    ])
    .await;
    let (_stream, _call) = start_stream(&app, &mut service, &token).await;
    app.delete("/api/user", &token).await.expect_status(204);
    let token = app.newer_token("ada").sign();
    app.post("/api/user/api-keys", &token, &json!({"togetherAI": KEY}))
        .await
        .expect_status(200);
    assert_limit_reached(
        &app.post("/api/generate", &token, &json!({"prompt": "x"}))
            .await,
    );
}

#[tokio::test]
async fn generations_are_unlimited_if_rate_limits_are_disabled() {
    let (app, mut service, token) = start(&[("rate_limit.generations", "1")]).await;
    let mut streams = Vec::new();
    for _ in 0..3 {
        streams.push(start_stream(&app, &mut service, &token).await);
    }
    assert_eq!(service.connections(), 3);
}
