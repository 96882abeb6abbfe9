//! No answer is longer than it may be.

use super::*;

const MIB: usize = 1 << 20;

fn json_of(length: usize) -> String {
    let answer = r#"{"choices":[{"message":{"content":"text"}}]}"#;
    format!("{answer}{}", " ".repeat(length - answer.len()))
}

#[tokio::test]
async fn a_plain_answer_has_1_mib_at_most() {
    for (length, fits) in [(MIB, true), (MIB + 1, false)] {
        let body = json_of(length);
        let unannounced = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n{body}"
        );
        for answer in [json_response(&body), unannounced] {
            let outcome = completed(answer).await;
            if fits {
                assert_eq!(outcome.unwrap().text, "text");
            } else {
                let error = outcome.unwrap_err();
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
async fn an_endless_plain_answer_is_cut_off() {
    let mut service = Service::start().await;
    let asking = completing(&service);
    let mut call = service.call().await;
    let head =
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
    call.send(head).await;
    let pouring =
        tokio::spawn(
            async move { while call.try_send(chunked(&" ".repeat(4096))).await.is_ok() {} },
        );
    assert_eq!(
        soon(asking).await.unwrap(),
        Err(CompletionsError::TooLarge { limit: MIB })
    );
    soon(pouring).await.unwrap();
}

/// So many bytes of events, of which the last is the mark of the end.
fn events_of(length: usize) -> String {
    const LINE: usize = 1 << 16;
    let padding = length - DONE.len();
    let line = |length: usize| format!(":{}\n", "x".repeat(length - 2));
    let mut events = line(LINE).repeat(padding / LINE - 1);
    events.push_str(&line(LINE + padding % LINE));
    events + DONE
}

#[tokio::test]
async fn a_stream_has_16_mib_at_most() {
    for (length, fits) in [(16 * MIB, true), (16 * MIB + 1, false)] {
        let events = events_of(length);
        assert_eq!(events.len(), length);
        let (bytes, error) = streamed(format!("{EVENTS}{events}")).await;
        assert_eq!(
            error,
            (!fits).then_some(CompletionsError::TooLarge { limit: 16 * MIB })
        );
        assert_eq!(bytes.ends_with(DONE), fits);
    }
}

#[tokio::test]
async fn an_endless_stream_is_cut_off() {
    let mut service = Service::start().await;
    let asking = streaming(&service);
    let mut call = service.call().await;
    call.send(CHUNKED_EVENTS).await;
    let chunks = soon(asking).await.unwrap().unwrap();
    let pouring = tokio::spawn(async move {
        while call
            .try_send(chunked(&delta(&"x".repeat(4096))))
            .await
            .is_ok()
        {}
    });
    let (bytes, error) = soon(read(chunks)).await;
    assert_eq!(error, Some(CompletionsError::TooLarge { limit: 16 * MIB }));
    assert!(
        bytes.len() > 15 * MIB,
        "what came before was passed on: {}",
        bytes.len()
    );
    soon(pouring).await.unwrap();
}

#[tokio::test]
async fn an_event_that_does_not_end_is_cut_off() {
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
