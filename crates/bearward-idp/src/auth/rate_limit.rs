//! The simulated rate limit: while it is on, the requests that the hosted service limits by address
//! are answered with 429.

use std::sync::atomic::{AtomicBool, Ordering};

use actix_web::{
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::Method,
    middleware::Next,
    web::Data,
};
use bearward_testing::endpoint::ISSUER_PATH;

use super::{error::AuthApiError, service::AuthService};

/// Whether the rate limit is reached. Nothing is counted: all users of a development IdP have the same
/// address, so that tests would reach the limits of the hosted service by themselves.
#[derive(Debug, Default)]
pub(crate) struct RateLimit(AtomicBool);

impl RateLimit {
    pub(crate) fn is_reached(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }

    pub(crate) fn set_reached(&self, is_reached: bool) {
        self.0.store(is_reached, Ordering::SeqCst);
    }
}

/// Middleware that answers limited requests with 429 `over_request_rate_limit` while the limit is
/// reached.
pub(crate) async fn enforce(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let is_reached = request
        .app_data::<Data<AuthService>>()
        .is_some_and(|auth| auth.rate_limit.is_reached());
    if is_reached && is_limited(request.method(), request.path()) {
        return Ok(request.error_response(AuthApiError::new(
            429,
            "over_request_rate_limit",
            "Request rate limit reached",
        )));
    }
    next.call(request)
        .await
        .map(ServiceResponse::map_into_boxed_body)
}

/// Whether the hosted service limits requests with this method and path.
fn is_limited(method: &Method, path: &str) -> bool {
    let path = path.strip_prefix(ISSUER_PATH).unwrap_or(path);
    let path = path.strip_suffix('/').unwrap_or(path);
    match *method {
        Method::GET => path == "/verify",
        Method::PUT => path == "/user",
        Method::POST => {
            matches!(
                path,
                "/magiclink"
                    | "/oauth/clients/register"
                    | "/otp"
                    | "/recover"
                    | "/resend"
                    | "/signup"
                    | "/sso"
                    | "/token"
                    | "/verify"
            ) || path
                .strip_prefix("/factors/")
                .and_then(|rest| rest.split_once('/'))
                .is_some_and(|(_, action)| matches!(action, "challenge" | "verify"))
        }
        _ => false,
    }
}
