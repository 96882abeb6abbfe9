//! Who may drive the admin API: programs on this machine, and no web page that a developer happens
//! to visit.

use actix_web::{
    Error,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{StatusCode, header},
    middleware::Next,
    web::Data,
};
use bearward::internals::is_loopback;
use bearward_testing::endpoint::JwksEndpoint;
use url::Url;

use super::admin::problem;

/// Refuses a Host that is neither this machine's nor the issuer's own (DNS rebinding) and an Origin
/// that is not loopback (a hostile page).
pub(super) async fn require_loopback_origin(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let origin_is_ours = text(&request, header::ORIGIN)
        .is_none_or(|origin| Url::parse(origin).is_ok_and(|url| is_loopback(&url)));
    if host_is_ours(&request) && origin_is_ours {
        return next
            .call(request)
            .await
            .map(ServiceResponse::map_into_boxed_body);
    }
    let message = "the admin API answers programs on this machine alone: Host and Origin must name 127.0.0.1 or localhost";
    Ok(request.into_response(problem(StatusCode::FORBIDDEN, "ORIGIN_REFUSED", message)))
}

/// For pages that look at the origin of their forms themselves: refuses a rebound name alone.
pub(super) async fn require_known_host(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    if host_is_ours(&request) {
        return next
            .call(request)
            .await
            .map(ServiceResponse::map_into_boxed_body);
    }
    let message = "this page is shown under the development IdP's own names: 127.0.0.1, localhost, or what --base says";
    Ok(request.into_response(problem(StatusCode::FORBIDDEN, "ORIGIN_REFUSED", message)))
}

fn host_is_ours(request: &ServiceRequest) -> bool {
    let listens_on = request.app_config().local_addr().ip().to_string();
    let issuer = request
        .app_data::<Data<JwksEndpoint>>()
        .and_then(|endpoint| Url::parse(&endpoint.issuer()).ok());
    let by_this_name =
        |host: &str| host == listens_on || issuer.as_ref().and_then(Url::host_str) == Some(host);
    let host =
        text(request, header::HOST).and_then(|host| Url::parse(&format!("http://{host}")).ok());
    host.is_some_and(|url| is_loopback(&url) || url.host_str().is_some_and(by_this_name))
}

fn text(request: &ServiceRequest, name: header::HeaderName) -> Option<&str> {
    request
        .headers()
        .get(name)
        .map(|value| value.to_str().unwrap_or("?"))
}
