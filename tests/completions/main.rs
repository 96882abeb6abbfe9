//! The client of a chat service, against a service that does right and wrong byte by byte.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod hang_up;
mod limits;
mod plain;
mod refusals;
mod secrecy;
mod settings;
mod stream;
mod time;

use std::{sync::Arc, time::Duration};

use actix_web::web::Bytes;
use bearward::{Clock, Timestamp, clock::Sleep};
use bearward_server::{
    completions::{Completion, CompletionStream, Completions, CompletionsError, Prompt},
    settings::{Config, Generate, Sources},
    vault::ApiKeySecret,
};
use futures_util::StreamExt;
use tokio::task::JoinHandle;

use test_support::{
    completions_service::{Call, CompletionsService as Service},
    within_timeout as soon,
};

const KEY: &str = "sk-Qm9vZ2llMDAwMDAw-hunter2-dGhlLWtleQ";
const MODEL: &str = "the/configured-model";

/// Longer than any test takes: where time matters, a test moves it.
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

fn upstream(service: &Service) -> Completions {
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

/// Asks for a plain answer in a task of its own.
fn completing(service: &Service) -> JoinHandle<Result<Completion, CompletionsError>> {
    let upstream = upstream(service);
    tokio::spawn(async move { upstream.complete(&key(), &prompt()).await })
}

/// Asks for a stream in a task of its own.
fn streaming(service: &Service) -> JoinHandle<Result<CompletionStream, CompletionsError>> {
    let upstream = upstream(service);
    tokio::spawn(async move { upstream.stream(&key(), &prompt()).await })
}

/// What comes of a plain call that is answered with these bytes, after which the service closes the
/// connection.
async fn completed(answer: impl AsRef<[u8]>) -> Result<Completion, CompletionsError> {
    let mut service = Service::start().await;
    let asking = completing(&service);
    let mut call = service.call().await;
    call.send(answer).await;
    drop(call);
    let outcome = soon(asking).await.unwrap();
    assert_eq!(service.connections(), 1, "nothing is tried again");
    outcome
}

/// The same for a stream, read to its end: what came, and the error that ended it.
async fn streamed(answer: impl AsRef<[u8]>) -> (String, Option<CompletionsError>) {
    let mut service = Service::start().await;
    let asking = streaming(&service);
    let mut call = service.call().await;
    let answer = answer.as_ref().to_vec();
    let answering = tokio::spawn(async move { call.send(answer).await });
    let (bytes, error) = match soon(asking).await.unwrap() {
        Ok(chunks) => soon(read(chunks)).await,
        Err(error) => (Vec::new(), Some(error)),
    };
    soon(answering).await.unwrap();
    assert_eq!(service.connections(), 1, "nothing is tried again");
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
    soon(chunks.next()).await
}

/// A whole response with this body.
fn response(status: &str, headers: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\n{headers}content-length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn json_response(body: &str) -> String {
    response("200 OK", "content-type: application/json\r\n", body)
}

/// The head of a response whose body ends with the connection.
const EVENTS: &str =
    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";

/// The head of a response whose end is marked, so that a cut is told from it.
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
