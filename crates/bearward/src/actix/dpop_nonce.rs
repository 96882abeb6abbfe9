//! Nonces in successful responses (RFC 9449 §8.2).

use actix_web::{
    Error, HttpMessage, HttpRequest,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::header::{HeaderName, HeaderValue},
    middleware::Next,
};

const DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");

/// The nonce for the response of a request, in its extensions.
struct NextNonce(HeaderValue);

/// Stores the nonce for the response of a request.
pub(super) fn set_next_nonce(request: &HttpRequest, nonce: &str) {
    if let Ok(nonce) = HeaderValue::from_str(nonce) {
        request.extensions_mut().insert(NextNonce(nonce));
    }
}

/// Adds the nonce of the request to its response.
pub(super) fn add_next_nonce<B>(mut response: ServiceResponse<B>) -> ServiceResponse<B> {
    let nonce = response.request().extensions_mut().remove::<NextNonce>();
    if let Some(NextNonce(nonce)) = nonce {
        response.headers_mut().insert(DPOP_NONCE, nonce);
    }
    response
}

/// A middleware that gives clients a new nonce before theirs ends (RFC 9449 §8.2), for routes
/// without a [`Guard`](crate::Guard), which does the same. Without it clients still get a new nonce
/// with the rejection of the old one.
///
/// ```
/// use actix_web::{App, middleware::from_fn};
///
/// let app = App::new().wrap(from_fn(bearward::renew_dpop_nonce));
/// ```
///
/// # Errors
/// Passes on errors of the inner service.
pub async fn renew_dpop_nonce<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    next.call(request).await.map(add_next_nonce)
}
