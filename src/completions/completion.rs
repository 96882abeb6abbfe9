//! A whole answer: read up to its limit, and the first choice's text taken out of it.

use std::fmt;

use reqwest::Response;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::CompletionsError;

/// The longest answer, in bytes. A model that writes 32,000 tokens sends about 130 KiB.
pub(super) const MAX_BYTES: usize = 1 << 20;

/// The text that a model wrote. `Debug` shows how long it is.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Completion {
    /// The first choice's text.
    pub text: String,
    /// The model as the service names it, or else as it was asked for.
    pub model: String,
    /// What it cost. None when the service does not say, or says it in another form.
    pub usage: Option<Usage>,
}

/// Tokens, as the service counts them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Usage {
    /// In the prompt.
    pub prompt_tokens: u64,
    /// In the answer.
    pub completion_tokens: u64,
    /// In both.
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
struct Answer {
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

/// Stops reading at the limit, whatever `Content-Length` says.
pub(super) async fn read(
    mut response: Response,
    asked_for: &str,
) -> Result<Completion, CompletionsError> {
    let announced = response.content_length().unwrap_or(0);
    if usize::try_from(announced).map_or(true, |announced| announced > MAX_BYTES) {
        return Err(CompletionsError::TooLarge { limit: MAX_BYTES });
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(CompletionsError::of)? {
        if body.len() + chunk.len() > MAX_BYTES {
            return Err(CompletionsError::TooLarge { limit: MAX_BYTES });
        }
        body.extend_from_slice(&chunk);
    }
    parse(&body, asked_for)
}

fn parse(body: &[u8], asked_for: &str) -> Result<Completion, CompletionsError> {
    let answer: Answer = serde_json::from_slice(body).map_err(|error| {
        if error.is_data() {
            CompletionsError::NoText
        } else {
            CompletionsError::NotJson
        }
    })?;
    let text = answer
        .choices
        .into_iter()
        .next()
        .ok_or(CompletionsError::NoText)?
        .message
        .content;
    let model = answer.model.unwrap_or_else(|| asked_for.to_owned());
    Ok(Completion {
        text,
        model,
        usage: answer
            .usage
            .and_then(|usage| serde_json::from_value(usage).ok()),
    })
}
