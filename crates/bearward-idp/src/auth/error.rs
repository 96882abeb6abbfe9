//! Errors of the auth API, in the two formats that clients negotiate.

use std::{borrow::Cow, fmt};

use actix_cors::CorsError;
use actix_web::{
    HttpResponse, HttpResponseBuilder, ResponseError,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        Method, StatusCode,
        header::{ALLOW, HeaderMap, HeaderValue},
    },
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
    OAuth(&'static str, Cow<'static, str>),
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

    pub(crate) const fn oauth(error: &'static str, description: &'static str) -> Self {
        Self::OAuth(error, Cow::Borrowed(description))
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
        let mut response = HttpResponseBuilder::new(self.status_code());
        response.insert_header(("cache-control", "no-store"));
        // As in the hosted service, a weak password has no header in the format with codes.
        let has_code_header = !with_code || !matches!(self, Self::WeakPassword(_));
        if let Some(code) = self.code().filter(|_| has_code_header) {
            response.insert_header(("x-sb-error-code", code));
        }
        if with_code {
            response.insert_header((VERSION_HEADER, FIRST_CODED_VERSION));
        }
        response.json(self.body(with_code))
    }

    /// Returns the body, with a string in `code` or with the status.
    pub(crate) fn body(&self, with_code: bool) -> Value {
        let mut body = match self {
            Self::OAuth(error, description) => {
                return json!({ "error": error, "error_description": description });
            }
            _ if with_code => json!({ "code": self.code(), "message": self.to_string() }),
            _ => {
                let status = self.status_code().as_u16();
                json!({ "code": status, "error_code": self.code(), "msg": self.to_string() })
            }
        };
        if let Self::WeakPassword(_) = self {
            body["weak_password"] = json!({ "reasons": ["length"] });
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

/// Answers a path below the issuer that no route matches.
pub(crate) async fn no_route() -> Result<HttpResponse, AuthApiError> {
    Err(AuthApiError::new(
        404,
        "not_found",
        "No route of the auth API matches this path",
    ))
}

/// Middleware that renders errors in the format that the request selects. `ResponseError` cannot do
/// this, because it has no access to the request. `HEAD` is refused as by the hosted service, also
/// for the documents that accept it elsewhere.
pub(crate) async fn negotiate_error_format(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let with_code = wants_code(request.headers());
    let is_head = *request.method() == Method::HEAD;
    let response = next.call(request).await?.map_into_boxed_body();
    let allowed = response.headers().get(ALLOW).cloned();
    let is_refused_head = is_head && response.status().is_success();
    if is_refused_head || response.status() == StatusCode::METHOD_NOT_ALLOWED {
        let error = AuthApiError::new(
            405,
            "method_not_allowed",
            "This path does not support the method; see the Allow header",
        );
        let mut refused = response.into_response(error.render(with_code));
        let without_head = allowed.map(|methods| match methods.as_bytes() {
            b"GET, HEAD" => HeaderValue::from_static("GET"),
            _ => methods,
        });
        refused.headers_mut().insert(
            ALLOW,
            without_head.unwrap_or(HeaderValue::from_static("GET")),
        );
        return Ok(refused);
    }
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

/// Middleware around CORS: renders its rejections as errors of the auth API, and answers preflight
/// requests with 204.
pub(crate) async fn negotiate_cors_format(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let with_code = wants_code(request.headers());
    let is_preflight = *request.method() == Method::OPTIONS;
    let mut response = next.call(request).await?.map_into_boxed_body();
    let rejection = response
        .response()
        .error()
        .and_then(|error| error.as_error::<CorsError>());
    if let Some(rejection) = rejection {
        let code = match rejection {
            CorsError::OriginNotAllowed => "origin_not_allowed",
            _ => "invalid_cors_request",
        };
        let message = format!(
            "{rejection}; pages of the site, of loopback addresses and of redirect URLs are allowed"
        );
        let error = AuthApiError::Plain(400, code, Cow::Owned(message));
        return Ok(response.into_response(error.render(with_code)));
    }
    if is_preflight && response.status() == StatusCode::OK {
        *response.response_mut().status_mut() = StatusCode::NO_CONTENT;
    }
    Ok(response)
}

/// Whether the request asks for errors with a string in `code`.
pub(crate) fn wants_code(headers: &HeaderMap) -> bool {
    headers
        .get(VERSION_HEADER)
        .and_then(|version| version.to_str().ok())
        .is_some_and(supports_error_codes)
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
