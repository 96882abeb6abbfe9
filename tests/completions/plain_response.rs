//! Plain calls: the request and the parsed response.

use serde_json::json;

use super::*;

const RESPONSE: &str = r#"{"id":"x","object":"chat.completion","model":"the/model-itself","choices":[
    {"index":0,"message":{"role":"assistant","content":"fn main() {} // grüße 👋"},"finish_reason":"stop"},
    {"index":1,"message":{"role":"assistant","content":"another"},"finish_reason":"stop"}
],"usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7,"prompt_tokens_details":null}}"#;

#[tokio::test]
async fn completion_has_text_model_and_usage() {
    let completion = completed(json_response(RESPONSE)).await.unwrap();
    assert_eq!(completion.text, "fn main() {} // grüße 👋");
    assert_eq!(completion.model, "the/model-itself");
    let usage = completion.usage.unwrap();
    assert_eq!(
        (
            usage.prompt_tokens,
            usage.completion_tokens,
            usage.total_tokens
        ),
        (3, 4, 7)
    );
}

#[tokio::test]
async fn response_in_single_bytes_is_parsed() {
    let mut service = Service::start().await;
    let call_task = spawn_complete(&service);
    let mut call = service.call().await;
    for byte in json_response(RESPONSE).bytes() {
        call.send([byte]).await;
        tokio::task::yield_now().await;
    }
    assert_eq!(
        within_timeout(call_task).await.unwrap().unwrap().text,
        "fn main() {} // grüße 👋"
    );
}

#[tokio::test]
async fn request_follows_the_openai_format() {
    let mut service = Service::start().await;
    let call_task = spawn_complete(&service);
    let mut call = service.call().await;
    assert!(
        call.head
            .starts_with("post /v1/chat/completions http/1.1\r\n"),
        "{}",
        call.head
    );
    for line in [
        "content-type: application/json",
        "accept: application/json",
        &format!("authorization: bearer {KEY}").to_lowercase(),
    ] {
        assert!(
            call.head.contains(&format!("\r\n{line}\r\n")),
            "{line} in {}",
            call.head
        );
    }
    for absent in ["cookie", "referer", "accept-encoding"] {
        assert!(
            !call.head.contains(&format!("\r\n{absent}:")),
            "{absent} in {}",
            call.head
        );
    }
    let messages = json!([{"role": "user", "content": prompt().prompt}]);
    assert_eq!(
        call.body,
        json!({"model": MODEL, "messages": messages, "stream": false})
    );
    call.send(json_response(RESPONSE)).await;
    within_timeout(call_task).await.unwrap().unwrap();
}

#[tokio::test]
async fn requested_model_overrides_the_configured_one() {
    let mut service = Service::start().await;
    let client = client(&service);
    let call_task = tokio::spawn(async move {
        let prompt = Prompt {
            model: Some("another/model".to_owned()),
            ..prompt()
        };
        client.complete(&key(), &prompt).await
    });
    let mut call = service.call().await;
    assert_eq!(call.body["model"], "another/model");
    call.send(json_response(r#"{"choices":[{"message":{"content":""}}]}"#))
        .await;
    let completion = within_timeout(call_task).await.unwrap().unwrap();
    assert_eq!(
        (completion.text.as_str(), completion.model.as_str()),
        ("", "another/model")
    );
    assert_eq!(completion.usage, None);
}

#[tokio::test]
async fn connection_is_reused() {
    let mut service = Service::start().await;
    let client = client(&service);
    let call_task = tokio::spawn(async move {
        for _ in 0..2 {
            client.complete(&key(), &prompt()).await.unwrap();
        }
    });
    let mut call = service.call().await;
    call.send(json_response(RESPONSE)).await;
    let mut call = call.next_call().await;
    call.send(json_response(RESPONSE)).await;
    within_timeout(call_task).await.unwrap();
    assert_eq!(service.connections(), 1);
}

#[tokio::test]
async fn invalid_usage_is_ignored() {
    for usage in [
        "null",
        "{}",
        "7",
        r#"{"prompt_tokens":-1,"completion_tokens":0,"total_tokens":0}"#,
    ] {
        let json = format!(r#"{{"choices":[{{"message":{{"content":"text"}}}}],"usage":{usage}}}"#);
        let completion = completed(json_response(&json)).await.unwrap();
        assert_eq!(
            (completion.text.as_str(), completion.usage),
            ("text", None),
            "{usage}"
        );
    }
}

#[tokio::test]
async fn invalid_json_is_rejected() {
    for body in [
        "",
        "{",
        "fn main() {}",
        "{\"choices\":[{\"message\":{\"content\":\"cut",
        "{} {}",
    ] {
        let error = completed(json_response(body)).await.unwrap_err();
        assert!(
            matches!(
                error,
                CompletionsError::InvalidJson | CompletionsError::MissingText
            ),
            "{body}: {error:?}"
        );
        assert_eq!(
            (error.code(), error.status().as_u16()),
            ("UPSTREAM_FAILED", 502),
            "{body}"
        );
    }
    let head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n"
        .as_slice();
    let latin = [
        head,
        b"{\"choices\":[{\"message\":{\"content\":\"\xfcber\"}}]}",
    ]
    .concat();
    assert_eq!(completed(latin).await, Err(CompletionsError::InvalidJson));
}

#[tokio::test]
async fn json_without_text_is_rejected() {
    for body in [
        "{}",
        "[]",
        "null",
        "7",
        r#"{"choices":[]}"#,
        r#"{"choices":{}}"#,
        r#"{"choices":[{}]}"#,
        r#"{"choices":[{"message":{}}]}"#,
        r#"{"choices":[{"message":{"content":null}}]}"#,
        r#"{"choices":[{"message":{"content":["text"]}}]}"#,
        r#"{"choices":[{"text":"of the older API"}]}"#,
        r#"{"error":{"message":"a failure with status 200"}}"#,
    ] {
        assert_eq!(
            completed(json_response(body)).await,
            Err(CompletionsError::MissingText),
            "{body}"
        );
    }
}

#[tokio::test]
async fn other_content_types_are_rejected() {
    let body = r#"{"choices":[{"message":{"content":"text"}}]}"#;
    for headers in [
        "",
        "content-type: text/html\r\n",
        "content-type: text/plain\r\n",
        "content-type: text/event-stream\r\n",
        "content-type: application/jsonl\r\n",
        "content-type: application/json\r\ncontent-encoding: gzip\r\n",
    ] {
        assert_eq!(
            completed(response("200 OK", headers, body)).await,
            Err(CompletionsError::WrongContentType),
            "{headers}"
        );
    }
    for headers in [
        "content-type: application/json; charset=utf-8\r\n",
        "content-type: Application/JSON\r\n",
        "content-type: application/vnd.api+json\r\n",
        "content-type: application/json\r\ncontent-encoding: identity\r\n",
    ] {
        assert_eq!(
            completed(response("200 OK", headers, body))
                .await
                .unwrap()
                .text,
            "text",
            "{headers}"
        );
    }
}
