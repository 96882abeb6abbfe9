//! A streamed response, forwarded event by event.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use actix_web::web::Bytes;
use futures_util::{Stream, stream::unfold};
use reqwest::Response;
use serde::{Deserialize, de::IgnoredAny};
use serde_json::value::RawValue;
use tokio::time::{Instant, timeout_at};

use super::{
    CompletionsError,
    events::{Event, EventReader},
};

/// Maximum size of a stream in bytes, as received from the service. The JSON around each token is
/// about a hundred times as large as the token.
const MAX_BYTES: usize = 16 << 20;

const DONE: &[u8] = b"[DONE]";

/// The server-sent events of a completion in OpenAI's format: `data: ` with each unchanged chunk of
/// the service, and `data: [DONE]` at the end. OpenAI clients can read it.
///
/// Only complete events are forwarded, each immediately. Comments, which keep connections open, are
/// forwarded as empty comments. An error is the last item; send it with
/// [`CompletionsError::to_event`]:
///
/// ```
/// # use bearward_server::completions::{CompletionStream, CompletionsError};
/// # use futures_util::{Stream, StreamExt};
/// # fn body(chunks: CompletionStream) -> impl Stream<Item = actix_web::web::Bytes> {
/// chunks.map(|chunk| chunk.unwrap_or_else(|error| error.to_event(None)))
/// # }
/// ```
///
/// An error of the service within the stream becomes [`CompletionsError::StreamFailed`]; its text
/// is not forwarded. A stream that ends without `[DONE]` is complete if a chunk had a
/// `finish_reason`. Time between polls does not count towards the idle timeout, but towards the
/// total timeout, which is checked at the next poll. Dropping the stream closes the connection.
///
/// Does not check the contents of a chunk.
pub struct CompletionStream(Pin<Box<dyn Stream<Item = Result<Bytes, CompletionsError>> + Send>>);

impl CompletionStream {
    pub(super) fn new(
        response: Response,
        idle_timeout: Duration,
        start: Instant,
        total_timeout: Duration,
    ) -> Self {
        let state = StreamState {
            response,
            reader: EventReader::default(),
            idle_timeout,
            total_timeout,
            deadline: start + total_timeout,
            remaining_bytes: MAX_BYTES,
            has_finish_reason: false,
            pending_error: None,
        };
        // The state owns the connection and is dropped with the stream.
        Self(Box::pin(unfold(Some(state), async |state| {
            let mut state = state?;
            match state.next().await {
                Ok((bytes, Continue::Yes)) => Some((Ok(bytes), Some(state))),
                Ok((bytes, Continue::No)) => Some((Ok(bytes), None)),
                Err(error) => Some((Err(error), None)),
            }
        })))
    }
}

impl Stream for CompletionStream {
    type Item = Result<Bytes, CompletionsError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.as_mut().poll_next(cx)
    }
}

impl fmt::Debug for CompletionStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CompletionStream")
    }
}

struct StreamState {
    response: Response,
    reader: EventReader,
    idle_timeout: Duration,
    total_timeout: Duration,
    deadline: Instant,
    remaining_bytes: usize,
    has_finish_reason: bool,
    /// Ends the stream once the events before it are sent.
    pending_error: Option<CompletionsError>,
}

/// Whether the stream continues after the current bytes.
enum Continue {
    Yes,
    No,
}

impl StreamState {
    /// Returns the next complete events.
    async fn next(&mut self) -> Result<(Bytes, Continue), CompletionsError> {
        let mut out = Vec::new();
        while out.is_empty() {
            if let Some(error) = self.pending_error.take() {
                return Err(error);
            }
            let Some(bytes) = self.receive().await? else {
                return self.end();
            };
            self.remaining_bytes = self
                .remaining_bytes
                .checked_sub(bytes.len())
                .ok_or(CompletionsError::TooLarge { limit: MAX_BYTES })?;
            for event in self.reader.read(&bytes)? {
                match self.write_event(event, &mut out) {
                    Ok(Continue::Yes) => {}
                    Ok(Continue::No) => return Ok((out.into(), Continue::No)),
                    Err(error) => {
                        self.pending_error = Some(error);
                        break;
                    }
                }
            }
        }
        Ok((out.into(), Continue::Yes))
    }

    /// Receives the next bytes, or `None` at the end. The total timeout also applies to bytes that
    /// have already arrived.
    async fn receive(&mut self) -> Result<Option<Bytes>, CompletionsError> {
        let timed_out = CompletionsError::StreamTimeout {
            after: self.total_timeout,
        };
        let now = Instant::now();
        if now >= self.deadline {
            return Err(timed_out);
        }
        let (deadline, error) = if now + self.idle_timeout < self.deadline {
            (
                now + self.idle_timeout,
                CompletionsError::IdleTimeout {
                    after: self.idle_timeout,
                },
            )
        } else {
            (self.deadline, timed_out)
        };
        timeout_at(deadline, self.response.chunk())
            .await
            .map_err(|_| error)?
            .map_err(CompletionsError::from_transport)
    }

    fn write_event(
        &mut self,
        event: Event,
        out: &mut Vec<u8>,
    ) -> Result<Continue, CompletionsError> {
        match event {
            Event::Comment => out.extend_from_slice(b":\n\n"),
            Event::Error => return Err(CompletionsError::StreamFailed),
            Event::Data(data) if data.trim_ascii() == DONE => {
                push_data(DONE, out);
                return Ok(Continue::No);
            }
            Event::Data(data) => {
                self.has_finish_reason |= check_chunk(&data)?;
                push_data(&data, out);
            }
        }
        Ok(Continue::Yes)
    }

    fn end(&mut self) -> Result<(Bytes, Continue), CompletionsError> {
        let rest = std::mem::take(&mut self.reader).finish();
        if !self.has_finish_reason && rest.is_none_or(|rest| rest.trim_ascii() != DONE) {
            return Err(CompletionsError::Incomplete);
        }
        let mut out = Vec::new();
        push_data(DONE, &mut out);
        Ok((out.into(), Continue::No))
    }
}

fn push_data(data: &[u8], out: &mut Vec<u8>) {
    for line in data.split(|byte| *byte == b'\n') {
        out.extend_from_slice(b"data: ");
        out.extend_from_slice(line);
        out.push(b'\n');
    }
    out.push(b'\n');
}

#[derive(Deserialize)]
struct Chunk<'a> {
    #[serde(borrow)]
    error: Option<&'a RawValue>,
    choices: Option<Vec<Choice>>,
}

#[derive(Deserialize)]
struct Choice {
    finish_reason: Option<IgnoredAny>,
}

/// Checks that a chunk is a JSON object without `error`, and returns whether it has a
/// `finish_reason`.
fn check_chunk(data: &[u8]) -> Result<bool, CompletionsError> {
    let text = std::str::from_utf8(data).map_err(|_| CompletionsError::InvalidJson)?;
    // serde would accept an array as the members in order.
    let chunk: Chunk<'_> = text
        .trim_ascii_start()
        .starts_with('{')
        .then(|| serde_json::from_str(text).ok())
        .flatten()
        .ok_or(CompletionsError::InvalidJson)?;
    if chunk.error.is_some() {
        return Err(CompletionsError::StreamFailed);
    }
    Ok(chunk
        .choices
        .is_some_and(|choices| choices.iter().any(|choice| choice.finish_reason.is_some())))
}
