//! The body of an error response and its media type.

use std::fmt;
#[cfg(feature = "actix")]
use std::sync::Arc;

use serde::Serialize;
use serde_json::json;

use super::{HttpConfig, error_body::ErrorBody, request_id::RequestId};
use crate::error::AuthError;

/// The body of an error response and its media type.
///
/// ```
/// use bearward::ErrorContent;
///
/// let content = ErrorContent::json(&serde_json::json!({ "errors": { "body": ["sign in"] } }));
/// assert_eq!(content.content_type(), "application/json");
/// assert_eq!(content.body(), br#"{"errors":{"body":["sign in"]}}"#);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorContent {
    content_type: String,
    body: Vec<u8>,
}

impl ErrorContent {
    /// Creates a body of any media type.
    pub fn new(content_type: impl Into<String>, body: impl Into<Vec<u8>>) -> Self {
        Self {
            content_type: content_type.into(),
            body: body.into(),
        }
    }

    /// Serializes a value as `application/json`. A value that cannot be serialized yields an empty
    /// body, so that the status and the challenge are still sent.
    pub fn json(value: &impl Serialize) -> Self {
        Self::new(
            "application/json",
            serde_json::to_vec(value).unwrap_or_default(),
        )
    }

    /// Returns the media type.
    pub fn content_type(&self) -> &str {
        &self.content_type
    }

    /// Returns the body.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Returns the body and drops the media type.
    pub fn into_body(self) -> Vec<u8> {
        self.body
    }

    /// Creates a problem details object (RFC 9457).
    fn problem_details(error: &AuthError, message: &str, request_id: Option<&RequestId>) -> Self {
        let title = match error.status() {
            400 => "Bad Request",
            401 => "Unauthorized",
            403 => "Forbidden",
            503 => "Service Unavailable",
            _ => "Internal Server Error",
        };
        let mut problem = json!({
            "type": "about:blank",
            "title": title,
            "status": error.status(),
            "detail": message,
            "code": error.code(),
        });
        if let Some(id) = request_id {
            problem["request_id"] = id.as_str().into();
        }
        Self {
            content_type: "application/problem+json".to_owned(),
            ..Self::json(&problem)
        }
    }
}

/// Converts a JSON value to an `application/json` body.
impl From<serde_json::Value> for ErrorContent {
    fn from(value: serde_json::Value) -> Self {
        Self::json(&value)
    }
}

/// The form of the bodies of error responses.
pub(crate) enum ErrorFormat {
    /// [`ErrorBody`].
    Envelope,
    /// RFC 9457.
    ProblemDetails,
    /// The application's function.
    #[cfg(feature = "actix")]
    Custom(Arc<CustomErrorBody>),
}

#[cfg(feature = "actix")]
pub(crate) type CustomErrorBody =
    dyn Fn(&AuthError, &actix_web::HttpRequest) -> ErrorContent + Send + Sync;

impl HttpConfig {
    /// Returns the message for the client, which names the configured scheme.
    pub(crate) fn message(&self, error: &AuthError) -> String {
        let message = error.to_string();
        match (&self.scheme, error) {
            (Some(scheme), AuthError::NoToken | AuthError::BadAuthorization) => message
                .replace("Bearer TOKEN", &format!("{scheme} TOKEN"))
                .replace("bearer token", "token"),
            _ => message,
        }
    }

    /// Returns the body of an error. The application's function is not called here, because it
    /// needs the request.
    pub(crate) fn content(
        &self,
        error: &AuthError,
        request_id: Option<&RequestId>,
    ) -> ErrorContent {
        let message = self.message(error);
        match &self.format {
            ErrorFormat::ProblemDetails => {
                ErrorContent::problem_details(error, &message, request_id)
            }
            ErrorFormat::Envelope => {
                ErrorContent::json(&ErrorBody::new(error.code(), &message, request_id))
            }
            #[cfg(feature = "actix")]
            ErrorFormat::Custom(_) => {
                ErrorContent::json(&ErrorBody::new(error.code(), &message, request_id))
            }
        }
    }
}

impl fmt::Debug for ErrorFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Envelope => "Envelope",
            Self::ProblemDetails => "ProblemDetails",
            #[cfg(feature = "actix")]
            Self::Custom(_) => "Custom",
        })
    }
}
