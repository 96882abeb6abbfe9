//! What lies around every route: browsers told who may call, and what not to do with the answers.

use actix_cors::Cors;
use actix_web::{
    http::{Method, header},
    middleware::DefaultHeaders,
};

use crate::config::CorsOrigin;

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

/// An API's answers are no documents: nothing in them is to be framed, sniffed, run or, unless a route says so, kept.
pub(super) fn security_headers() -> DefaultHeaders {
    DefaultHeaders::new()
        .add((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .add((header::CACHE_CONTROL, "no-store"))
        .add((header::REFERRER_POLICY, "no-referrer"))
        .add((header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"))
}
