//! A stand-in for the chat completions service behind `POST /api/generate`, so that the API of
//! `bearward dev` works without an account elsewhere.
//!
//! It speaks the OpenAI-compatible protocol, so the API calls it with the same client as the real
//! service. No model runs: the response says that it comes from the stand-in.

use std::{
    io,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use actix_web::{
    HttpRequest, HttpResponse,
    body::SizedStream,
    http::{
        StatusCode,
        header::{AUTHORIZATION, CACHE_CONTROL, RETRY_AFTER},
    },
    web::{Bytes, Data},
};
use bearward::{Clock, SystemClock};
use futures_util::{Stream, StreamExt, stream};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::error::not_found;

/// Path prefix of the service, the path of `generate.base_url`.
pub(crate) const BASE_PATH: &str = "/.completions/v1";

/// The model in every response, whatever model was requested.
const MODEL: &str = "bearward-development-stand-in";

/// The pause before each part of a stream.
const PAUSE: Duration = Duration::from_millis(12);

/// The pause with [`CompletionFailure::Slow`].
const SLOW_PAUSE: Duration = Duration::from_millis(800);

/// The delay of a plain response with [`CompletionFailure::Slow`].
const SLOW_RESPONSE: Duration = Duration::from_secs(5);

/// Number of parts before [`CompletionFailure::Aborted`] ends a stream.
const PARTS_BEFORE_ABORT: usize = 12;

/// Number of characters of the prompt that the response repeats.
const MAX_QUOTED_CHARS: usize = 200;

/// How the stand-in fails. The names are part of the admin API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CompletionFailure {
    /// Status 429 with `Retry-After`.
    RateLimit,
    /// Status 500.
    ServerError,
    /// Status 401, as for an API key that the service does not know.
    InvalidKey,
    /// A long pause before each part.
    Slow,
    /// The connection closes in the middle of the response.
    Aborted,
}

/// Whether the stand-in is served, and how it fails.
#[derive(Debug, Default)]
pub(crate) struct CompletionsStandIn {
    is_enabled: AtomicBool,
    failure: Mutex<Option<CompletionFailure>>,
    requests: AtomicU64,
}

impl CompletionsStandIn {
    /// Serves the route from now on. Only `bearward dev` calls it.
    pub(crate) fn enable(&self) {
        self.is_enabled.store(true, Ordering::SeqCst);
    }

    pub(crate) fn is_enabled(&self) -> bool {
        self.is_enabled.load(Ordering::SeqCst)
    }

    /// Returns the number of requests so far.
    pub(crate) fn requests(&self) -> u64 {
        self.requests.load(Ordering::SeqCst)
    }

    pub(crate) fn failure(&self) -> MutexGuard<'_, Option<CompletionFailure>> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Deserialize)]
struct CompletionRequest {
    messages: Vec<Message>,
    #[serde(default)]
    stream: bool,
}

#[derive(Deserialize)]
struct Message {
    content: String,
}

/// Answers `POST /chat/completions`; 404 unless the stand-in is enabled.
pub(crate) async fn complete(
    stand_in: Data<CompletionsStandIn>,
    request: HttpRequest,
    body: Bytes,
) -> HttpResponse {
    if !stand_in.is_enabled() {
        return not_found().await;
    }
    stand_in.requests.fetch_add(1, Ordering::SeqCst);
    let failure = *stand_in.failure();
    match failure {
        Some(CompletionFailure::RateLimit) => {
            let mut response = error(
                StatusCode::TOO_MANY_REQUESTS,
                "rate_limit_exceeded",
                "development stand-in: the rate limit is switched on in the console",
            );
            response.headers_mut().insert(RETRY_AFTER, 20_u16.into());
            return response;
        }
        Some(CompletionFailure::ServerError) => {
            return error(
                StatusCode::INTERNAL_SERVER_ERROR,
                "server_error",
                "development stand-in: the server error is switched on in the console",
            );
        }
        Some(CompletionFailure::InvalidKey) => return invalid_key(),
        None | Some(CompletionFailure::Slow | CompletionFailure::Aborted) => {}
    }
    if !has_key(&request) {
        return invalid_key();
    }
    let Ok(CompletionRequest { messages, stream }) = serde_json::from_slice(&body) else {
        return error(
            StatusCode::BAD_REQUEST,
            "invalid_request_error",
            "development stand-in: the body must have messages with a content",
        );
    };
    let prompt = messages
        .last()
        .map_or("", |message| message.content.as_str());
    let completion = Completion::new(prompt);
    if stream {
        completion.stream(failure)
    } else {
        completion.plain(failure).await
    }
}

/// Any key is accepted. It is not compared, stored or logged.
fn has_key(request: &HttpRequest) -> bool {
    request
        .headers()
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "))
        .is_some_and(|key| !key.trim().is_empty())
}

fn invalid_key() -> HttpResponse {
    error(
        StatusCode::UNAUTHORIZED,
        "invalid_api_key",
        "development stand-in: the API key is missing, or its rejection is switched on in the console",
    )
}

/// An error in the format of OpenAI's API.
fn error(status: StatusCode, code: &str, message: &str) -> HttpResponse {
    HttpResponse::build(status)
        .json(json!({ "error": { "message": message, "type": code, "param": null, "code": code } }))
}

/// The text of a response, with the numbers that go with it.
struct Completion {
    text: String,
    id: String,
    created: i64,
    prompt_tokens: usize,
}

impl Completion {
    fn new(prompt: &str) -> Self {
        Self {
            text: text(prompt),
            id: format!("chatcmpl-{:016x}", fastrand::u64(..)),
            created: SystemClock::new().now().unix(),
            prompt_tokens: prompt.split_whitespace().count(),
        }
    }

    /// Words stand for tokens.
    fn usage(&self) -> Value {
        let completion_tokens = self.text.split_whitespace().count();
        json!({
            "prompt_tokens": self.prompt_tokens, "completion_tokens": completion_tokens,
            "total_tokens": self.prompt_tokens + completion_tokens,
        })
    }

    async fn plain(self, failure: Option<CompletionFailure>) -> HttpResponse {
        if failure == Some(CompletionFailure::Slow) {
            tokio::time::sleep(SLOW_RESPONSE).await;
        }
        let body = json!({
            "id": self.id, "object": "chat.completion", "created": self.created, "model": MODEL,
            "choices": [{
                "index": 0, "finish_reason": "stop",
                "message": { "role": "assistant", "content": self.text },
            }],
            "usage": self.usage(),
        });
        if failure != Some(CompletionFailure::Aborted) {
            return HttpResponse::Ok().json(body);
        }
        let bytes = Bytes::from(body.to_string());
        let length = bytes.len() as u64;
        let half = bytes.slice(..bytes.len() / 2);
        let parts = paced(vec![Ok(half), Err(aborted())], PAUSE);
        HttpResponse::Ok()
            .content_type("application/json")
            .body(SizedStream::new(length, parts))
    }

    fn stream(self, failure: Option<CompletionFailure>) -> HttpResponse {
        let pause = if failure == Some(CompletionFailure::Slow) {
            SLOW_PAUSE
        } else {
            PAUSE
        };
        let mut events: Vec<io::Result<Bytes>> = self.events().into_iter().map(Ok).collect();
        if failure == Some(CompletionFailure::Aborted) {
            events.truncate(PARTS_BEFORE_ABORT);
            events.push(Err(aborted()));
        }
        HttpResponse::Ok()
            .content_type("text/event-stream")
            .insert_header((CACHE_CONTROL, "no-cache"))
            .streaming(paced(events, pause))
    }

    /// Returns the server-sent events, one for each word, as OpenAI and Together AI send them.
    fn events(&self) -> Vec<Bytes> {
        let chunk = |delta: Value, finish_reason: Option<&str>, usage: Option<Value>| {
            let chunk = json!({
                "id": self.id, "object": "chat.completion.chunk", "created": self.created,
                "model": MODEL, "usage": usage,
                "choices": [{ "index": 0, "delta": delta, "finish_reason": finish_reason }],
            });
            Bytes::from(format!("data: {chunk}\n\n"))
        };
        let mut events = vec![chunk(
            json!({ "role": "assistant", "content": "" }),
            None,
            None,
        )];
        events.extend(
            self.text
                .split_inclusive([' ', '\n'])
                .map(|word| chunk(json!({ "content": word }), None, None)),
        );
        events.push(chunk(json!({}), Some("stop"), Some(self.usage())));
        events.push(Bytes::from_static(b"data: [DONE]\n\n"));
        events
    }
}

/// An error of a body closes the connection before the end of the response.
fn aborted() -> io::Error {
    io::Error::other("the failure `aborted` is switched on")
}

fn paced(events: Vec<io::Result<Bytes>>, pause: Duration) -> impl Stream<Item = io::Result<Bytes>> {
    stream::iter(events).then(move |event| async move {
        tokio::time::sleep(pause).await;
        event
    })
}

/// A language that the prompt may name: its name in lower case, how its comments start, and code.
const SAMPLES: [(&str, &str, &str); 3] = [
    (
        "rust",
        "//",
        "fn reverse(text: &str) -> String {\n    text.chars().rev().collect()\n}\n",
    ),
    (
        "python",
        "#",
        "def reverse(text: str) -> str:\n    return text[::-1]\n",
    ),
    (
        "typescript",
        "//",
        "export function reverse(text: string): string {\n  return [...text].reverse().join('');\n}\n",
    ),
];

/// The generated text: what answered, how to replace it, the beginning of the prompt, and a sample.
fn text(prompt: &str) -> String {
    let lower = prompt.to_lowercase();
    let (_, comment, code) = SAMPLES
        .iter()
        .find(|(language, ..)| lower.contains(language))
        .unwrap_or(&SAMPLES[2]);
    let quoted: String = prompt
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(MAX_QUOTED_CHARS)
        .collect();
    let ellipsis = if prompt.chars().nth(MAX_QUOTED_CHARS).is_some() {
        "..."
    } else {
        ""
    };
    format!(
        "{comment} Answer of the development stand-in: no model ran.\n\
         {comment} Set BEARWARD_GENERATE__BASE_URL to use a real service.\n\
         {comment}\n\
         {comment} Prompt: {quoted}{ellipsis}\n\n\
         {code}"
    )
}
