//! `POST /api/generate`: sends a prompt to the configured service with the caller's own API key.

use std::{convert::Infallible, future::Future, time::Duration};

use actix_web::{
    HttpResponse,
    http::{StatusCode, header::CACHE_CONTROL},
    web::{Bytes, Data},
};
use bearward::RequestId;
use futures_util::{Stream, StreamExt, stream};
use serde::Serialize;
use tokio::sync::mpsc;

use super::{
    ApiError, ApiKeys,
    body::FieldReader,
    current_user::CurrentUser,
    schema::{AccountErrors, BodyErrors, ErrorEnvelope},
};
use crate::{
    completions::{CompletionStream, Completions, CompletionsError, Prompt},
    concurrency_limit::Permit,
    domain::SubjectHash,
    server::{Shutdown, middleware::RateLimits},
    telemetry::client_span,
};

/// How long a stream may exceed its time limit before it is aborted here. The stream's own timeout
/// comes first and sends an error event.
const STREAM_GRACE: Duration = Duration::from_secs(5);

/// The provider whose stored API key is used.
const PROVIDER: &str = "togetherAI";

/// The name of the span of the call to the service.
const SPAN_NAME: &str = "chat completions";

/// A prompt.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "it describes what FieldReader reads")]
pub(super) struct GenerateRequest {
    /// The prompt.
    #[schema(
        min_length = 1,
        max_length = 32768,
        pattern = "^[^\\u0000]*\\S[^\\u0000]*$",
        example = "A function that reverses a string, in Rust"
    )]
    prompt: String,
    /// The model; the configured one by default.
    #[schema(
        min_length = 1,
        max_length = 200,
        pattern = "^[!-~]+$",
        example = "Qwen/Qwen2.5-Coder-32B-Instruct"
    )]
    model: Option<String>,
    /// Whether to send the response as server-sent events.
    stream: Option<bool>,
}

/// The generated text.
#[derive(Serialize, utoipa::ToSchema)]
struct Generated {
    #[schema(example = true)]
    success: bool,
    /// The text.
    #[schema(example = "fn reverse(text: &str) -> String {\n    text.chars().rev().collect()\n}")]
    code: String,
    /// The model that generated the text.
    #[schema(example = "Qwen/Qwen2.5-Coder-32B-Instruct")]
    model: String,
    /// The number of tokens; null if the service does not report it.
    usage: Option<Usage>,
}

/// Numbers of tokens, as reported by the service.
#[derive(Serialize, utoipa::ToSchema)]
#[expect(
    clippy::struct_field_names,
    reason = "the names of the OpenAI-compatible API"
)]
struct Usage {
    prompt_tokens: u64,
    completion_tokens: u64,
    total_tokens: u64,
}

/// Generate code
///
/// Uses the caller's own API key for `togetherAI`. With `stream` the response consists of
/// server-sent events in the format of OpenAI's chat completions: each `data:` is a chunk, the last
/// one is `[DONE]`. If the service fails during the stream, the server stops or the account is
/// disabled (within 20 seconds), an `event: error` with the error body ends it.
#[utoipa::path(
    post, operation_id = "generate", path = "/api/generate", tag = "generation", request_body = GenerateRequest,
    responses(
        AccountErrors,
        BodyErrors,
        (status = 200, description = "The generated text", content((Generated = "application/json"), (String = "text/event-stream"))),
        (status = 409, description = "No API key for the service is stored", body = ErrorEnvelope),
        (status = 502, description = "The service failed or rejected the API key", body = ErrorEnvelope),
        (status = 504, description = "The service did not respond in time", body = ErrorEnvelope)
    )
)]
pub(super) async fn generate(
    user: CurrentUser,
    keys: Data<ApiKeys>,
    completions: Data<Completions>,
    limits: Data<RateLimits>,
    shutdown: Data<Shutdown>,
    mut body: FieldReader,
) -> Result<HttpResponse, ApiError> {
    let prompt = body.string("prompt", parse_prompt);
    let model = body.optional("model", parse_model);
    let is_streamed = body.bool_or_false("stream");
    let prompt = body.validate(prompt)?;
    let prompt = Prompt { prompt, model };
    let Some(key) = keys.unsealed_key(&user, PROVIDER).await? else {
        let hint = if completions.accepts_any_key() {
            "; any text works as a key of the development stand-in, \
             for example {\"togetherAI\": \"any-key\"}"
        } else {
            ""
        };
        return Err(ApiError::with_request_id(
            user.request_id(),
            StatusCode::CONFLICT,
            "API_KEY_MISSING",
            format!(
                "no API key for togetherAI is stored; add one with POST /api/user/api-keys{hint}"
            ),
        ));
    };
    let permit = limits.acquire_generation(user.identity(), user.request_id())?;
    let to_api_error = |error: CompletionsError| completions_error(&user, &error);
    if is_streamed {
        let chunks = tokio::select! {
            chunks = client_span(SPAN_NAME, completions.stream(&key, &prompt)) => {
                chunks.map_err(to_api_error)?
            }
            error = user.closed() => return Err(error),
        };
        let events = pump_stream(
            chunks,
            permit,
            completions.stream_timeout(),
            Shutdown::clone(&shutdown),
            user.request_id(),
            user.closed(),
        );
        return Ok(HttpResponse::Ok()
            .content_type("text/event-stream")
            .insert_header((CACHE_CONTROL, "no-store"))
            // Disables the response buffering of nginx.
            .insert_header(("x-accel-buffering", "no"))
            .streaming(events));
    }
    let completion = tokio::select! {
        completion = client_span(SPAN_NAME, completions.complete(&key, &prompt)) => {
            completion.map_err(to_api_error)?
        }
        error = user.closed() => return Err(error),
    };
    let usage = completion.usage.map(|usage| Usage {
        prompt_tokens: usage.prompt_tokens,
        completion_tokens: usage.completion_tokens,
        total_tokens: usage.total_tokens,
    });
    Ok(HttpResponse::Ok().json(Generated {
        success: true,
        code: completion.text,
        model: completion.model,
        usage,
    }))
}

/// Reads the stream of the service in a task of its own and passes the events on.
///
/// A client that stops reading must not keep the upstream call (and its cost) open: the task ends
/// the call after `max_duration` even if nothing is read. A client that disconnects ends the call
/// immediately. When the server stops, or when the account is disabled or deleted, the stream ends
/// with an error event.
fn pump_stream(
    chunks: CompletionStream,
    permit: Option<Permit<SubjectHash>>,
    max_duration: Duration,
    shutdown: Shutdown,
    request_id: Option<RequestId>,
    account_closed: impl Future<Output = ApiError> + 'static,
) -> impl Stream<Item = Result<Bytes, Infallible>> {
    let (sender, receiver) = mpsc::channel(1);
    actix_web::rt::spawn(async move {
        // Locals are dropped in reverse order: the permit is released before the end of the call
        // or of the response is observable.
        let (sender, mut chunks) = (sender, chunks);
        let permit = permit;
        let pump = async {
            while let Some(chunk) = chunks.next().await {
                let event = chunk.unwrap_or_else(|error| {
                    tracing::warn!(?error, "the stream of the completion service failed");
                    error.to_event(request_id.as_ref())
                });
                if sender.send(event).await.is_err() {
                    break;
                }
            }
        };
        // The call is dropped, whichever comes first.
        let error = tokio::select! {
            () = pump => None,
            () = sender.closed() => None,
            () = tokio::time::sleep(max_duration + STREAM_GRACE) => None,
            () = shutdown.streams_end() => {
                tracing::warn!("a stream ends before it is complete, because the server stops");
                Some(ApiError::server_stopping(request_id.clone()))
            }
            error = account_closed => Some(error),
        };
        drop(permit);
        if let Some(error) = error {
            drop(chunks);
            // The client may have stopped reading.
            let _ = tokio::time::timeout(STREAM_GRACE, sender.send(error.to_event())).await;
        }
    });
    stream::unfold(receiver, async |mut receiver| {
        Some((Ok(receiver.recv().await?), receiver))
    })
}

fn parse_prompt(text: String) -> Result<String, &'static str> {
    if text.trim().is_empty() {
        Err("must not be empty")
    } else if text.contains('\0') {
        Err("must not contain null characters")
    } else if text.chars().count() > 32768 {
        Err("must have at most 32768 characters")
    } else {
        Ok(text)
    }
}

fn parse_model(text: String) -> Result<String, &'static str> {
    let is_valid =
        (1..=200).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    if is_valid {
        Ok(text)
    } else {
        Err("must be 1 to 200 visible ASCII characters")
    }
}

fn completions_error(user: &CurrentUser, error: &CompletionsError) -> ApiError {
    tracing::warn!(?error, "the call to the completion service failed");
    let api_error = ApiError::with_request_id(
        user.request_id(),
        error.status(),
        error.code(),
        error.to_string(),
    );
    match error.retry_after() {
        Some(wait) => api_error.with_retry_after(wait.as_secs()),
        None => api_error,
    }
}
