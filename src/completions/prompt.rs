//! What a user asks, and the request that it becomes.

use std::fmt;

use serde::Serialize;

/// A prompt. `Debug` shows how long it is: what people ask is theirs.
#[derive(Clone, PartialEq, Eq)]
pub struct Prompt {
    /// The text, sent as the one message of the user.
    pub prompt: String,
    /// The model; the configured one when None.
    pub model: Option<String>,
}

impl Prompt {
    pub(super) fn model<'a>(&'a self, configured: &'a str) -> &'a str {
        self.model.as_deref().unwrap_or(configured)
    }

    /// The JSON of the request. No option is sent that is not needed: not every service accepts
    /// `stream_options`, for one.
    pub(super) fn body(&self, configured: &str, stream: bool) -> String {
        let messages = [Message {
            role: "user",
            content: &self.prompt,
        }];
        let request = Request {
            model: self.model(configured),
            messages,
            stream,
        };
        serde_json::json!(request).to_string()
    }
}

impl fmt::Debug for Prompt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Prompt {{ prompt: {} bytes, model: {:?} }}",
            self.prompt.len(),
            self.model
        )
    }
}

#[derive(Serialize)]
struct Request<'a> {
    model: &'a str,
    messages: [Message<'a>; 1],
    stream: bool,
}

#[derive(Serialize)]
struct Message<'a> {
    role: &'static str,
    content: &'a str,
}
