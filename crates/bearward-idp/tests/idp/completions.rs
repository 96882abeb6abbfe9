//! The stand-in for the completions service, which `bearward dev` puts behind `/api/generate`.

use reqwest::{Client, Response};
use serde_json::{Value, json};

use crate::fixture::{JSON, TestIdp};

const KEY: (&str, &str) = ("authorization", "Bearer any-text");
const CALL: &str = "POST /.completions/v1/chat/completions";

fn body(prompt: &str, stream: bool) -> String {
    let message = json!({ "role": "user", "content": prompt });
    json!({ "model": "a/model", "messages": [message], "stream": stream }).to_string()
}

fn enabled() -> TestIdp {
    let idp = TestIdp::start();
    idp.serve_completions();
    idp
}

async fn set_failure(idp: &TestIdp, failure: Value) {
    let body = json!({ "failure": failure }).to_string();
    let response = idp.send_json("PUT /admin/completions", &body).await;
    assert_eq!(response.json()["completions"]["failure"], failure);
}

/// Sends a request and returns the response before its body.
async fn call(idp: &TestIdp, stream: bool) -> Response {
    let client = Client::builder().no_proxy().build().unwrap();
    let url = format!("{}/chat/completions", idp.completions_url().unwrap());
    let request = client.post(url).header(KEY.0, KEY.1);
    let request = request.header(JSON.0, JSON.1).body(body("a loop", stream));
    request.send().await.unwrap()
}

#[tokio::test]
async fn it_is_not_served_unless_it_was_enabled() {
    let idp = TestIdp::start();
    let response = idp.send(CALL, &[KEY, JSON], &body("x", false)).await;
    assert_eq!(response.error(), (404, "NOT_FOUND".to_owned()));
    let shown = idp.get("/admin/completions").await.json();
    assert_eq!(shown, json!({ "completions": null }));
    let response = idp.send_json("PUT /admin/completions", "{}").await;
    assert_eq!(response.error(), (404, "NOT_FOUND".to_owned()));
}

#[tokio::test]
async fn it_says_what_it_is_in_the_language_of_the_prompt() {
    let idp = enabled();
    for (prompt, comment, code) in [
        ("Reverse a string, in Rust", "//", "fn reverse"),
        ("reverse a string in python", "#", "def reverse"),
        ("reverse a string", "//", "export function reverse"),
    ] {
        let response = idp.send(CALL, &[KEY, JSON], &body(prompt, false)).await;
        assert_eq!(response.status, 200, "{}", response.body);
        let document = response.json();
        let text = document["choices"][0]["message"]["content"]
            .as_str()
            .unwrap();
        let notice = format!("{comment} Answer of the development stand-in: no model ran.");
        assert!(text.starts_with(&notice), "{text}");
        assert!(text.contains(code) && text.contains(prompt), "{text}");
        assert_eq!(document["model"], "bearward-development-stand-in");
        let usage = &document["usage"];
        let sum =
            usage["prompt_tokens"].as_u64().unwrap() + usage["completion_tokens"].as_u64().unwrap();
        assert_eq!(usage["total_tokens"], sum);
    }
    let shown = idp.get("/admin/completions").await.json();
    assert_eq!(
        shown["completions"],
        json!({ "failure": null, "requests": 3 })
    );
}

#[tokio::test]
async fn a_prompt_cannot_leave_its_comment() {
    let idp = enabled();
    let prompt = format!("first\nsecond\r\u{2028}{}", "x".repeat(300));
    let response = idp.send(CALL, &[KEY, JSON], &body(&prompt, false)).await;
    let document = response.json();
    let text = document["choices"][0]["message"]["content"]
        .as_str()
        .unwrap();
    let line = text.lines().find(|line| line.contains("first")).unwrap();
    assert!(line.starts_with("// Prompt: first second "), "{line}");
    assert!(line.ends_with("xxx..."), "{line}");
}

#[tokio::test]
async fn a_stream_has_a_chunk_for_each_word_and_an_end() {
    let idp = enabled();
    let response = idp.send(CALL, &[KEY, JSON], &body("a loop", true)).await;
    assert_eq!(response.header("content-type"), Some("text/event-stream"));
    let mut events: Vec<_> = response
        .body
        .split_terminator("\n\n")
        .map(|event| event.strip_prefix("data: ").unwrap())
        .collect();
    assert_eq!(events.pop(), Some("[DONE]"));
    let chunks: Vec<Value> = events
        .iter()
        .map(|event| serde_json::from_str(event).unwrap())
        .collect();
    assert!(chunks.len() > 20, "{}", chunks.len());
    assert_eq!(chunks[0]["choices"][0]["delta"]["role"], "assistant");
    let last = chunks.last().unwrap();
    assert_eq!(last["choices"][0]["finish_reason"], "stop");
    assert!(last["usage"]["total_tokens"].is_u64(), "{last}");
    let text: String = chunks
        .iter()
        .filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str())
        .collect();
    assert!(text.contains("development stand-in"), "{text}");
}

#[tokio::test]
async fn failures_are_those_of_the_real_service() {
    let idp = enabled();
    for (failure, status, code) in [
        ("rate_limit", 429, "rate_limit_exceeded"),
        ("server_error", 500, "server_error"),
        ("invalid_key", 401, "invalid_api_key"),
    ] {
        set_failure(&idp, failure.into()).await;
        for stream in [false, true] {
            let response = idp.send(CALL, &[KEY, JSON], &body("x", stream)).await;
            assert_eq!(response.status, status, "{failure}");
            assert_eq!(response.json()["error"]["code"], code, "{failure}");
            let has_delay = response.header("retry-after").is_some();
            assert_eq!(has_delay, status == 429, "{failure}");
        }
    }
    set_failure(&idp, Value::Null).await;
    assert_eq!(call(&idp, false).await.status(), 200);
    let unknown = idp.send_json("PUT /admin/completions", r#"{"failure": "rain"}"#);
    assert_eq!(unknown.await.error(), (422, "VALIDATION_FAILED".to_owned()));
}

#[tokio::test]
async fn an_aborted_response_ends_with_the_connection() {
    let idp = enabled();
    set_failure(&idp, "aborted".into()).await;
    for stream in [false, true] {
        let mut response = call(&idp, stream).await;
        assert_eq!(response.status(), 200);
        let mut received = 0;
        let error = loop {
            match response.chunk().await {
                Ok(Some(bytes)) => received += bytes.len(),
                Ok(None) => break None,
                Err(error) => break Some(error),
            }
        };
        assert!(
            received > 0 && error.is_some(),
            "{received} bytes, {error:?}"
        );
    }
}

#[tokio::test]
async fn a_slow_stream_begins_and_can_be_abandoned() {
    let idp = enabled();
    set_failure(&idp, "slow".into()).await;
    let mut response = call(&idp, true).await;
    let first = response.chunk().await.unwrap().unwrap();
    assert!(first.starts_with(b"data: {"), "{first:?}");
    drop(response);
    assert_eq!(idp.get("/health").await.status, 200);
}

#[tokio::test]
async fn a_key_is_required_and_foreign_pages_are_rejected() {
    let idp = enabled();
    for headers in [&[JSON][..], &[JSON, ("authorization", "Bearer  ")]] {
        assert_eq!(idp.send(CALL, headers, &body("x", false)).await.status, 401);
    }
    let foreign = [KEY, JSON, ("origin", "https://attacker.invalid")];
    let response = idp.send(CALL, &foreign, &body("x", false)).await;
    assert_eq!(response.error(), (403, "ORIGIN_REFUSED".to_owned()));
    assert_eq!(idp.send(CALL, &[KEY, JSON], "{}").await.status, 400);
}
