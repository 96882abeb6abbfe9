//! Timeouts of responses and streams.
//!
//! Uses tokio's clock. It runs while bytes are being sent and is paused otherwise; while paused, it
//! advances to the next timer automatically.

use tokio::time::{Instant, advance, pause, resume};

use super::*;

/// Advances the clock.
async fn advance_clock(time: Duration) {
    pause();
    advance(time).await;
    resume();
}

/// Starts a stream and reads its first event.
async fn started_stream(service: &mut Service) -> (CompletionStream, Call) {
    let call_task = spawn_stream(service);
    let mut call = service.call().await;
    call.send(format!("{CHUNKED_EVENTS}{}", chunked(&delta("one"))))
        .await;
    let mut chunks = within_timeout(call_task).await.unwrap().unwrap();
    assert_eq!(next(&mut chunks).await, Some(Ok(delta("one").into())));
    (chunks, call)
}

#[tokio::test]
async fn plain_response_times_out() {
    for part in [
        "",
        "HTTP/1.1 200 OK\r\nx-slow: ",
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{",
    ] {
        let mut service = Service::start().await;
        let call_task = spawn_complete(&service);
        let mut call = service.call().await;
        call.send(part).await;
        let start = Instant::now();
        pause();
        let error = call_task.await.unwrap().unwrap_err();
        resume();
        assert_eq!(
            error,
            CompletionsError::ResponseTimeout { after: TIMEOUT },
            "{part:?}"
        );
        assert_eq!(
            (error.code(), error.status().as_u16()),
            ("UPSTREAM_TIMEOUT", 504)
        );
        assert!(
            start.elapsed() > TIMEOUT - Duration::from_mins(1)
                && start.elapsed() < TIMEOUT + Duration::from_mins(1)
        );
        call.closed().await;
    }
}

#[tokio::test]
async fn response_just_before_the_timeout_is_accepted() {
    let mut service = Service::start().await;
    let call_task = spawn_complete(&service);
    let mut call = service.call().await;
    advance_clock(TIMEOUT - Duration::from_mins(2)).await;
    call.send(json_response(
        r#"{"choices":[{"message":{"content":"text"}}]}"#,
    ))
    .await;
    assert_eq!(
        within_timeout(call_task).await.unwrap().unwrap().text,
        "text"
    );
}

#[tokio::test]
async fn stream_start_times_out() {
    let mut service = Service::start().await;
    let call_task = spawn_stream(&service);
    let mut call = service.call().await;
    pause();
    let error = call_task.await.unwrap().unwrap_err();
    resume();
    assert_eq!(error, CompletionsError::ResponseTimeout { after: TIMEOUT });
    call.closed().await;
}

#[tokio::test]
async fn stalled_stream_times_out() {
    let mut service = Service::start().await;
    let (mut chunks, mut call) = started_stream(&mut service).await;
    let start = Instant::now();
    pause();
    let error = chunks.next().await.unwrap().unwrap_err();
    resume();
    assert_eq!(error, CompletionsError::IdleTimeout { after: TIMEOUT });
    assert_eq!(
        (error.code(), error.status().as_u16()),
        ("UPSTREAM_TIMEOUT", 504)
    );
    assert!(
        start.elapsed() > TIMEOUT - Duration::from_mins(1)
            && start.elapsed() < TIMEOUT + Duration::from_mins(1)
    );
    call.closed().await;
    assert!(chunks.next().await.is_none());
}

/// The comment after each part is forwarded immediately, which shows that the part has arrived.
#[tokio::test]
async fn event_in_parts_may_exceed_the_idle_timeout() {
    let mut service = Service::start().await;
    let (mut chunks, mut call) = started_stream(&mut service).await;
    for part in ["data: {\"choices\":\n: alive\n", "data: []\n: alive\n"] {
        advance_clock(TIMEOUT - Duration::from_mins(2)).await;
        call.send(chunked(part)).await;
        assert_eq!(next(&mut chunks).await, Some(Ok(":\n\n".into())));
    }
    advance_clock(TIMEOUT - Duration::from_mins(2)).await;
    call.send(chunked("data: }\n\n")).await;
    assert_eq!(
        next(&mut chunks).await,
        Some(Ok("data: {\"choices\":\ndata: []\ndata: }\n\n".into()))
    );
}

#[tokio::test]
async fn stream_ends_after_ten_times_the_timeout() {
    let mut service = Service::start().await;
    let (mut chunks, mut call) = started_stream(&mut service).await;
    for n in 1..=10 {
        advance_clock(TIMEOUT - Duration::from_mins(1)).await;
        call.send(chunked(&delta("more"))).await;
        assert_eq!(
            next(&mut chunks).await,
            Some(Ok(delta("more").into())),
            "after {n} pauses"
        );
    }
    // 90 of 100 minutes have passed. The total timeout now ends before the idle timeout.
    let start = Instant::now();
    advance_clock(Duration::from_mins(5)).await;
    pause();
    let error = chunks.next().await.unwrap().unwrap_err();
    resume();
    assert_eq!(
        error,
        CompletionsError::StreamTimeout {
            after: TIMEOUT * 10
        }
    );
    assert_eq!(
        (error.code(), error.status().as_u16()),
        ("UPSTREAM_TIMEOUT", 504)
    );
    assert!(
        start.elapsed() < Duration::from_mins(11),
        "{:?}",
        start.elapsed()
    );
    call.closed().await;
}

#[tokio::test]
async fn buffered_bytes_do_not_extend_the_stream_timeout() {
    let mut service = Service::start().await;
    let (mut chunks, mut call) = started_stream(&mut service).await;
    call.send(chunked(&delta("late"))).await;
    advance_clock(TIMEOUT * 10).await;
    assert_eq!(
        next(&mut chunks).await,
        Some(Err(CompletionsError::StreamTimeout {
            after: TIMEOUT * 10
        }))
    );
}

/// The connection is accepted, but TLS does not start.
#[tokio::test]
async fn connecting_times_out_after_5_seconds() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("https://{}/v1", listener.local_addr().unwrap());
    let client = Completions::new(&settings(&base_url), Arc::new(StoppedClock)).unwrap();
    let call_task = tokio::spawn(async move { client.complete(&key(), &prompt()).await });
    let (stream, _) = within_timeout(listener.accept()).await.unwrap();
    within_timeout(stream.readable()).await.unwrap();
    let start = Instant::now();
    pause();
    let error = call_task.await.unwrap().unwrap_err();
    resume();
    assert_eq!(error, CompletionsError::ConnectTimeout);
    assert_eq!(
        (error.code(), error.status().as_u16()),
        ("UPSTREAM_TIMEOUT", 504)
    );
    assert!(
        start.elapsed() < Duration::from_mins(1),
        "{:?}",
        start.elapsed()
    );
}
