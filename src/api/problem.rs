//! Errors that no resource of its own speaks for, in the one envelope: unreadable input, unknown routes, wrong methods, panics.

use std::fmt;

use actix_web::{
    HttpMessage, HttpRequest, HttpResponse, ResponseError,
    error::{JsonPayloadError, PathError, QueryPayloadError},
    http::{
        StatusCode,
        header::{ALLOW, HeaderValue, RETRY_AFTER},
    },
};
use serde_json::{Value, json};

use crate::{Envelope, RequestId};

/// An error of the API that is not about authentication.
#[derive(Debug, Clone)]
pub struct Problem {
    status: StatusCode,
    code: &'static str,
    message: String,
    details: Value,
    retry_after: Option<u64>,
    request_id: Option<RequestId>,
}

impl Problem {
    /// A problem of this request.
    pub fn new(request: &HttpRequest, status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        let request_id = request.extensions().get::<RequestId>().cloned();
        Self { status, code, message: message.into(), details: Value::Null, retry_after: None, request_id }
    }

    /// What the client can act on.
    #[must_use]
    pub fn with_details(mut self, details: Value) -> Self {
        self.details = details;
        self
    }

    /// When another try may succeed, in seconds.
    #[must_use]
    pub fn with_retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// Somebody has asked too often.
    pub fn rate_limited(request: &HttpRequest, retry_after: u64) -> Self {
        let message = format!("too many requests; try again in {retry_after} s");
        Self::new(request, StatusCode::TOO_MANY_REQUESTS, "RATE_LIMITED", message).with_retry_after(retry_after)
    }

    /// Cause and path stay in the log, under the request's id.
    pub fn internal(request: &HttpRequest) -> Self {
        Self::new(
            request,
            StatusCode::INTERNAL_SERVER_ERROR,
            "INTERNAL",
            "something went wrong here; the request id finds it in the log",
        )
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        let envelope = Envelope::new(self.code, &self.message, self.request_id.as_ref()).with_details(self.details.clone());
        let mut response = HttpResponse::build(self.status);
        if let Some(seconds) = self.retry_after {
            response.insert_header((RETRY_AFTER, seconds));
        }
        response.json(envelope)
    }
}

pub(super) async fn not_found(request: HttpRequest) -> HttpResponse {
    Problem::new(&request, StatusCode::NOT_FOUND, "NOT_FOUND", "there is nothing at this path").error_response()
}

pub(super) async fn method_not_allowed(request: HttpRequest) -> HttpResponse {
    let problem = Problem::new(
        &request,
        StatusCode::METHOD_NOT_ALLOWED,
        "METHOD_NOT_ALLOWED",
        "this path does not answer this method; the Allow header names those it answers",
    );
    let mut response = problem.error_response();
    // RFC 9110 §15.5.6. Every resource of this API so far has one method.
    response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
    response
}

pub(super) fn json(error: JsonPayloadError, request: &HttpRequest) -> actix_web::Error {
    let problem = |status, code, message: &str| Problem::new(request, status, code, message);
    match error {
        JsonPayloadError::Overflow { limit } | JsonPayloadError::OverflowKnownLength { limit, .. } => {
            let message = format!("the body is larger than {limit} bytes");
            problem(StatusCode::PAYLOAD_TOO_LARGE, "PAYLOAD_TOO_LARGE", &message).with_details(json!({ "limit_bytes": limit }))
        }
        JsonPayloadError::ContentType => {
            problem(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE", "send the body as application/json")
        }
        JsonPayloadError::Deserialize(error) if error.is_data() => {
            let details = json!([{ "field": Value::Null, "problem": error.to_string() }]);
            problem(StatusCode::UNPROCESSABLE_ENTITY, "VALIDATION_FAILED", "the body does not have the form that is asked for")
                .with_details(details)
        }
        _ => problem(StatusCode::BAD_REQUEST, "INVALID_REQUEST", "the body is not readable JSON"),
    }
    .into()
}

pub(super) fn query(error: QueryPayloadError, request: &HttpRequest) -> actix_web::Error {
    let details = json!([{ "field": "query", "problem": error.to_string() }]);
    Problem::new(
        request,
        StatusCode::UNPROCESSABLE_ENTITY,
        "VALIDATION_FAILED",
        "the query does not have the form that is asked for",
    )
    .with_details(details)
    .into()
}

pub(super) fn path(_error: PathError, request: &HttpRequest) -> actix_web::Error {
    Problem::new(request, StatusCode::NOT_FOUND, "NOT_FOUND", "there is nothing at this path").into()
}
