//! A streamed answer, passed on event by event.

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

/// The longest stream, in bytes as they come from the service: each token has its own JSON around
/// it, a hundred times its size.
const MAX_BYTES: usize = 16 << 20;

const DONE: &[u8] = b"[DONE]";

/// The server-sent events of an answer, in OpenAI's own format: `data: ` with each chunk of the
/// service as it is, and `data: [DONE]` at the end, so that any OpenAI client reads them.
///
/// Only whole events are passed on, each at once; comments of the service, which keep connections
/// open, become empty ones. An error is the last item and stands where [`CompletionsError::event`]
/// belongs:
///
/// ```
/// # use crate::completions::{CompletionStream, CompletionsError};
/// # use futures_util::{Stream, StreamExt};
/// # fn body(chunks: CompletionStream) -> impl Stream<Item = actix_web::web::Bytes> {
/// chunks.map(|chunk| chunk.unwrap_or_else(|error| error.event(None)))
/// # }
/// ```
///
/// The service's own errors within the stream are not passed on: [`CompletionsError::Failed`]. A
/// stream that the service ends without `[DONE]` is complete when a chunk had a `finish_reason`.
/// The time in which nobody asks for the next item is not counted as silence, but as part of the
/// whole, which is noticed with the next item. Dropping it closes the connection.
///
/// Not checked: whether a chunk has anything in it.
pub struct CompletionStream(Pin<Box<dyn Stream<Item = Result<Bytes, CompletionsError>> + Send>>);

impl CompletionStream {
    pub(super) fn of(
        response: Response,
        silence: Duration,
        start: Instant,
        whole: Duration,
    ) -> Self {
        let (reader, left) = (EventReader::default(), MAX_BYTES);
        let relay = StreamState {
            response,
            reader,
            silence,
            whole,
            deadline: start + whole,
            left,
            has_finished: false,
            broken: None,
        };
        // The connection lives in the state, and the state ends with the stream.
        Self(Box::pin(unfold(Some(relay), async |relay| {
            let mut relay = relay?;
            match relay.next().await {
                Ok((bytes, Continue::More)) => Some((Ok(bytes), Some(relay))),
                Ok((bytes, Continue::Nothing)) => Some((Ok(bytes), None)),
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
        f.write_str("Chunks")
    }
}

struct StreamState {
    response: Response,
    reader: EventReader,
    silence: Duration,
    whole: Duration,
    deadline: Instant,
    left: usize,
    has_finished: bool,
    /// What ends the stream after the events that came before it.
    broken: Option<CompletionsError>,
}

enum Continue {
    More,
    Nothing,
}

impl StreamState {
    /// The events that the next bytes complete.
    async fn next(&mut self) -> Result<(Bytes, Continue), CompletionsError> {
        let mut out = Vec::new();
        while out.is_empty() {
            if let Some(error) = self.broken.take() {
                return Err(error);
            }
            let Some(bytes) = self.receive().await? else {
                return self.end();
            };
            self.left = self
                .left
                .checked_sub(bytes.len())
                .ok_or(CompletionsError::TooLarge { limit: MAX_BYTES })?;
            for event in self.reader.read(&bytes)? {
                match self.pass_on(event, &mut out) {
                    Ok(Continue::More) => {}
                    Ok(Continue::Nothing) => return Ok((out.into(), Continue::Nothing)),
                    Err(error) => {
                        self.broken = Some(error);
                        break;
                    }
                }
            }
        }
        Ok((out.into(), Continue::More))
    }

    /// None at the end. Bytes that are there already do not make a stream longer than it may be.
    async fn receive(&mut self) -> Result<Option<Bytes>, CompletionsError> {
        let endless = CompletionsError::StreamTimeout { after: self.whole };
        let now = Instant::now();
        if now >= self.deadline {
            return Err(endless);
        }
        let (by, late) = if now + self.silence < self.deadline {
            (
                now + self.silence,
                CompletionsError::IdleTimeout {
                    after: self.silence,
                },
            )
        } else {
            (self.deadline, endless)
        };
        timeout_at(by, self.response.chunk())
            .await
            .map_err(|_| late)?
            .map_err(CompletionsError::of)
    }

    fn pass_on(&mut self, event: Event, out: &mut Vec<u8>) -> Result<Continue, CompletionsError> {
        match event {
            Event::Comment => out.extend_from_slice(b":\n\n"),
            Event::Error => return Err(CompletionsError::Failed),
            Event::Data(data) if data.trim_ascii() == DONE => {
                write(DONE, out);
                return Ok(Continue::Nothing);
            }
            Event::Data(data) => {
                self.has_finished |= is_last_of_its_choice(&data)?;
                write(&data, out);
            }
        }
        Ok(Continue::More)
    }

    fn end(&mut self) -> Result<(Bytes, Continue), CompletionsError> {
        let rest = std::mem::take(&mut self.reader).rest();
        if !self.has_finished && rest.is_none_or(|rest| rest.trim_ascii() != DONE) {
            return Err(CompletionsError::Incomplete);
        }
        let mut out = Vec::new();
        write(DONE, &mut out);
        Ok((out.into(), Continue::Nothing))
    }
}

fn write(data: &[u8], out: &mut Vec<u8>) {
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

/// Looks at a chunk: it must be a JSON object, without an `error`, whose text would be the
/// service's own.
fn is_last_of_its_choice(data: &[u8]) -> Result<bool, CompletionsError> {
    let text = std::str::from_utf8(data).map_err(|_| CompletionsError::NotJson)?;
    // An array would be read as the members in their order.
    let chunk: Chunk<'_> = text
        .trim_ascii_start()
        .starts_with('{')
        .then(|| serde_json::from_str(text).ok())
        .flatten()
        .ok_or(CompletionsError::NotJson)?;
    if chunk.error.is_some() {
        return Err(CompletionsError::Failed);
    }
    Ok(chunk
        .choices
        .is_some_and(|choices| choices.iter().any(|choice| choice.finish_reason.is_some())))
}
