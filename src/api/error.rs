//! Errors of the API that are not about authentication, with the error envelope as body.

use std::{
    fmt,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use actix_web::{
    HttpRequest, HttpResponse, ResponseError,
    http::{
        StatusCode,
        header::{HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE},
    },
    web::Bytes,
};
use bearward::{ErrorBody, RequestId};
use serde_json::Value;

use crate::store::StoreError;

/// An error of the API that is not about authentication.
#[derive(Debug, Clone)]
pub struct ApiError {
    status: StatusCode,
    code: &'static str,
    message: String,
    details: Value,
    retry_after: Option<u64>,
    header: Option<(HeaderName, HeaderValue)>,
    request_id: Option<RequestId>,
}

impl ApiError {
    /// Creates an error for a request. `code` is stable, `message` is for people.
    pub fn new(
        request: &HttpRequest,
        status: StatusCode,
        code: &'static str,
        message: impl Into<String>,
    ) -> Self {
        Self::with_request_id(RequestId::from_request(request), status, code, message)
    }

    /// Creates an error from the request's id.
    pub(crate) fn with_request_id(
        request_id: Option<RequestId>,
        status: StatusCode,
        code: &'static str,
        message: impl Into<String>,
    ) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            details: Value::Null,
            retry_after: None,
            header: None,
            request_id,
        }
    }

    /// Returns the stable code.
    pub(crate) fn code(&self) -> &'static str {
        self.code
    }

    /// Adds machine-readable details.
    #[must_use]
    pub fn with_details(mut self, details: Value) -> Self {
        self.details = details;
        self
    }

    /// Adds `Retry-After`, in seconds (RFC 9110 §10.2.3).
    #[must_use]
    pub fn with_retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// Adds a header to the response.
    #[must_use]
    pub(super) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.header = Some((name, value));
        self
    }

    /// Creates a 429 `RATE_LIMITED`. `retry_after` is in seconds.
    pub fn rate_limited(request: &HttpRequest, retry_after: u64) -> Self {
        let message = format!("too many requests; try again in {retry_after} s");
        Self::new(
            request,
            StatusCode::TOO_MANY_REQUESTS,
            "RATE_LIMITED",
            message,
        )
        .with_retry_after(retry_after)
    }

    /// Creates a 500 `INTERNAL` without the cause. The caller logs the cause.
    pub fn internal(request: &HttpRequest) -> Self {
        Self::internal_with_request_id(RequestId::from_request(request))
    }

    /// Creates a 500 `INTERNAL` from the request's id.
    pub(crate) fn internal_with_request_id(request_id: Option<RequestId>) -> Self {
        Self::with_request_id(
            request_id,
            StatusCode::INTERNAL_SERVER_ERROR,
            "INTERNAL",
            "internal error; use the request id to find it in the log",
        )
    }

    /// Maps a store error to 503, 404 or 500, and logs the cause.
    pub(super) fn from_store(request_id: Option<RequestId>, error: &StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) => {
                log_unavailable(error);
                Self::database_unavailable(request_id)
            }
            StoreError::AccountDeleted => Self::not_found(
                request_id,
                "the account was deleted while the request was processed",
            ),
            StoreError::Revoked => Self::with_request_id(
                request_id,
                StatusCode::UNAUTHORIZED,
                "TOKEN_REVOKED",
                "the token has been revoked; sign in again",
            )
            .with_header(
                WWW_AUTHENTICATE,
                HeaderValue::from_static("Bearer error=\"invalid_token\""),
            ),
            StoreError::Unexpected(_) => {
                tracing::error!("{error}");
                Self::internal_with_request_id(request_id)
            }
        }
    }

    /// Creates a 503 `DATABASE_UNAVAILABLE`.
    pub(super) fn database_unavailable(request_id: Option<RequestId>) -> Self {
        // The outcome is unknown: the connection may have been lost between the commit and its
        // acknowledgement.
        let message = "the database is unavailable; a change may or may not have been applied: retry with the same Idempotency-Key";
        Self::with_request_id(
            request_id,
            StatusCode::SERVICE_UNAVAILABLE,
            "DATABASE_UNAVAILABLE",
            message,
        )
        .with_retry_after(2)
    }

    /// Creates a 503 `SERVER_STOPPING`.
    pub(super) fn server_stopping(request_id: Option<RequestId>) -> Self {
        Self::with_request_id(
            request_id,
            StatusCode::SERVICE_UNAVAILABLE,
            "SERVER_STOPPING",
            "the server is stopping; send the request again",
        )
        .with_retry_after(1)
    }

    /// Returns the server-sent event that ends a stream: `event: error` with the JSON of the error
    /// response.
    pub(super) fn to_event(&self) -> Bytes {
        let body = serde_json::json!(self.body());
        format!("event: error\ndata: {body}\n\n").into()
    }

    fn body(&self) -> ErrorBody {
        ErrorBody::new(self.code, &self.message, self.request_id.as_ref())
            .with_details(self.details.clone())
    }

    /// Creates a 404 `NOT_FOUND`.
    pub(super) fn not_found(request_id: Option<RequestId>, message: &str) -> Self {
        Self::with_request_id(request_id, StatusCode::NOT_FOUND, "NOT_FOUND", message)
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        let body = self.body();
        let mut response = HttpResponse::build(self.status);
        if let Some(seconds) = self.retry_after {
            response.insert_header((RETRY_AFTER, seconds));
        }
        if let Some(header) = self.header.clone() {
            response.insert_header(header);
        }
        response.json(body)
    }
}

/// How often an unavailable database is logged as the cause of a 503. The change of state has its
/// own line.
const UNAVAILABLE_LOG_INTERVAL: Duration = Duration::from_secs(10);

/// Logs the cause of a 503, once in ten seconds, with the number of those that were not logged.
fn log_unavailable(error: &StoreError) {
    static LAST: Mutex<Option<(Instant, u64)>> = Mutex::new(None);
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    let omitted = match &mut *last {
        Some((at, omitted)) if at.elapsed() < UNAVAILABLE_LOG_INTERVAL => {
            *omitted += 1;
            return;
        }
        Some((_, omitted)) => *omitted,
        None => 0,
    };
    *last = Some((Instant::now(), 0));
    drop(last);
    tracing::warn!(omitted, "{error}");
}

/// Answers a request for an unknown path.
pub(super) async fn not_found(request: HttpRequest) -> HttpResponse {
    no_resource(&request).error_response()
}

/// Creates the 404 of a path without a resource.
pub(super) fn no_resource(request: &HttpRequest) -> ApiError {
    ApiError::not_found(RequestId::from_request(request), "no resource at this path")
}
