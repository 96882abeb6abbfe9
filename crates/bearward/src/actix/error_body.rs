//! The one body of every error.

use serde::Serialize;
use serde_json::Value;

use super::request_id::RequestId;

/// `{"success": false, "error": {"code", "message", "details"}, "request_id"}`.
#[derive(Debug, Clone, Serialize)]
pub struct ErrorBody {
    success: bool,
    error: Problem,
    request_id: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
struct Problem {
    code: &'static str,
    message: String,
    details: Value,
}

impl ErrorBody {
    /// `code` is stable, `message` is for people and shows neither a claim's value nor a cause
    /// inside the server.
    pub fn new(code: &'static str, message: &str, request_id: Option<&RequestId>) -> Self {
        let error = Problem {
            code,
            message: message.to_owned(),
            details: Value::Null,
        };
        Self {
            success: false,
            error,
            request_id: request_id.map(ToString::to_string),
        }
    }

    /// What the client can act on.
    #[must_use]
    pub fn with_details(mut self, details: Value) -> Self {
        self.error.details = details;
        self
    }
}
