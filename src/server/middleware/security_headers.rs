//! Security headers of every response.

use actix_web::{
    Error,
    dev::{ServiceRequest, ServiceResponse},
    http::header::{self, HeaderMap, HeaderName, HeaderValue},
};

use crate::settings::Tls;

/// Framing, content sniffing, script execution and caching are forbidden.
const HEADERS: [(HeaderName, &str); 4] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::CACHE_CONTROL, "no-store"),
    (header::REFERRER_POLICY, "no-referrer"),
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; frame-ancestors 'none'",
    ),
];

/// Adds the headers to the response, also to that of an error of an inner middleware. A header that
/// a handler sets takes precedence.
///
/// # Errors
/// Passes on errors of the inner service.
pub(super) async fn security_headers<B>(
    hsts: Option<&HeaderValue>,
    request: ServiceRequest,
    next: impl AsyncFnOnce(ServiceRequest) -> Result<ServiceResponse<B>, Error>,
) -> Result<ServiceResponse<B>, Error> {
    match next(request).await {
        Ok(mut response) => {
            add_missing(response.headers_mut(), hsts);
            Ok(response)
        }
        Err(mut error) => {
            let hsts = hsts.cloned();
            error.add_response_mapper(move |mut response| {
                add_missing(response.headers_mut(), hsts.as_ref());
                response
            });
            Err(error)
        }
    }
}

/// Returns the value of `Strict-Transport-Security` (RFC 6797) for a listener; `None` if it is off.
///
/// It is off by default, because it applies to every service and port of the host and cannot be taken
/// back. Behind a proxy that terminates TLS, the proxy sends it.
pub(super) fn strict_transport_security(tls: Option<&Tls>) -> Option<HeaderValue> {
    let max_age = tls?.hsts_max_age.as_secs();
    if max_age == 0 {
        return None;
    }
    HeaderValue::try_from(format!("max-age={max_age}")).ok()
}

fn add_missing(headers: &mut HeaderMap, hsts: Option<&HeaderValue>) {
    if let Some(hsts) = hsts {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, hsts.clone());
    }
    for (name, value) in HEADERS {
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
}
