//! The completions client against a fake service that controls every byte of its responses.
#![allow(clippy::unwrap_used, reason = "a panic fails the test")]

mod base_url;
mod disconnect;
mod error_responses;
mod plain_response;
mod secrecy;
mod size_limits;
mod stream;
mod timeouts;

use std::{sync::Arc, time::Duration};

use actix_web::web::Bytes;
use bearward::{Clock, Sleep, Timestamp};
use bearward_server::{
    completions::{Completion, CompletionStream, Completions, CompletionsError, Prompt},
    settings::{Config, Generate, Sources},
    vault::ApiKeySecret,
};
use futures_util::StreamExt;
use tokio::task::JoinHandle;

use test_support::{
    completions_service::{Call, CompletionsService as Service},
    within_timeout,
};

const KEY: &str = "sk-Qm9vZ2llMDAwMDAw-hunter2-dGhlLWtleQ";
const MODEL: &str = "the/configured-model";

/// Longer than any test runs. Tests of timeouts advance the clock.
const TIMEOUT: Duration = Duration::from_mins(10);

/// Sunday, 6 November 1994, 08:49:37 GMT.
const NOW: Timestamp = Timestamp::from_unix(784_111_777);

#[derive(Debug)]
struct StoppedClock;

impl Clock for StoppedClock {
    fn now(&self) -> Timestamp {
        NOW
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }

    fn sleep_until(&self, _: Duration) -> Sleep {
        Box::pin(std::future::pending())
    }
}

fn settings(base_url: &str) -> Generate {
    let variables = [
        ("BEARWARD_GENERATE__BASE_URL", base_url),
        ("BEARWARD_GENERATE__MODEL", MODEL),
    ];
    let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let mut settings = Config::load(&Sources::new(None, variables))
        .unwrap()
        .generate;
    settings.timeout = TIMEOUT;
    settings
}

fn client(service: &Service) -> Completions {
    Completions::new(&settings(&service.base_url), Arc::new(StoppedClock)).unwrap()
}

fn key() -> ApiKeySecret {
    ApiKeySecret::new(KEY.into()).unwrap()
}

fn prompt() -> Prompt {
    Prompt {
        prompt: "Write \"hello\",\nin Rust 👋".to_owned(),
        model: None,
    }
}

/// Starts a plain call in a separate task.
fn spawn_complete(service: &Service) -> JoinHandle<Result<Completion, CompletionsError>> {
    let client = client(service);
    tokio::spawn(async move { client.complete(&key(), &prompt()).await })
}

/// Starts a streamed call in a separate task.
fn spawn_stream(service: &Service) -> JoinHandle<Result<CompletionStream, CompletionsError>> {
    let client = client(service);
    tokio::spawn(async move { client.stream(&key(), &prompt()).await })
}

/// Returns the result of a plain call if the service sends these bytes and closes the connection.
async fn completed(response: impl AsRef<[u8]>) -> Result<Completion, CompletionsError> {
    let mut service = Service::start().await;
    let call_task = spawn_complete(&service);
    let mut call = service.call().await;
    call.send(response).await;
    drop(call);
    let result = within_timeout(call_task).await.unwrap();
    assert_eq!(service.connections(), 1, "no retries");
    result
}

/// Returns the bytes of a stream, read to its end, and the error that ended it.
async fn streamed(response: impl AsRef<[u8]>) -> (String, Option<CompletionsError>) {
    let mut service = Service::start().await;
    let call_task = spawn_stream(&service);
    let mut call = service.call().await;
    let response = response.as_ref().to_vec();
    let sender = tokio::spawn(async move { call.send(response).await });
    let (bytes, error) = match within_timeout(call_task).await.unwrap() {
        Ok(chunks) => within_timeout(read(chunks)).await,
        Err(error) => (Vec::new(), Some(error)),
    };
    within_timeout(sender).await.unwrap();
    assert_eq!(service.connections(), 1, "no retries");
    (String::from_utf8(bytes).unwrap(), error)
}

async fn read(mut chunks: CompletionStream) -> (Vec<u8>, Option<CompletionsError>) {
    let mut all = Vec::new();
    while let Some(chunk) = chunks.next().await {
        match chunk {
            Ok(bytes) => all.extend_from_slice(&bytes),
            Err(error) => {
                assert!(chunks.next().await.is_none(), "an error is the last item");
                return (all, Some(error));
            }
        }
    }
    (all, None)
}

async fn next(chunks: &mut CompletionStream) -> Option<Result<Bytes, CompletionsError>> {
    within_timeout(chunks.next()).await
}

/// A complete response with this body.
fn response(status: &str, headers: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\n{headers}content-length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn json_response(body: &str) -> String {
    response("200 OK", "content-type: application/json\r\n", body)
}

/// Head of a response whose body ends with the connection.
const EVENTS: &str =
    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";

/// Head of a chunked response, in which a truncated body can be detected.
const CHUNKED_EVENTS: &str =
    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";

fn chunked(part: &str) -> String {
    format!("{:x}\r\n{part}\r\n", part.len())
}

fn delta(text: &str) -> String {
    let chunk = serde_json::json!({
        "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": null}],
    });
    format!("data: {chunk}\n\n")
}

const FINISHED: &str =
    "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
const DONE: &str = "data: [DONE]\n\n";
