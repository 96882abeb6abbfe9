//! A client that disconnects ends the call to the service.

use super::*;

#[tokio::test]
async fn dropping_a_stream_closes_the_connection() {
    let mut service = Service::start().await;
    let call_task = spawn_stream(&service);
    let mut call = service.call().await;
    call.send(format!("{CHUNKED_EVENTS}{}", chunked(&delta("one"))))
        .await;
    let mut chunks = within_timeout(call_task).await.unwrap().unwrap();
    assert_eq!(next(&mut chunks).await, Some(Ok(delta("one").into())));
    drop(chunks);
    call.closed().await;
}

#[tokio::test]
async fn aborting_before_the_first_byte_closes_the_connection() {
    let mut service = Service::start().await;
    let (plain, stream) = (spawn_complete(&service), spawn_stream(&service));
    let mut calls = [service.call().await, service.call().await];
    plain.abort();
    stream.abort();
    for call in &mut calls {
        call.closed().await;
    }
}

#[tokio::test]
async fn stream_error_closes_the_connection() {
    let mut service = Service::start().await;
    let call_task = spawn_stream(&service);
    let mut call = service.call().await;
    call.send(format!(
        "{CHUNKED_EVENTS}{}",
        chunked("data: {\"error\":\"overloaded\"}\n\n")
    ))
    .await;
    let mut chunks = within_timeout(call_task).await.unwrap().unwrap();
    assert_eq!(
        next(&mut chunks).await,
        Some(Err(CompletionsError::StreamFailed))
    );
    call.closed().await;
    assert_eq!(next(&mut chunks).await, None);
}

#[tokio::test]
async fn connection_is_closed_after_done() {
    let mut service = Service::start().await;
    let call_task = spawn_stream(&service);
    let mut call = service.call().await;
    call.send(format!("{CHUNKED_EVENTS}{}", chunked(DONE)))
        .await;
    let mut chunks = within_timeout(call_task).await.unwrap().unwrap();
    assert_eq!(next(&mut chunks).await, Some(Ok(DONE.into())));
    call.closed().await;
    assert_eq!(next(&mut chunks).await, None);
}
