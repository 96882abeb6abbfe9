//! A client that goes away takes the call to the service with it.

use super::*;

#[tokio::test]
async fn dropping_a_stream_closes_the_connection_to_the_service() {
    let mut service = Service::start().await;
    let asking = streaming(&service);
    let mut call = service.call().await;
    call.send(format!("{CHUNKED_EVENTS}{}", chunked(&delta("one"))))
        .await;
    let mut chunks = soon(asking).await.unwrap().unwrap();
    assert_eq!(next(&mut chunks).await, Some(Ok(delta("one").into())));
    drop(chunks);
    call.closed().await;
}

#[tokio::test]
async fn giving_up_before_the_first_byte_closes_the_connection_to_the_service() {
    let mut service = Service::start().await;
    let (plain, stream) = (completing(&service), streaming(&service));
    let mut calls = [service.call().await, service.call().await];
    plain.abort();
    stream.abort();
    for call in &mut calls {
        call.closed().await;
    }
}

#[tokio::test]
async fn an_error_closes_the_connection_before_the_stream_is_dropped() {
    let mut service = Service::start().await;
    let asking = streaming(&service);
    let mut call = service.call().await;
    call.send(format!(
        "{CHUNKED_EVENTS}{}",
        chunked("data: {\"error\":\"overloaded\"}\n\n")
    ))
    .await;
    let mut chunks = soon(asking).await.unwrap().unwrap();
    assert_eq!(next(&mut chunks).await, Some(Err(CompletionsError::Failed)));
    call.closed().await;
    assert_eq!(next(&mut chunks).await, None);
}

#[tokio::test]
async fn a_service_that_goes_on_after_its_end_is_left() {
    let mut service = Service::start().await;
    let asking = streaming(&service);
    let mut call = service.call().await;
    call.send(format!("{CHUNKED_EVENTS}{}", chunked(DONE)))
        .await;
    let mut chunks = soon(asking).await.unwrap().unwrap();
    assert_eq!(next(&mut chunks).await, Some(Ok(DONE.into())));
    call.closed().await;
    assert_eq!(next(&mut chunks).await, None);
}
