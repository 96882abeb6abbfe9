//! CORS rules and the error body of a rejected preflight request.

use actix_cors::{Cors, CorsError};
use actix_web::{
    Error, ResponseError,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{Method, StatusCode},
    middleware::Next,
};

use crate::{api::error::ApiError, settings::CorsOrigin};

/// Allows the configured origins. Credentials are allowed only if a cookie may carry a token.
pub(in crate::server) fn cors(origins: &[CorsOrigin], with_credentials: bool) -> Cors {
    let cors = Cors::default()
        .allowed_methods([
            Method::GET,
            Method::POST,
            Method::PUT,
            Method::PATCH,
            Method::DELETE,
        ])
        .allowed_headers([
            "authorization",
            "content-type",
            "x-request-id",
            "idempotency-key",
        ])
        .expose_headers([
            "www-authenticate",
            "x-request-id",
            "retry-after",
            "idempotency-replayed",
        ])
        .max_age(3600);
    let cors = origins
        .iter()
        .fold(cors, |cors, origin| cors.allowed_origin(origin.as_str()));
    if with_credentials {
        cors.supports_credentials()
    } else {
        cors
    }
}

/// Replaces the plain-text body of a preflight rejected by [`cors`] with the error envelope.
pub(super) async fn preflight_error_body(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let response = next.call(request).await?.map_into_boxed_body();
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
            "this method or these headers are not allowed for cross-origin requests",
        ),
    };
    let error = ApiError::new(response.request(), status, code, message);
    Ok(response.into_response(error.error_response()))
}
