//! No answer takes longer than it may.
//!
//! Time is tokio's. It runs while bytes are under way and is stopped when nothing is: then it jumps
//! to the next timer by itself.

use tokio::time::{Instant, advance, pause, resume};

use super::*;

/// Lets this much time pass at once.
async fn pass(time: Duration) {
    pause();
    advance(time).await;
    resume();
}

/// A stream whose first event has come.
async fn begun(service: &mut Service) -> (CompletionStream, Call) {
    let asking = streaming(service);
    let mut call = service.call().await;
    call.send(format!("{CHUNKED_EVENTS}{}", chunked(&delta("one"))))
        .await;
    let mut chunks = soon(asking).await.unwrap().unwrap();
    assert_eq!(next(&mut chunks).await, Some(Ok(delta("one").into())));
    (chunks, call)
}

#[tokio::test]
async fn a_plain_answer_has_the_configured_time_to_its_last_byte() {
    for part in [
        "",
        "HTTP/1.1 200 OK\r\nx-slow: ",
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{",
    ] {
        let mut service = Service::start().await;
        let asking = completing(&service);
        let mut call = service.call().await;
        call.send(part).await;
        let start = Instant::now();
        pause();
        let error = asking.await.unwrap().unwrap_err();
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
async fn an_answer_that_comes_just_in_time_is_one() {
    let mut service = Service::start().await;
    let asking = completing(&service);
    let mut call = service.call().await;
    pass(TIMEOUT - Duration::from_mins(2)).await;
    call.send(json_response(
        r#"{"choices":[{"message":{"content":"text"}}]}"#,
    ))
    .await;
    assert_eq!(soon(asking).await.unwrap().unwrap().text, "text");
}

#[tokio::test]
async fn a_stream_has_the_configured_time_to_begin() {
    let mut service = Service::start().await;
    let asking = streaming(&service);
    let mut call = service.call().await;
    pause();
    let error = asking.await.unwrap().unwrap_err();
    resume();
    assert_eq!(error, CompletionsError::ResponseTimeout { after: TIMEOUT });
    call.closed().await;
}

#[tokio::test]
async fn a_stream_that_stalls_ends_after_the_configured_time() {
    let mut service = Service::start().await;
    let (mut chunks, mut call) = begun(&mut service).await;
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

/// The comment between the parts is passed on at once, and so tells that the part before it has
/// arrived.
#[tokio::test]
async fn an_event_may_take_longer_than_a_silence() {
    let mut service = Service::start().await;
    let (mut chunks, mut call) = begun(&mut service).await;
    for part in ["data: {\"choices\":\n: alive\n", "data: []\n: alive\n"] {
        pass(TIMEOUT - Duration::from_mins(2)).await;
        call.send(chunked(part)).await;
        assert_eq!(next(&mut chunks).await, Some(Ok(":\n\n".into())));
    }
    pass(TIMEOUT - Duration::from_mins(2)).await;
    call.send(chunked("data: }\n\n")).await;
    assert_eq!(
        next(&mut chunks).await,
        Some(Ok("data: {\"choices\":\ndata: []\ndata: }\n\n".into()))
    );
}

#[tokio::test]
async fn a_stream_that_never_stalls_ends_after_ten_times_the_configured_time() {
    let mut service = Service::start().await;
    let (mut chunks, mut call) = begun(&mut service).await;
    for n in 1..=10 {
        pass(TIMEOUT - Duration::from_mins(1)).await;
        call.send(chunked(&delta("more"))).await;
        assert_eq!(
            next(&mut chunks).await,
            Some(Ok(delta("more").into())),
            "after {n} times nine tenths"
        );
    }
    // 90 of 100 minutes are over, and the next silence may not outlast the whole.
    let start = Instant::now();
    pass(Duration::from_mins(5)).await;
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
async fn bytes_that_are_there_already_make_no_stream_longer() {
    let mut service = Service::start().await;
    let (mut chunks, mut call) = begun(&mut service).await;
    call.send(chunked(&delta("late"))).await;
    pass(TIMEOUT * 10).await;
    assert_eq!(
        next(&mut chunks).await,
        Some(Err(CompletionsError::StreamTimeout {
            after: TIMEOUT * 10
        }))
    );
}

/// A connection is there and TLS never begins.
#[tokio::test]
async fn connecting_has_5_seconds() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("https://{}/v1", listener.local_addr().unwrap());
    let upstream = Completions::new(&settings(&base_url), Arc::new(StoppedClock)).unwrap();
    let asking = tokio::spawn(async move { upstream.complete(&key(), &prompt()).await });
    let (stream, _) = soon(listener.accept()).await.unwrap();
    soon(stream.readable()).await.unwrap();
    let start = Instant::now();
    pause();
    let error = asking.await.unwrap().unwrap_err();
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
