//! Errors of the auth API, in the two formats that clients negotiate.

use std::{borrow::Cow, fmt};

use actix_web::{
    HttpResponse, HttpResponseBuilder, ResponseError,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::StatusCode,
    middleware::Next,
};
use serde_json::{Value, json};

/// An error of the auth API, with the status, code and message of the hosted service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum AuthApiError {
    /// Status, stable code and message.
    Plain(u16, &'static str, Cow<'static, str>),
    /// A password that is too short. The body lists the reasons.
    WeakPassword(String),
    /// `error` and `error_description` (RFC 6749 §5.2), which the hosted service uses for ID tokens.
    OAuth(&'static str, &'static str),
}

/// The request header that selects the error format.
pub(crate) const VERSION_HEADER: &str = "x-supabase-api-version";

/// The first API version with string codes in `code`.
const FIRST_CODED_VERSION: &str = "2024-01-01";

impl AuthApiError {
    pub(crate) const fn new(status: u16, code: &'static str, message: &'static str) -> Self {
        Self::Plain(status, code, Cow::Borrowed(message))
    }

    pub(crate) const fn invalid(message: &'static str) -> Self {
        Self::new(400, "validation_failed", message)
    }

    /// Returns the error code; OAuth errors have none.
    pub(crate) fn code(&self) -> Option<&'static str> {
        match self {
            Self::Plain(_, code, _) => Some(code),
            Self::WeakPassword(_) => Some("weak_password"),
            Self::OAuth(..) => None,
        }
    }

    /// Returns the `error` parameter of a redirect (RFC 6749 §4.1.2.1).
    pub(crate) fn redirect_error(&self) -> &'static str {
        match self {
            Self::OAuth(error, _) => error,
            Self::Plain(_, "signup_disabled" | "user_banned", _) => "access_denied",
            _ => match self.status_code().as_u16() {
                400 => "invalid_request",
                401 => "unauthorized_client",
                403 => "access_denied",
                _ => "server_error",
            },
        }
    }

    fn render(&self, with_code: bool) -> HttpResponse {
        let status = self.status_code();
        let body = match self {
            Self::OAuth(error, description) => {
                json!({ "error": error, "error_description": description })
            }
            _ if with_code => json!({ "code": self.code(), "message": self.to_string() }),
            _ => {
                json!({ "code": status.as_u16(), "error_code": self.code(), "msg": self.to_string() })
            }
        };
        let mut response = HttpResponseBuilder::new(status);
        response.insert_header(("cache-control", "no-store"));
        if let Some(code) = self.code() {
            response.insert_header(("x-sb-error-code", code));
        }
        if with_code {
            response.insert_header((VERSION_HEADER, FIRST_CODED_VERSION));
        }
        response.json(self.with_reasons(body))
    }

    fn with_reasons(&self, mut body: Value) -> Value {
        if let (Self::WeakPassword(_), Value::Object(members)) = (self, &mut body) {
            members.insert("weak_password".to_owned(), json!({ "reasons": ["length"] }));
        }
        body
    }
}

impl fmt::Display for AuthApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(_, _, message) => f.write_str(message),
            Self::WeakPassword(message) => f.write_str(message),
            Self::OAuth(_, description) => f.write_str(description),
        }
    }
}

impl ResponseError for AuthApiError {
    fn status_code(&self) -> StatusCode {
        let status = match self {
            Self::Plain(status, ..) => *status,
            Self::WeakPassword(_) => 422,
            Self::OAuth(..) => 400,
        };
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        self.render(false)
    }
}

/// Middleware that renders errors in the format that the request selects. `ResponseError` cannot do
/// this, because it has no access to the request.
pub(crate) async fn negotiate_error_format(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let version = request
        .headers()
        .get(VERSION_HEADER)
        .and_then(|version| version.to_str().ok());
    let with_code = version.is_some_and(supports_error_codes);
    let response = next.call(request).await?.map_into_boxed_body();
    let error = response
        .response()
        .error()
        .and_then(|error| error.as_error::<AuthApiError>())
        .filter(|_| with_code)
        .cloned();
    Ok(match error {
        Some(error) => response.into_response(error.render(true)),
        None => response,
    })
}

/// Whether the version is a date from which errors have string codes. ISO dates compare as text.
fn supports_error_codes(version: &str) -> bool {
    let is_date = version.len() == FIRST_CODED_VERSION.len()
        && version
            .bytes()
            .zip(FIRST_CODED_VERSION.bytes())
            .all(|(found, expected)| found.is_ascii_digit() == expected.is_ascii_digit());
    is_date && version >= FIRST_CODED_VERSION
}
