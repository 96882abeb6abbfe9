//! Middleware that restricts the admin API to programs on this machine, so that a web page the
//! developer visits cannot use it.

use actix_web::{
    Error,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{StatusCode, header},
    middleware::Next,
    web::Data,
};
use bearward::keys::is_loopback;
use bearward_testing::endpoint::JwksEndpoint;
use url::Url;

use crate::error::error_response;

/// Rejects requests whose `Host` is neither a loopback name nor the issuer's host (DNS rebinding),
/// or whose `Origin` is not loopback (cross-site requests).
///
/// # Security
/// Requests without `Origin` are accepted: programs other than browsers do not send it.
pub(crate) async fn require_loopback_origin(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let is_local_origin = header_text(&request, header::ORIGIN)
        .is_none_or(|origin| Url::parse(origin).is_ok_and(|url| is_loopback(&url)));
    if has_known_host(&request) && is_local_origin {
        return next
            .call(request)
            .await
            .map(ServiceResponse::map_into_boxed_body);
    }
    let message = "the admin API accepts only local requests; Host and Origin must be 127.0.0.1 or \
                   localhost";
    Ok(request.into_response(error_response(
        StatusCode::FORBIDDEN,
        "ORIGIN_REFUSED",
        message,
    )))
}

/// Rejects requests with an unknown `Host`, for pages that check the `Origin` of their forms
/// themselves.
pub(crate) async fn require_known_host(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    if has_known_host(&request) {
        return next
            .call(request)
            .await
            .map(ServiceResponse::map_into_boxed_body);
    }
    let message = "unknown host; use 127.0.0.1, localhost or the host of --base";
    Ok(request.into_response(error_response(
        StatusCode::FORBIDDEN,
        "ORIGIN_REFUSED",
        message,
    )))
}

/// Whether `Host` is a loopback name, the address that the server listens on, or the issuer's host.
fn has_known_host(request: &ServiceRequest) -> bool {
    let listen_address = request.app_config().local_addr().ip().to_string();
    let issuer = request
        .app_data::<Data<JwksEndpoint>>()
        .and_then(|endpoint| Url::parse(&endpoint.issuer()).ok());
    let is_own_name = |host: &str| {
        host == listen_address || issuer.as_ref().and_then(Url::host_str) == Some(host)
    };
    let host = header_text(request, header::HOST)
        .and_then(|host| Url::parse(&format!("http://{host}")).ok());
    host.is_some_and(|url| is_loopback(&url) || url.host_str().is_some_and(is_own_name))
}

/// The header's value; `?` if it is not ASCII, which no rule accepts.
fn header_text(request: &ServiceRequest, name: header::HeaderName) -> Option<&str> {
    request
        .headers()
        .get(name)
        .map(|value| value.to_str().unwrap_or("?"))
}
