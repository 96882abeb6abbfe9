//! Errors that are not about authentication, in the one envelope: unknown routes, wrong methods,
//! panics, what the store says.

use std::fmt;

use actix_web::{
    HttpRequest, HttpResponse, ResponseError,
    error::PathError,
    http::{StatusCode, header::RETRY_AFTER},
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
    request_id: Option<RequestId>,
}

impl ApiError {
    /// A problem of this request.
    pub fn new(
        request: &HttpRequest,
        status: StatusCode,
        code: &'static str,
        message: impl Into<String>,
    ) -> Self {
        Self::under(RequestId::from_request(request), status, code, message)
    }

    /// The same where only the request's id is at hand.
    pub(super) fn under(
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
            request_id,
        }
    }

    /// What the client can act on.
    #[must_use]
    pub fn with_details(mut self, details: Value) -> Self {
        self.details = details;
        self
    }

    /// When to come again, in seconds (RFC 9110 §10.2.3).
    #[must_use]
    pub fn with_retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// Somebody has asked too often.
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

    /// Cause and path stay in the log, under the request's id.
    pub fn internal(request: &HttpRequest) -> Self {
        Self::fault(RequestId::from_request(request))
    }

    pub(super) fn fault(request_id: Option<RequestId>) -> Self {
        Self::under(
            request_id,
            StatusCode::INTERNAL_SERVER_ERROR,
            "INTERNAL",
            "something went wrong here; the request id finds it in the log",
        )
    }

    /// The database is away: 503. What is neither that nor an account erased meanwhile is a fault
    /// of ours.
    pub(super) fn of_store(request_id: Option<RequestId>, error: &StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) => {
                tracing::warn!("{error}");
                Self::database_unavailable(request_id)
            }
            StoreError::AccountDeleted => Self::not_found(
                request_id,
                "the account was erased while this request was on its way",
            ),
            StoreError::Unexpected(_) => {
                tracing::error!("{error}");
                Self::fault(request_id)
            }
        }
    }

    pub(super) fn database_unavailable(request_id: Option<RequestId>) -> Self {
        // Not "was not carried out": the connection may have been cut between the commit and its
        // answer.
        let message = "the database cannot be reached; whether a change was carried out is not known: send it again, under the same \
                       Idempotency-Key";
        Self::under(
            request_id,
            StatusCode::SERVICE_UNAVAILABLE,
            "DATABASE_UNAVAILABLE",
            message,
        )
        .with_retry_after(2)
    }

    pub(super) fn not_found(request_id: Option<RequestId>, message: &str) -> Self {
        Self::under(request_id, StatusCode::NOT_FOUND, "NOT_FOUND", message)
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
        let envelope = ErrorBody::new(self.code, &self.message, self.request_id.as_ref())
            .with_details(self.details.clone());
        let mut response = HttpResponse::build(self.status);
        if let Some(seconds) = self.retry_after {
            response.insert_header((RETRY_AFTER, seconds));
        }
        response.json(envelope)
    }
}

pub(super) async fn not_found(request: HttpRequest) -> HttpResponse {
    ApiError::new(
        &request,
        StatusCode::NOT_FOUND,
        "NOT_FOUND",
        "there is nothing at this path",
    )
    .error_response()
}

/// A path that holds what no path of ours can, such as broken percent-encoding.
pub(super) fn path(_error: PathError, request: &HttpRequest) -> actix_web::Error {
    ApiError::new(
        request,
        StatusCode::NOT_FOUND,
        "NOT_FOUND",
        "there is nothing at this path",
    )
    .into()
}
