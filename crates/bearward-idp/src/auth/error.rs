//! A refusal of the auth API, in the two forms that its clients ask for.

use std::{borrow::Cow, fmt};

use actix_web::{
    HttpResponse, HttpResponseBuilder, ResponseError,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::StatusCode,
    middleware::Next,
};
use serde_json::{Value, json};

/// Why the auth API refuses: the hosted service's status, code and words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum AuthApiError {
    /// The usual form, with a stable code.
    Plain(u16, &'static str, Cow<'static, str>),
    /// A password that is too short; the client shows the reasons.
    WeakPassword(String),
    /// The form of RFC 6749 §5.2, which the hosted service keeps for ID tokens and a few more.
    OAuth(&'static str, &'static str),
}

/// Where a client says which form it reads.
pub(super) const VERSION_HEADER: &str = "x-supabase-api-version";

/// The first version whose errors have a `code` of letters.
const CODED: &str = "2024-01-01";

impl AuthApiError {
    pub(super) const fn new(status: u16, code: &'static str, message: &'static str) -> Self {
        Self::Plain(status, code, Cow::Borrowed(message))
    }

    pub(super) const fn invalid(message: &'static str) -> Self {
        Self::new(400, "validation_failed", message)
    }

    /// The error code, where there is one.
    pub(super) fn code(&self) -> Option<&'static str> {
        match self {
            Self::Plain(_, code, _) => Some(code),
            Self::WeakPassword(_) => Some("weak_password"),
            Self::OAuth(..) => None,
        }
    }

    /// `error` of a redirect (RFC 6749 §4.1.2.1).
    pub(super) fn redirect_error(&self) -> &'static str {
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

    fn render(&self, coded: bool) -> HttpResponse {
        let status = self.status_code();
        let body = match self {
            Self::OAuth(error, description) => {
                json!({ "error": error, "error_description": description })
            }
            _ if coded => json!({ "code": self.code(), "message": self.to_string() }),
            _ => {
                json!({ "code": status.as_u16(), "error_code": self.code(), "msg": self.to_string() })
            }
        };
        let mut response = HttpResponseBuilder::new(status);
        response.insert_header(("cache-control", "no-store"));
        if let Some(code) = self.code() {
            response.insert_header(("x-sb-error-code", code));
        }
        if coded {
            response.insert_header((VERSION_HEADER, CODED));
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

/// Writes a refusal in the form that the request asks for: an error does not see the request by
/// which it was made.
pub(super) async fn in_the_asked_form(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let version = request
        .headers()
        .get(VERSION_HEADER)
        .and_then(|version| version.to_str().ok());
    let coded = version.is_some_and(reads_codes);
    let response = next.call(request).await?.map_into_boxed_body();
    let fault = response
        .response()
        .error()
        .and_then(|error| error.as_error::<AuthApiError>())
        .filter(|_| coded)
        .cloned();
    Ok(match fault {
        Some(fault) => response.into_response(fault.render(true)),
        None => response,
    })
}

/// A date of this form is compared as text.
fn reads_codes(version: &str) -> bool {
    let is_date = version.len() == CODED.len()
        && version
            .bytes()
            .zip(CODED.bytes())
            .all(|(found, form)| found.is_ascii_digit() == form.is_ascii_digit());
    is_date && version >= CODED
}
