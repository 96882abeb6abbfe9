//! Sets the method of a forward-auth request before CORS and authentication see it.

use actix_web::{
    Error, HttpMessage,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::{
        Method,
        header::{HeaderName, HeaderValue, ORIGIN},
    },
    middleware::Next,
};

/// The path that gateways send forward-auth requests to.
pub(crate) const FORWARD_AUTH_PATH: &str = "/api/auth/verify";

const FORWARDED_METHOD: HeaderName = HeaderName::from_static("x-forwarded-method");

/// A marker in the request's extensions: the request passed through [`forward_auth_method`].
pub(crate) struct ForwardAuthChecked;

/// Replaces the method of a forward-auth request by POST, or by GET if the original request is
/// safe.
///
/// The original request is safe if the only `X-Forwarded-Method` is GET or HEAD and there is no
/// `Origin`, which a cross-site `WebSocket` handshake would carry.
///
/// This middleware must be outside of CORS and authentication:
/// - A gateway may forward a preflight with its method. The CORS middleware would answer it with
///   200 before the token is checked.
/// - Most gateways send GET for every original method. A token in a cookie would then be accepted
///   without the `Origin` check of unsafe methods (see [`CookieSource`](bearward::CookieSource)).
///
/// A client can set `X-Forwarded-Method` itself, but a cross-site attacker, against whom the
/// `Origin` check protects, cannot.
///
/// # Errors
/// Passes on errors of the inner service.
pub(super) async fn forward_auth_method<B: MessageBody + 'static>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    if request.match_info().unprocessed() == FORWARD_AUTH_PATH {
        let mut methods = request.headers().get_all(FORWARDED_METHOD);
        let original = methods
            .next()
            .filter(|_| methods.next().is_none())
            .map(HeaderValue::as_bytes);
        let is_safe =
            matches!(original, Some(b"GET" | b"HEAD")) && !request.headers().contains_key(ORIGIN);
        request.head_mut().method = if is_safe { Method::GET } else { Method::POST };
        request.extensions_mut().insert(ForwardAuthChecked);
    }
    next.call(request).await
}
