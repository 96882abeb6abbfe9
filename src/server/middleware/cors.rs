//! CORS rules and the error body of a rejected preflight request.

use actix_cors::{Cors, CorsError};
use actix_web::{
    Error, ResponseError,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        Method, StatusCode,
        header::{
            ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, HeaderMap, HeaderName,
            ORIGIN,
        },
    },
};

use crate::{api::error::ApiError, settings::Server};

/// Request headers that an allowed origin may send. Browsers with OpenTelemetry send the last three
/// (W3C Trace Context and Baggage).
const ALLOWED_HEADERS: [&str; 8] = [
    "authorization",
    "content-type",
    "dpop",
    "x-request-id",
    "idempotency-key",
    "traceparent",
    "tracestate",
    "baggage",
];

/// Maximum length of a value in the log. The client chooses it.
const MAX_LOGGED_CHARS: usize = 256;

/// Allows the configured origins. Credentials are allowed only if a cookie may carry a token.
pub(super) fn cors(settings: &Server, with_credentials: bool) -> Cors {
    let cors = Cors::default()
        .allowed_methods([
            Method::GET,
            Method::POST,
            Method::PUT,
            Method::PATCH,
            Method::DELETE,
        ])
        .allowed_headers(ALLOWED_HEADERS)
        .allowed_headers(&settings.cors_headers)
        .expose_headers([
            "www-authenticate",
            "x-request-id",
            "retry-after",
            "idempotency-replayed",
            "dpop-nonce",
        ])
        .max_age(3600);
    let cors = settings
        .cors_origins
        .iter()
        .fold(cors, |cors, origin| cors.allowed_origin(origin.as_str()));
    if with_credentials {
        cors.supports_credentials()
    } else {
        cors
    }
}

/// Replaces the plain-text body of a preflight rejected by [`cors`] with the error envelope, and logs
/// what was refused.
pub(super) async fn preflight_error_body<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: impl AsyncFnOnce(ServiceRequest) -> Result<ServiceResponse<B>, Error>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let response = next(request).await?.map_into_boxed_body();
    let error = response
        .response()
        .error()
        .and_then(Error::as_error::<CorsError>);
    let (status, code, message) = match error {
        None => return Ok(response),
        Some(CorsError::OriginNotAllowed) => (
            StatusCode::FORBIDDEN,
            "ORIGIN_REFUSED",
            "this origin is not allowed; the operator lists allowed origins in server.cors_origins",
        ),
        Some(_) => (
            StatusCode::BAD_REQUEST,
            "INVALID_REQUEST",
            "this method or these headers are not allowed for cross-origin requests; the operator lists additional headers in server.cors_headers",
        ),
    };
    log_refusal(response.request().headers(), code);
    let error = ApiError::new(response.request(), status, code, message);
    Ok(response.into_response(error.error_response()))
}

/// Logs a refused preflight. Origin, method and names of headers are not secret; the values of the
/// headers are not part of a preflight.
fn log_refusal(headers: &HeaderMap, code: &'static str) {
    let text = |name: HeaderName| -> Option<String> {
        let value = headers.get(name)?;
        let text = String::from_utf8_lossy(value.as_bytes());
        Some(text.chars().take(MAX_LOGGED_CHARS).collect())
    };
    tracing::info!(
        code,
        origin = text(ORIGIN),
        method = text(ACCESS_CONTROL_REQUEST_METHOD),
        headers = text(ACCESS_CONTROL_REQUEST_HEADERS),
        "refused a CORS preflight; see server.cors_origins and server.cors_headers"
    );
}
