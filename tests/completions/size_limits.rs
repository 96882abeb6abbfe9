//! Size limits of responses, events and streams.

use super::*;

const MIB: usize = 1 << 20;

fn json_of_length(length: usize) -> String {
    let json = r#"{"choices":[{"message":{"content":"text"}}]}"#;
    format!("{json}{}", " ".repeat(length - json.len()))
}

#[tokio::test]
async fn plain_response_is_limited_to_1_mib() {
    for (length, is_allowed) in [(MIB, true), (MIB + 1, false)] {
        let body = json_of_length(length);
        let without_length = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n{body}"
        );
        for response in [json_response(&body), without_length] {
            let result = completed(response).await;
            if is_allowed {
                assert_eq!(result.unwrap().text, "text");
            } else {
                let error = result.unwrap_err();
                assert_eq!(error, CompletionsError::TooLarge { limit: MIB });
                assert_eq!(
                    (error.code(), error.status().as_u16()),
                    ("UPSTREAM_FAILED", 502)
                );
            }
        }
    }
}

#[tokio::test]
async fn endless_plain_response_is_cut_off() {
    let mut service = Service::start().await;
    let call_task = spawn_complete(&service);
    let mut call = service.call().await;
    let head =
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
    call.send(head).await;
    let sender =
        tokio::spawn(
            async move { while call.try_send(chunked(&" ".repeat(4096))).await.is_ok() {} },
        );
    assert_eq!(
        within_timeout(call_task).await.unwrap(),
        Err(CompletionsError::TooLarge { limit: MIB })
    );
    within_timeout(sender).await.unwrap();
}

/// Returns events of this total length in bytes; the last one is `[DONE]`.
fn events_of_length(length: usize) -> String {
    const LINE: usize = 1 << 16;
    let padding = length - DONE.len();
    let line = |length: usize| format!(":{}\n", "x".repeat(length - 2));
    let mut events = line(LINE).repeat(padding / LINE - 1);
    events.push_str(&line(LINE + padding % LINE));
    events + DONE
}

#[tokio::test]
async fn stream_is_limited_to_16_mib() {
    for (length, is_allowed) in [(16 * MIB, true), (16 * MIB + 1, false)] {
        let events = events_of_length(length);
        assert_eq!(events.len(), length);
        let (bytes, error) = streamed(format!("{EVENTS}{events}")).await;
        assert_eq!(
            error,
            (!is_allowed).then_some(CompletionsError::TooLarge { limit: 16 * MIB })
        );
        assert_eq!(bytes.ends_with(DONE), is_allowed);
    }
}

#[tokio::test]
async fn endless_stream_is_cut_off() {
    let mut service = Service::start().await;
    let call_task = spawn_stream(&service);
    let mut call = service.call().await;
    call.send(CHUNKED_EVENTS).await;
    let chunks = within_timeout(call_task).await.unwrap().unwrap();
    let sender = tokio::spawn(async move {
        while call
            .try_send(chunked(&delta(&"x".repeat(4096))))
            .await
            .is_ok()
        {}
    });
    let (bytes, error) = within_timeout(read(chunks)).await;
    assert_eq!(error, Some(CompletionsError::TooLarge { limit: 16 * MIB }));
    assert!(bytes.len() > 15 * MIB, "forwarded bytes: {}", bytes.len());
    within_timeout(sender).await.unwrap();
}

#[tokio::test]
async fn endless_event_is_cut_off() {
    let (bytes, error) =
        streamed(format!("{EVENTS}{}data: {}", delta("one"), "x".repeat(MIB))).await;
    assert_eq!(
        (bytes, error),
        (
            delta("one"),
            Some(CompletionsError::TooLarge { limit: MIB })
        )
    );
}
