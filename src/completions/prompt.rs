//! The user's prompt and the request body.

use std::fmt;

use serde::Serialize;

/// A prompt. `Debug` shows the length of the text instead of the text, which is private.
#[derive(Clone, PartialEq, Eq)]
pub struct Prompt {
    /// The text, sent as a single message of role `user`.
    pub prompt: String,
    /// The model. `None` selects the configured one.
    pub model: Option<String>,
}

impl Prompt {
    /// Returns the requested model, else the configured one.
    pub(super) fn model<'a>(&'a self, configured: &'a str) -> &'a str {
        self.model.as_deref().unwrap_or(configured)
    }

    /// Returns the JSON request body. Sends no optional members: some services reject
    /// `stream_options`, for example.
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
