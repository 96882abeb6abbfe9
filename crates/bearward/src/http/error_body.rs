//! The JSON body of every error response.

use serde::Serialize;
use serde_json::Value;

use super::request_id::RequestId;

/// The JSON body of an error response.
///
/// ```
/// use bearward::ErrorBody;
/// use serde_json::json;
///
/// let body = ErrorBody::new("NOT_FOUND", "there is no order with this id", None);
/// assert_eq!(
///     serde_json::to_value(&body).unwrap(),
///     json!({
///         "success": false,
///         "error": {
///             "code": "NOT_FOUND",
///             "message": "there is no order with this id",
///             "details": null,
///         },
///         "request_id": null,
///     }),
/// );
/// ```
#[derive(Debug, Clone, Serialize)]
pub struct ErrorBody {
    success: bool,
    error: ErrorDetail,
    request_id: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
struct ErrorDetail {
    code: &'static str,
    message: String,
    details: Value,
}

impl ErrorBody {
    /// Creates a body without details.
    ///
    /// `code` is stable. `message` is for people; it must not contain claims or internal causes.
    pub fn new(code: &'static str, message: &str, request_id: Option<&RequestId>) -> Self {
        Self {
            success: false,
            error: ErrorDetail {
                code,
                message: message.to_owned(),
                details: Value::Null,
            },
            request_id: request_id.map(ToString::to_string),
        }
    }

    /// Sets the details that a client can act on.
    #[must_use]
    pub fn with_details(mut self, details: Value) -> Self {
        self.error.details = details;
        self
    }
}
