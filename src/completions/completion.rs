//! A plain (not streamed) response: reads the body up to a limit and takes the first choice's text.

use std::fmt;

use bearward_http::{ReadBodyError, read_body};
use reqwest::Response;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::CompletionsError;

/// Maximum size of a response body in bytes. 32,000 tokens are about 130 KiB.
pub(super) const MAX_BYTES: usize = 1 << 20;

/// A completion. `Debug` shows the length of the text instead of the text.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Completion {
    /// Text of the first choice.
    pub text: String,
    /// The model in the response, or the requested one if the response has none.
    pub model: String,
    /// Token usage. `None` if the response has none, or has it in an unknown form.
    pub usage: Option<Usage>,
}

/// Token counts, as reported by the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Usage {
    /// Tokens in the prompt.
    pub prompt_tokens: u64,
    /// Tokens in the completion.
    pub completion_tokens: u64,
    /// Sum of both.
    pub total_tokens: u64,
}

impl fmt::Debug for Completion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Completion {{ text: {} bytes, model: {:?}, usage: {:?} }}",
            self.text.len(),
            self.model,
            self.usage
        )
    }
}

#[derive(Deserialize)]
struct ResponseBody {
    choices: Vec<Choice>,
    model: Option<String>,
    usage: Option<Value>,
}

#[derive(Deserialize)]
struct Choice {
    message: Message,
}

#[derive(Deserialize)]
struct Message {
    content: String,
}

/// Reads a response. The limit applies to the bytes received, not only to `Content-Length`.
pub(super) async fn read(
    response: Response,
    requested_model: &str,
) -> Result<Completion, CompletionsError> {
    let body = read_body(response, MAX_BYTES)
        .await
        .map_err(|error| match error {
            ReadBodyError::TooLarge => CompletionsError::TooLarge { limit: MAX_BYTES },
            ReadBodyError::Http(error) => CompletionsError::from_transport(error),
        })?;
    parse(&body, requested_model)
}

fn parse(body: &[u8], requested_model: &str) -> Result<Completion, CompletionsError> {
    let response: ResponseBody = serde_json::from_slice(body).map_err(|error| {
        if error.is_data() {
            CompletionsError::MissingText
        } else {
            CompletionsError::InvalidJson
        }
    })?;
    let text = response
        .choices
        .into_iter()
        .next()
        .ok_or(CompletionsError::MissingText)?
        .message
        .content;
    let model = response.model.unwrap_or_else(|| requested_model.to_owned());
    Ok(Completion {
        text,
        model,
        usage: response
            .usage
            .and_then(|usage| serde_json::from_value(usage).ok()),
    })
}
