//! What lies around every route: browsers told who may call, and what not to do with the answers.

use actix_cors::{Cors, CorsError};
use actix_web::{
    Error, ResponseError,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{Method, StatusCode, header},
    middleware::{DefaultHeaders, Next},
};

use crate::{api::Problem, config::CorsOrigin};

/// The configured origins and no other; credentials only where a cookie may hold a token.
pub(super) fn cors(origins: &[CorsOrigin], with_credentials: bool) -> Cors {
    let cors = Cors::default()
        .allowed_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allowed_headers(["authorization", "content-type", "x-request-id", "idempotency-key"])
        .expose_headers(["www-authenticate", "x-request-id", "retry-after", "idempotency-replayed"])
        .max_age(3600);
    let cors = origins.iter().fold(cors, |cors, origin| cors.allowed_origin(origin.as_str()));
    if with_credentials { cors.supports_credentials() } else { cors }
}

/// A middleware around [`cors`]: a preflight request that it refuses is answered with the envelope, as everything else is.
pub(super) async fn refused_preflight(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let response = next.call(request).await?.map_into_boxed_body();
    let refusal = response.response().error().and_then(Error::as_error::<CorsError>);
    let (status, code, message) = match refusal {
        None => return Ok(response),
        Some(CorsError::OriginNotAllowed) => (
            StatusCode::FORBIDDEN,
            "ORIGIN_REFUSED",
            "pages of this origin may not call this server; the operator lists those that may",
        ),
        Some(_) => {
            (StatusCode::BAD_REQUEST, "INVALID_REQUEST", "pages may not call this server with this method or these headers")
        }
    };
    let problem = Problem::new(response.request(), status, code, message);
    Ok(response.into_response(problem.error_response()))
}

/// An API's answers are no documents: nothing in them is to be framed, sniffed, run or, unless a route says so, kept.
pub(super) fn security_headers() -> DefaultHeaders {
    DefaultHeaders::new()
        .add((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .add((header::CACHE_CONTROL, "no-store"))
        .add((header::REFERRER_POLICY, "no-referrer"))
        .add((header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"))
}
