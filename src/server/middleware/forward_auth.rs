//! Sets the method of a forward-auth request before CORS and authentication see it.

use actix_web::{
    Error, HttpMessage,
    dev::{ServiceRequest, ServiceResponse},
    http::{
        Method,
        header::{HeaderMap, HeaderName, HeaderValue, ORIGIN},
    },
};
use bearward::OriginalRequest;

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
/// A proof of possession (RFC 9449) is made for the original request. Its method and URL are read
/// from `X-Forwarded-Method`, `X-Forwarded-Proto`, `X-Forwarded-Host` and `X-Forwarded-Uri` if
/// `is_gateway`: the peer is a trusted proxy. Otherwise no proof fits.
///
/// # Errors
/// Passes on errors of the inner service.
pub(super) async fn forward_auth_method<B>(
    is_gateway: bool,
    mut request: ServiceRequest,
    next: impl AsyncFnOnce(ServiceRequest) -> Result<ServiceResponse<B>, Error>,
) -> Result<ServiceResponse<B>, Error> {
    if request.match_info().unprocessed() == FORWARD_AUTH_PATH {
        let mut methods = request.headers().get_all(FORWARDED_METHOD);
        let original = methods
            .next()
            .filter(|_| methods.next().is_none())
            .map(HeaderValue::as_bytes);
        if is_gateway && let Some(original) = original_request(request.headers()) {
            original.store_in(request.request());
        }
        let is_safe =
            matches!(original, Some(b"GET" | b"HEAD")) && !request.headers().contains_key(ORIGIN);
        request.head_mut().method = if is_safe { Method::GET } else { Method::POST };
        request.extensions_mut().insert(ForwardAuthChecked);
    }
    next(request).await
}

/// Returns the request that a gateway has received; `None` unless each header is present once.
fn original_request(headers: &HeaderMap) -> Option<OriginalRequest> {
    let only = |name: &str| {
        let mut values = headers.get_all(name);
        let value = values.next().filter(|_| values.next().is_none())?;
        value.to_str().ok().filter(|text| !text.contains(','))
    };
    let host = only("x-forwarded-host").filter(|host| !host.contains(['/', '?', '#', '@']))?;
    let mut targets = headers.get_all("x-forwarded-uri");
    let target = targets.next().filter(|_| targets.next().is_none())?;
    let target = target.to_str().ok().filter(|uri| uri.starts_with('/'))?;
    let url = format!("{}://{host}{target}", only("x-forwarded-proto")?);
    Some(OriginalRequest::new(only("x-forwarded-method")?, url))
}
