//! `POST /api/generate`: a prompt to the configured service, with the caller's own key.

use std::{convert::Infallible, time::Duration};

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
    ApiError, ApiKeys, RateLimits, body::FieldReader, current_user::CurrentUser,
    openapi::ErrorEnvelope,
};
use crate::{
    completions::{CompletionStream, Completions, CompletionsError, Prompt},
    concurrency_limit::Permit,
    domain::SubjectHash,
    telemetry::called,
};

/// How much longer than the longest stream one is held: the stream's own end, which tells why,
/// comes first.
const GRACE: Duration = Duration::from_secs(5);

/// Under which name the key for the service is kept.
const PROVIDER: &str = "togetherAI";

/// What the call of the service is named in traces.
const CALL: &str = "chat completions";

/// What to ask for.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "it describes what Fields reads")]
pub(super) struct GenerateRequest {
    /// What the model is told.
    #[schema(
        min_length = 1,
        max_length = 32768,
        pattern = "^[^\\u0000]*\\S[^\\u0000]*$",
        example = "A function that reverses a string, in Rust"
    )]
    prompt: String,
    /// Another model than the configured one.
    #[schema(
        min_length = 1,
        max_length = 200,
        pattern = "^[!-~]+$",
        example = "Qwen/Qwen2.5-Coder-32B-Instruct"
    )]
    model: Option<String>,
    /// Whether the answer is sent as it comes.
    stream: Option<bool>,
}

/// What the model wrote.
#[derive(Serialize, utoipa::ToSchema)]
struct Generated {
    #[schema(example = true)]
    success: bool,
    /// The text.
    #[schema(example = "fn reverse(text: &str) -> String {\n    text.chars().rev().collect()\n}")]
    code: String,
    /// Which model it was.
    #[schema(example = "Qwen/Qwen2.5-Coder-32B-Instruct")]
    model: String,
    /// What it cost, where the service says so.
    usage: Option<Usage>,
}

/// Tokens, as the service counts them.
#[derive(Serialize, utoipa::ToSchema)]
#[expect(clippy::struct_field_names, reason = "the names of OpenAI's API")]
struct Usage {
    prompt_tokens: u64,
    completion_tokens: u64,
    total_tokens: u64,
}

/// Generate code
///
/// With the caller's own key for `togetherAI`. With `stream` the answer is server-sent events in
/// the form of OpenAI's chat completions: each `data:` is a chunk, the last one `[DONE]`. When the
/// service fails in the middle, an `event: error` with the error's envelope ends the stream.
#[utoipa::path(
    post, operation_id = "generate", path = "/api/generate", tag = "generation", request_body = GenerateRequest,
    responses(
        (status = 200, description = "What the model wrote", content((Generated = "application/json"), (String = "text/event-stream"))),
        (status = 409, description = "No key for the service is kept", body = ErrorEnvelope),
        (status = 502, description = "The service failed, or refused the key", body = ErrorEnvelope),
        (status = 504, description = "The service did not answer in time", body = ErrorEnvelope)
    )
)]
pub(super) async fn generate(
    user: CurrentUser,
    keys: Data<ApiKeys>,
    upstream: Data<Completions>,
    rates: Data<RateLimits>,
    mut body: FieldReader,
) -> Result<HttpResponse, ApiError> {
    let prompt = body.text("prompt", prompt);
    let model = body.optional("model", model);
    let is_streamed = body.switch("stream");
    let prompt = body.finish(prompt)?;
    let prompt = Prompt { prompt, model };
    let Some(key) = keys.open(&user, PROVIDER).await? else {
        let message = "no key for togetherAI is kept; keep one with POST /api/user/api-keys";
        return Err(ApiError::under(
            user.request_id(),
            StatusCode::CONFLICT,
            "API_KEY_MISSING",
            message,
        ));
    };
    let place = rates.generation(&user)?;
    let failed = |error: CompletionsError| failed(&user, &error);
    if is_streamed {
        let chunks = called(CALL, upstream.stream(&key, &prompt))
            .await
            .map_err(failed)?;
        let events = pumped(chunks, place, upstream.stream_timeout(), user.request_id());
        return Ok(HttpResponse::Ok()
            .content_type("text/event-stream")
            .insert_header((CACHE_CONTROL, "no-store"))
            // nginx would collect the events before it passes them on.
            .insert_header(("x-accel-buffering", "no"))
            .streaming(events));
    }
    let answer = called(CALL, upstream.complete(&key, &prompt))
        .await
        .map_err(failed)?;
    let usage = answer.usage.map(|usage| Usage {
        prompt_tokens: usage.prompt_tokens,
        completion_tokens: usage.completion_tokens,
        total_tokens: usage.total_tokens,
    });
    Ok(HttpResponse::Ok().json(Generated {
        success: true,
        code: answer.text,
        model: answer.model,
        usage,
    }))
}

/// The events of a stream, taken from the service whether the client reads them or not: one that
/// stops reading would else hold the call open, which its owner pays for, beyond any limit of time.
/// A client that hangs up ends the call at once.
fn pumped(
    chunks: CompletionStream,
    place: Option<Permit<SubjectHash>>,
    whole: Duration,
    request_id: Option<RequestId>,
) -> impl Stream<Item = Result<Bytes, Infallible>> {
    let (send, events) = mpsc::channel(1);
    actix_web::rt::spawn(async move {
        // Dropped in the opposite order: whoever sees the end of the call, or of the answer, finds
        // the place free.
        let (send, mut chunks) = (send, chunks);
        let _place = place;
        let pump = async {
            while let Some(chunk) = chunks.next().await {
                let event = chunk.unwrap_or_else(|error| {
                    tracing::warn!(?error, "a streamed answer broke off");
                    error.to_event(request_id.as_ref())
                });
                if send.send(event).await.is_err() {
                    break;
                }
            }
        };
        // What has ended, whoever ended it, lets go of the call.
        tokio::select! {
            () = pump => {}
            () = send.closed() => {}
            () = tokio::time::sleep(whole + GRACE) => {}
        }
    });
    stream::unfold(events, async |mut events| {
        Some((Ok(events.recv().await?), events))
    })
}

fn prompt(text: String) -> Result<String, &'static str> {
    match text.chars().count() {
        _ if text.trim().is_empty() => Err("must not be empty"),
        _ if text.contains('\0') => Err("must not hold null characters"),
        0..=32768 => Ok(text),
        _ => Err("must have at most 32768 characters"),
    }
}

fn model(text: String) -> Result<String, &'static str> {
    let fits = (1..=200).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    if fits {
        Ok(text)
    } else {
        Err("must be 1 to 200 visible ASCII characters")
    }
}

fn failed(user: &CurrentUser, error: &CompletionsError) -> ApiError {
    tracing::warn!(?error, "the service gave no answer");
    let problem = ApiError::under(
        user.request_id(),
        error.status(),
        error.code(),
        error.to_string(),
    );
    match error.retry_after() {
        Some(wait) => problem.with_retry_after(wait.as_secs()),
        None => problem,
    }
}
