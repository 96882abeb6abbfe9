//! Streamed responses.

use super::*;

#[tokio::test]
async fn stream_is_forwarded_unchanged() {
    let events = [
        delta("fn "),
        delta("main() { \"grüße 👋\" }"),
        FINISHED.to_owned(),
        DONE.to_owned(),
    ]
    .concat();
    assert_eq!(streamed(format!("{EVENTS}{events}")).await, (events, None));
}

#[tokio::test]
async fn stream_request_asks_for_events() {
    let mut service = Service::start().await;
    let call_task = spawn_stream(&service);
    let mut call = service.call().await;
    assert_eq!(call.body["stream"], true);
    assert!(
        call.head.contains("\r\naccept: text/event-stream\r\n"),
        "{}",
        call.head
    );
    call.send(format!("{EVENTS}{DONE}")).await;
    assert!(within_timeout(call_task).await.unwrap().is_ok());
}

#[tokio::test]
async fn each_event_is_forwarded_immediately() {
    let mut service = Service::start().await;
    let call_task = spawn_stream(&service);
    let mut call = service.call().await;
    call.send(CHUNKED_EVENTS).await;
    let mut chunks = within_timeout(call_task).await.unwrap().unwrap();
    for event in [
        delta("one"),
        ":\n\n".to_owned(),
        delta("two"),
        DONE.to_owned(),
    ] {
        call.send(chunked(&event)).await;
        assert_eq!(next(&mut chunks).await, Some(Ok(event.into())));
    }
    assert_eq!(next(&mut chunks).await, None);
}

#[tokio::test]
async fn chunk_boundaries_do_not_matter() {
    let crlf = format!(": hi\r\n\r\n{}{DONE}", delta("grüße 👋"))
        .replace('\n', "\r\n")
        .replace("\r\r", "\r");
    let mut service = Service::start().await;
    let call_task = spawn_stream(&service);
    let mut call = service.call().await;
    call.send(CHUNKED_EVENTS).await;
    let reader = tokio::spawn(read(within_timeout(call_task).await.unwrap().unwrap()));
    for byte in crlf.bytes() {
        call.send([b"1\r\n".as_slice(), &[byte], b"\r\n"].concat())
            .await;
        tokio::task::yield_now().await;
    }
    let (bytes, error) = within_timeout(reader).await.unwrap();
    assert_eq!(
        (String::from_utf8(bytes).unwrap(), error),
        (format!(":\n\n{}{DONE}", delta("grüße 👋")), None)
    );
}

#[tokio::test]
async fn comments_and_other_fields_are_removed() {
    let events = format!(
        ": OPENROUTER PROCESSING\n\nid: 7\nretry: 1\nevent: message\n{}data:\n\n{DONE}{}",
        delta("one"),
        delta("late")
    );
    assert_eq!(
        streamed(format!("{EVENTS}{events}")).await,
        (format!(":\n\n{}:\n\n{DONE}", delta("one")), None)
    );
}

#[tokio::test]
async fn multi_line_data_stays_one_event() {
    let events = "data: {\"choices\":\ndata: []}\n\ndata: [DONE]\n\n";
    assert_eq!(
        streamed(format!("{EVENTS}{events}")).await,
        (events.to_owned(), None)
    );
}

#[tokio::test]
async fn stream_is_complete_after_its_finish_reason() {
    let complete = format!("{}{FINISHED}", delta("one"));
    assert_eq!(
        streamed(format!("{EVENTS}{complete}")).await,
        (format!("{complete}{DONE}"), None)
    );
    for done in ["data: [DONE]", "data: [DONE]\n", "data:[DONE] \r\n"] {
        assert_eq!(
            streamed(format!("{EVENTS}{}{done}", delta("one"))).await,
            (delta("one") + DONE, None),
            "{done:?}"
        );
    }
}

#[tokio::test]
async fn stream_is_incomplete_before_its_finish_reason() {
    for end in [
        "",
        "data: {\"cho",
        "data: {\"choices\":[]}\n",
        "data: [DO",
        ": bye\n\n",
    ] {
        let (bytes, error) = streamed(format!("{EVENTS}{}{end}", delta("one"))).await;
        assert!(
            bytes.starts_with(&delta("one")) && !bytes.contains("DONE"),
            "{end:?}: {bytes}"
        );
        assert_eq!(error, Some(CompletionsError::Incomplete), "{end:?}");
    }
    assert_eq!(
        streamed(EVENTS).await,
        (String::new(), Some(CompletionsError::Incomplete))
    );
}

#[tokio::test]
async fn interrupted_stream_ends_with_an_error() {
    let (bytes, error) = streamed(format!(
        "{CHUNKED_EVENTS}{}{}",
        chunked(&delta("one")),
        chunked("data: {\"choices\":[{\"de")
    ))
    .await;
    assert_eq!(bytes, delta("one"));
    assert!(
        matches!(error, Some(CompletionsError::Interrupted { .. })),
        "{error:?}"
    );
}

#[tokio::test]
async fn error_event_of_the_service_is_not_forwarded() {
    for event in [
        format!("data: {{\"error\":{{\"message\":\"key {KEY} is empty\",\"code\":402}}}}\n\n"),
        format!("event: error\ndata: {KEY}\n\n"),
        "data: {\"choices\":[],\"error\":\"overloaded\"}\n\n".to_owned(),
    ] {
        let (bytes, error) = streamed(format!("{EVENTS}{}{event}{DONE}", delta("one"))).await;
        assert_eq!(
            (bytes, error),
            (delta("one"), Some(CompletionsError::StreamFailed)),
            "{event}"
        );
    }
    let null_error = "data: {\"choices\":[],\"error\":null}\n\n";
    assert_eq!(
        streamed(format!("{EVENTS}{null_error}{DONE}")).await,
        (format!("{null_error}{DONE}"), None)
    );
}

#[tokio::test]
async fn invalid_chunk_ends_the_stream() {
    for data in [
        "text",
        "[null, []]",
        "7",
        "{\"choices\":",
        "{} {}",
        "{\"choices\":7}",
        "[DONE]!",
    ] {
        let (bytes, error) =
            streamed(format!("{EVENTS}{}data: {data}\n\n{DONE}", delta("one"))).await;
        assert_eq!(
            (bytes, error),
            (delta("one"), Some(CompletionsError::InvalidJson)),
            "{data}"
        );
    }
    let latin = [
        EVENTS.as_bytes(),
        b"data: {\"choices\":[],\"x\":\"\xfc\"}\n\n",
    ]
    .concat();
    assert_eq!(
        streamed(latin).await,
        (String::new(), Some(CompletionsError::InvalidJson))
    );
}

#[tokio::test]
async fn stream_needs_the_event_content_type() {
    for headers in [
        "",
        "content-type: application/json\r\n",
        "content-type: text/html\r\n",
    ] {
        let (bytes, error) = streamed(response("200 OK", headers, DONE)).await;
        assert_eq!(
            (bytes.as_str(), error),
            ("", Some(CompletionsError::WrongContentType)),
            "{headers}"
        );
    }
    let with_charset = response(
        "200 OK",
        "content-type: text/event-stream; charset=utf-8\r\n",
        DONE,
    );
    assert_eq!(streamed(with_charset).await, (DONE.to_owned(), None));
}

#[test]
fn error_event_is_one_line_of_json() {
    let id = bearward::RequestId::parse("req-7").unwrap();
    let event = CompletionsError::IdleTimeout {
        after: Duration::from_mins(1),
    }
    .to_event(Some(&id));
    let text = std::str::from_utf8(&event).unwrap();
    let data = text
        .strip_prefix("event: error\ndata: ")
        .unwrap()
        .strip_suffix("\n\n")
        .unwrap();
    assert!(!data.contains('\n'));
    let body: serde_json::Value = serde_json::from_str(data).unwrap();
    let error = serde_json::json!({
        "code": "UPSTREAM_TIMEOUT", "message": "the service sent nothing for 60s during its response", "details": null,
    });
    assert_eq!(
        body,
        serde_json::json!({"success": false, "error": error, "request_id": "req-7"})
    );
}
