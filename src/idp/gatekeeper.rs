//! Who may drive the admin API: programs on this machine, and no web page that a developer happens to visit.

use actix_web::{
    Error,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{StatusCode, header},
    middleware::Next,
    web::Data,
};
use url::Url;

use super::admin::problem;
use crate::testing::endpoint::Endpoint;

/// Refuses a Host that is neither this machine's nor the issuer's own (DNS rebinding) and an Origin that is not loopback (a hostile page).
pub(super) async fn keep_strangers_out(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let text = |name| request.headers().get(name).map(|value| value.to_str().unwrap_or("?").to_owned());
    let listens_on = request.app_config().local_addr().ip().to_string();
    let issuer = request.app_data::<Data<Endpoint>>().and_then(|endpoint| Url::parse(&endpoint.issuer()).ok());
    let by_this_name = |host: &str| host == listens_on || issuer.as_ref().and_then(Url::host_str) == Some(host);
    let host = text(header::HOST).and_then(|host| Url::parse(&format!("http://{host}")).ok());
    let host_is_ours = host.is_some_and(|url| is_loopback(&url) || url.host_str().is_some_and(by_this_name));
    let origin_is_ours = text(header::ORIGIN).is_none_or(|origin| Url::parse(&origin).is_ok_and(|url| is_loopback(&url)));
    if host_is_ours && origin_is_ours {
        return next.call(request).await.map(ServiceResponse::map_into_boxed_body);
    }
    let message = "the admin API answers programs on this machine alone: Host and Origin must name 127.0.0.1 or localhost";
    Ok(request.into_response(problem(StatusCode::FORBIDDEN, "ORIGIN_REFUSED", message)))
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_are_loopback() {
        for ours in ["http://127.0.0.1:9999", "http://localhost", "http://[::1]:1"] {
            assert!(is_loopback(&Url::parse(ours).unwrap()), "{ours}");
        }
        for theirs in ["http://evil.example", "http://localhost.evil.example", "http://10.0.0.1", "http://0.0.0.0"] {
            assert!(!is_loopback(&Url::parse(theirs).unwrap()), "{theirs}");
        }
    }
}
