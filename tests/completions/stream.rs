//! A streamed answer, as it comes.

use super::*;

#[tokio::test]
async fn an_answer_is_passed_on_as_the_service_sends_it() {
    let answer = [
        delta("fn "),
        delta("main() { \"grüße 👋\" }"),
        FINISHED.to_owned(),
        DONE.to_owned(),
    ]
    .concat();
    assert_eq!(streamed(format!("{EVENTS}{answer}")).await, (answer, None));
}

#[tokio::test]
async fn the_request_asks_for_events() {
    let mut service = Service::start().await;
    let asking = streaming(&service);
    let mut call = service.call().await;
    assert_eq!(call.body["stream"], true);
    assert!(
        call.head.contains("\r\naccept: text/event-stream\r\n"),
        "{}",
        call.head
    );
    call.send(format!("{EVENTS}{DONE}")).await;
    assert!(soon(asking).await.unwrap().is_ok());
}

#[tokio::test]
async fn each_event_is_there_before_the_service_sends_the_next() {
    let mut service = Service::start().await;
    let asking = streaming(&service);
    let mut call = service.call().await;
    call.send(CHUNKED_EVENTS).await;
    let mut chunks = soon(asking).await.unwrap().unwrap();
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
async fn a_cut_at_any_byte_changes_nothing_that_is_passed_on() {
    let crlf = format!(": hi\r\n\r\n{}{DONE}", delta("grüße 👋"))
        .replace('\n', "\r\n")
        .replace("\r\r", "\r");
    let mut service = Service::start().await;
    let asking = streaming(&service);
    let mut call = service.call().await;
    call.send(CHUNKED_EVENTS).await;
    let reading = tokio::spawn(read(soon(asking).await.unwrap().unwrap()));
    for byte in crlf.bytes() {
        call.send([b"1\r\n".as_slice(), &[byte], b"\r\n"].concat())
            .await;
        tokio::task::yield_now().await;
    }
    let (bytes, error) = soon(reading).await.unwrap();
    assert_eq!(
        (String::from_utf8(bytes).unwrap(), error),
        (format!(":\n\n{}{DONE}", delta("grüße 👋")), None)
    );
}

#[tokio::test]
async fn what_a_client_has_no_use_for_is_left_out() {
    let answer = format!(
        ": OPENROUTER PROCESSING\n\nid: 7\nretry: 1\nevent: message\n{}data:\n\n{DONE}{}",
        delta("one"),
        delta("late")
    );
    assert_eq!(
        streamed(format!("{EVENTS}{answer}")).await,
        (format!(":\n\n{}:\n\n{DONE}", delta("one")), None)
    );
}

#[tokio::test]
async fn data_of_several_lines_stays_one_event() {
    let answer = "data: {\"choices\":\ndata: []}\n\ndata: [DONE]\n\n";
    assert_eq!(
        streamed(format!("{EVENTS}{answer}")).await,
        (answer.to_owned(), None)
    );
}

#[tokio::test]
async fn a_stream_that_ends_after_its_last_chunk_is_complete_without_the_mark() {
    let complete = format!("{}{FINISHED}", delta("one"));
    assert_eq!(
        streamed(format!("{EVENTS}{complete}")).await,
        (format!("{complete}{DONE}"), None)
    );
    for mark in ["data: [DONE]", "data: [DONE]\n", "data:[DONE] \r\n"] {
        assert_eq!(
            streamed(format!("{EVENTS}{}{mark}", delta("one"))).await,
            (delta("one") + DONE, None),
            "{mark:?}"
        );
    }
}

#[tokio::test]
async fn a_stream_that_ends_before_its_last_chunk_is_not() {
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
async fn a_stream_that_is_cut_in_the_middle_ends_in_an_error_after_whole_events() {
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
async fn an_error_within_the_stream_is_told_in_our_own_words() {
    for event in [
        format!("data: {{\"error\":{{\"message\":\"key {KEY} is empty\",\"code\":402}}}}\n\n"),
        format!("event: error\ndata: {KEY}\n\n"),
        "data: {\"choices\":[],\"error\":\"overloaded\"}\n\n".to_owned(),
    ] {
        let (bytes, error) = streamed(format!("{EVENTS}{}{event}{DONE}", delta("one"))).await;
        assert_eq!(
            (bytes, error),
            (delta("one"), Some(CompletionsError::Failed)),
            "{event}"
        );
    }
    let harmless = "data: {\"choices\":[],\"error\":null}\n\n";
    assert_eq!(
        streamed(format!("{EVENTS}{harmless}{DONE}")).await,
        (format!("{harmless}{DONE}"), None)
    );
}

#[tokio::test]
async fn an_event_that_is_no_chunk_ends_the_stream() {
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
            (delta("one"), Some(CompletionsError::NotJson)),
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
        (String::new(), Some(CompletionsError::NotJson))
    );
}

#[tokio::test]
async fn another_content_type_than_events_is_refused() {
    for headers in [
        "",
        "content-type: application/json\r\n",
        "content-type: text/html\r\n",
    ] {
        let (bytes, error) = streamed(response("200 OK", headers, DONE)).await;
        assert_eq!(
            (bytes.as_str(), error),
            ("", Some(CompletionsError::WrongType)),
            "{headers}"
        );
    }
    let named = response(
        "200 OK",
        "content-type: text/event-stream; charset=utf-8\r\n",
        DONE,
    );
    assert_eq!(streamed(named).await, (DONE.to_owned(), None));
}

#[test]
fn an_error_event_is_the_envelope_in_one_line() {
    let id = bearward::RequestId::parse("req-7").unwrap();
    let event = CompletionsError::IdleTimeout {
        after: Duration::from_mins(1),
    }
    .event(Some(&id));
    let text = std::str::from_utf8(&event).unwrap();
    let data = text
        .strip_prefix("event: error\ndata: ")
        .unwrap()
        .strip_suffix("\n\n")
        .unwrap();
    assert!(!data.contains('\n'));
    let envelope: serde_json::Value = serde_json::from_str(data).unwrap();
    let error = serde_json::json!({
        "code": "UPSTREAM_TIMEOUT", "message": "the service fell silent for 60s in the middle of its answer", "details": null,
    });
    assert_eq!(
        envelope,
        serde_json::json!({"success": false, "error": error, "request_id": "req-7"})
    );
}
