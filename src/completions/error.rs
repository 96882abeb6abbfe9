//! Errors of a completions call, and their mapping to HTTP.

use std::time::Duration;

use actix_web::{http::StatusCode, web::Bytes};
use bearward::{ErrorBody, RequestId};

/// Why a call failed.
///
/// `Display` is the message for the client. No variant contains text from the service or part of
/// the API key. A `cause` describes a failed connection and is only for logs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CompletionsError {
    /// Status 401 or 403.
    #[error("the service rejected your API key; store a valid key that has access to the model")]
    RejectedKey,
    /// Status 429.
    #[error("the service limits requests with your API key; try again later")]
    RateLimited {
        /// The delay that the service asked for, clamped to 1 second to 1 hour.
        retry_after: Duration,
    },
    /// Status 404, or 400 or 422 with an error about the model.
    #[error(
        "the model does not exist or is not available to your API key; set \"model\" to another one"
    )]
    UnknownModel,
    /// Any other 4xx status.
    #[error("the service rejected the request with status {status}")]
    Rejected {
        /// The response status.
        status: u16,
    },
    /// A 5xx status.
    #[error("the service failed with status {status}")]
    ServerError {
        /// The response status.
        status: u16,
    },
    /// Any other status: 3xx, because redirects are not followed, or 2xx other than 200.
    #[error("the service responded with unexpected status {status}; redirects are not followed")]
    UnexpectedStatus {
        /// The response status.
        status: u16,
    },
    /// DNS, TCP or TLS failed.
    #[error("the service cannot be reached")]
    Unreachable {
        /// The cause, for logs.
        cause: String,
    },
    /// The connection was interrupted, or the response was not valid HTTP.
    #[error("the connection to the service was interrupted")]
    Interrupted {
        /// The cause, for logs.
        cause: String,
    },
    /// `Content-Type` is not the requested one, or the response is compressed.
    #[error("the service responded with an unexpected content type")]
    WrongContentType,
    /// The response is not valid JSON.
    #[error("the service sent invalid JSON")]
    InvalidJson,
    /// The response has no text in its first choice.
    #[error("the service sent a response without text")]
    MissingText,
    /// A response, an event or a stream exceeds its limit.
    #[error("the service sent more than {limit} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// The service sent an error within a stream.
    #[error("the service failed during its response")]
    StreamFailed,
    /// The service ended a stream before the completion was complete.
    #[error("the service ended its response early")]
    Incomplete,
    /// A plain response was not complete, or a stream did not start, in time.
    #[error("the service did not respond within {after:?}")]
    ResponseTimeout {
        /// `generate.timeout`.
        after: Duration,
    },
    /// Connecting took too long.
    #[error("connecting to the service timed out")]
    ConnectTimeout,
    /// No data was received within a stream for too long.
    #[error("the service sent nothing for {after:?} during its response")]
    IdleTimeout {
        /// `generate.timeout`.
        after: Duration,
    },
    /// A stream took too long, possibly because the client read it too slowly.
    #[error("the response was not complete after {after:?}")]
    StreamTimeout {
        /// Ten times `generate.timeout`.
        after: Duration,
    },
}

impl CompletionsError {
    /// Returns the stable error code.
    pub const fn code(&self) -> &'static str {
        self.code_and_status().0
    }

    /// Returns the status to respond with if the response has not started.
    pub const fn status(&self) -> StatusCode {
        self.code_and_status().1
    }

    /// Returns the value of the `Retry-After` header.
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited { retry_after } => Some(*retry_after),
            _ => None,
        }
    }

    /// Returns the server-sent event that ends a stream which has started: `event: error` with the
    /// same JSON as an error response. OpenAI's clients raise its `error` as an exception. No
    /// `data: [DONE]` follows, so that clients do not treat a partial completion as complete.
    pub fn to_event(&self, request_id: Option<&RequestId>) -> Bytes {
        let body = serde_json::json!(ErrorBody::new(self.code(), &self.to_string(), request_id));
        format!("event: error\ndata: {body}\n\n").into()
    }

    const fn code_and_status(&self) -> (&'static str, StatusCode) {
        match self {
            Self::RejectedKey => ("UPSTREAM_REJECTED_KEY", StatusCode::BAD_GATEWAY),
            Self::RateLimited { .. } => ("RATE_LIMITED", StatusCode::TOO_MANY_REQUESTS),
            Self::ResponseTimeout { .. }
            | Self::ConnectTimeout
            | Self::IdleTimeout { .. }
            | Self::StreamTimeout { .. } => ("UPSTREAM_TIMEOUT", StatusCode::GATEWAY_TIMEOUT),
            Self::UnknownModel
            | Self::Rejected { .. }
            | Self::ServerError { .. }
            | Self::UnexpectedStatus { .. }
            | Self::Unreachable { .. }
            | Self::Interrupted { .. }
            | Self::WrongContentType
            | Self::InvalidJson
            | Self::MissingText
            | Self::TooLarge { .. }
            | Self::StreamFailed
            | Self::Incomplete => ("UPSTREAM_FAILED", StatusCode::BAD_GATEWAY),
        }
    }

    pub(super) fn from_transport(error: reqwest::Error) -> Self {
        if !error.is_connect() {
            Self::Interrupted {
                cause: bearward_http::client_error_chain(error),
            }
        } else if error.is_timeout() {
            Self::ConnectTimeout
        } else {
            Self::Unreachable {
                cause: bearward_http::client_error_chain(error),
            }
        }
    }
}
