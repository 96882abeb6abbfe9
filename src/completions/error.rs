//! Every reason why there is no answer, and its one match to the wire.

use std::{error::Error as _, iter, time::Duration};

use actix_web::{http::StatusCode, web::Bytes};
use {ErrorBody, RequestId};

/// Why the service gave no answer.
///
/// `Display` is the message for the client. No variant holds a word that the service sent, or
/// anything of the key; a `cause` is this machine's view of a broken connection, for the log alone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CompletionsError {
    /// 401 or 403.
    #[error(
        "the service refused your API key; store one that it accepts and that may use the model"
    )]
    RejectedKey,
    /// 429.
    #[error("the service takes no more requests with your API key for now")]
    RateLimited {
        /// As the service asked, from 1 second to an hour.
        retry_after: Duration,
    },
    /// 404, and 400 or 422 that speak of the model.
    #[error(
        "the service does not know the model, or not for your API key; name another one in \"model\""
    )]
    UnknownModel,
    /// Any other 4xx.
    #[error("the service refused the request with status {status}")]
    Refused {
        /// The status.
        status: u16,
    },
    /// 5xx.
    #[error("the service is out of order: it answered with status {status}")]
    ServerError {
        /// The status.
        status: u16,
    },
    /// A status that answers nothing: 3xx, which is not followed, or another 2xx than 200.
    #[error(
        "the service answered with status {status}, which is no answer; redirects are not followed"
    )]
    Unexpected {
        /// The status.
        status: u16,
    },
    /// No connection: name look-up, TCP or TLS.
    #[error("the service cannot be reached")]
    Unreachable {
        /// For the log.
        cause: String,
    },
    /// The connection broke, or did not speak HTTP.
    #[error("the connection to the service broke off")]
    Interrupted {
        /// For the log.
        cause: String,
    },
    /// Neither JSON where JSON was asked for, nor events where those were; or compressed.
    #[error("the service answered in another format than it was asked for")]
    WrongType,
    /// Not JSON, or not UTF-8.
    #[error("the service sent what cannot be read")]
    NotJson,
    /// JSON without the text of a first choice.
    #[error("the service sent an answer without a text in it")]
    NoText,
    /// A whole answer, one event or a whole stream above its limit.
    #[error("the service sent more than {limit} bytes")]
    TooLarge {
        /// The limit, in bytes.
        limit: usize,
    },
    /// Within a stream: the service tells an error of its own.
    #[error("the service failed while it was answering")]
    Failed,
    /// Within a stream: the service ended it before the answer was complete.
    #[error("the service ended its answer in the middle")]
    Incomplete,
    /// No whole plain answer, or no beginning of a stream, in time.
    #[error("the service gave no answer within {after:?}")]
    ResponseTimeout {
        /// `generate.timeout`.
        after: Duration,
    },
    /// Connecting took too long.
    #[error("the service cannot be reached in time")]
    ConnectTimeout,
    /// Within a stream: nothing came for too long.
    #[error("the service fell silent for {after:?} in the middle of its answer")]
    IdleTimeout {
        /// `generate.timeout`.
        after: Duration,
    },
    /// Within a stream: it did not end, or the client read it too slowly.
    #[error("the answer was not complete after {after:?}")]
    StreamTimeout {
        /// Ten times `generate.timeout`.
        after: Duration,
    },
}

impl CompletionsError {
    /// The stable code of the error envelope.
    pub const fn code(&self) -> &'static str {
        self.wire().0
    }

    /// The status of a response that has not begun yet.
    pub const fn status(&self) -> StatusCode {
        self.wire().1
    }

    /// The value of `Retry-After`.
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited { retry_after } => Some(*retry_after),
            _ => None,
        }
    }

    /// The end of a stream that has begun: `event: error` with the envelope that a response would
    /// have had. OpenAI's own clients raise its `error` as an exception. Nothing follows it,
    /// `data: [DONE]` neither: who looks for that alone must not take half an answer for one.
    pub fn event(&self, request_id: Option<&RequestId>) -> Bytes {
        let envelope =
            serde_json::json!(ErrorBody::new(self.code(), &self.to_string(), request_id));
        format!("event: error\ndata: {envelope}\n\n").into()
    }

    const fn wire(&self) -> (&'static str, StatusCode) {
        match self {
            Self::RejectedKey => ("UPSTREAM_REJECTED_KEY", StatusCode::BAD_GATEWAY),
            Self::RateLimited { .. } => ("RATE_LIMITED", StatusCode::TOO_MANY_REQUESTS),
            Self::ResponseTimeout { .. }
            | Self::ConnectTimeout
            | Self::IdleTimeout { .. }
            | Self::StreamTimeout { .. } => ("UPSTREAM_TIMEOUT", StatusCode::GATEWAY_TIMEOUT),
            Self::UnknownModel
            | Self::Refused { .. }
            | Self::ServerError { .. }
            | Self::Unexpected { .. }
            | Self::Unreachable { .. }
            | Self::Interrupted { .. }
            | Self::WrongType
            | Self::NotJson
            | Self::NoText
            | Self::TooLarge { .. }
            | Self::Failed
            | Self::Incomplete => ("UPSTREAM_FAILED", StatusCode::BAD_GATEWAY),
        }
    }

    pub(super) fn of(error: reqwest::Error) -> Self {
        match () {
            () if error.is_connect() && error.is_timeout() => Self::ConnectTimeout,
            () if error.is_connect() => Self::Unreachable {
                cause: chain(error),
            },
            () => Self::Interrupted {
                cause: chain(error),
            },
        }
    }
}

/// The innermost cause is the one that helps ("Connection refused"). The address is left out, which
/// may have something secret in its query.
pub(super) fn chain(error: reqwest::Error) -> String {
    let error = error.without_url();
    let causes = iter::successors(error.source(), |&cause| cause.source()).map(ToString::to_string);
    iter::once(error.to_string())
        .chain(causes)
        .collect::<Vec<_>>()
        .join(": ")
}
