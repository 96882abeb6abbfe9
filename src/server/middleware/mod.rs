//! All middleware of the server.
//!
//! A request passes through it in this order:
//!
//! | middleware | applies to | does |
//! |---|---|---|
//! | [`track_request`] | all routes | Keeps the connection busy until the response is sent |
//! | [`close_on_unread_body`] | all routes | Closes the connection after the response if the body was not read |
//! | [`ClientCertificates`] | all routes | Determines the certificate of the client |
//! | [`observe`](telemetry::observe) | all routes | Request id, access log, metrics, trace |
//! | [`forward_auth_method`] | all routes | Sets the method of a forward-auth request |
//! | [`security_headers`] | all routes | Adds security headers to the response |
//! | [`preflight_error_body`] | all routes | Adds the error envelope to a rejected CORS preflight |
//! | [`cors`] | all routes | Answers preflights and adds CORS headers |
//! | [`renew_dpop_nonce`] | all routes | Adds a new nonce for proofs to the response |
//! | [`enforce`], [`enforce_before_routing`] | each endpoint, own routes | Panic isolation and request timeout |
//! | [`error_envelope`] | own routes | Replaces the plain-text body of an error by the error envelope |
//! | [`limit_per_address`] | `public_rate_limited` | Rate limit per client address |
//! | [`limit_invalid_tokens`] | endpoints that require a token, back-channel logout, own routes | Rate limit for invalid tokens per client address |
//! | [`Bearward::require`] | endpoints that require a token | Verifies the token and checks the requirement |
//! | [`require_administrator`] | `administration` | Checks that the caller is an administrator |
//! | [`limit_per_user`] | `with_account`, `administration` | Rate limit per user |
//! | [`limit_per_known_user`] | own routes | Verifies the token if there is one; rate limit per user |
//! | [`load_account`] | `with_account`, `administration` | Loads the account, rejects a disabled one |
//! | [`load_account_of_user`] | `with_account_or_service` | The same for users; services have no account |
//!
//! In the code below the order is reversed: the last `wrap`, and the last `next`, is the outermost
//! middleware.

mod account;
mod administrator;
mod client_address;
mod client_certificate;
mod connection;
mod cors;
mod error_envelope;
mod forward_auth;
mod rate_limits;
mod request_limits;
mod security_headers;
mod unread_body;

use std::{rc::Rc, time::Instant};

use actix_web::{
    App, Error, Resource, Scope,
    body::{BoxBody, MessageBody},
    dev::{HttpServiceFactory, ServiceFactory, ServiceRequest, ServiceResponse},
    http::header::HeaderValue,
    middleware::{Next, from_fn},
};
use bearward::{Bearward, Requirement, renew_dpop_nonce};

pub(crate) use self::forward_auth::{FORWARD_AUTH_PATH, ForwardAuthChecked};
use self::{
    account::{load_account, load_account_of_user},
    administrator::require_administrator,
    client_address::TrustedProxies,
    client_certificate::ClientCertificates,
    connection::track_request,
    cors::{cors, preflight_error_body},
    error_envelope::error_envelope,
    forward_auth::forward_auth_method,
    rate_limits::{limit_invalid_tokens, limit_per_address, limit_per_known_user, limit_per_user},
    request_limits::{enforce, enforce_before_routing},
    security_headers::{security_headers, strict_transport_security},
    unread_body::close_on_unread_body,
};
pub use self::{rate_limits::RateLimits, request_limits::RequestLimits};
use super::request_observer::{AnsweredRequest, RequestObserver};
use crate::{
    api::current_user::AnyUser,
    settings::Server,
    telemetry::{self, RequestMetrics},
};

/// Wraps the application in the middleware of all routes.
pub(super) fn wrap_application<T>(
    app: App<T>,
    settings: Server,
    with_credentials: bool,
    observer: Option<RequestObserver>,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl MessageBody + 'static>,
        Error = Error,
        InitError = (),
    >,
>
where
    T: ServiceFactory<
            ServiceRequest,
            Config = (),
            Response = ServiceResponse<BoxBody>,
            Error = Error,
            InitError = (),
            Service: 'static,
        > + 'static,
{
    let steps = Rc::new(Steps::new(&settings, observer));
    app.wrap(from_fn(renew_dpop_nonce))
        .wrap(cors(&settings, with_credentials))
        .wrap(from_fn(move |request, next| {
            Rc::clone(&steps).call(request, next)
        }))
}

/// The middleware of all routes outside of CORS, in one future: `from_fn` for each of them would
/// allocate one future for each per request.
struct Steps {
    proxies: TrustedProxies,
    certificates: ClientCertificates,
    metrics: Rc<RequestMetrics>,
    hsts: Option<HeaderValue>,
    observer: Option<RequestObserver>,
}

impl Steps {
    fn new(settings: &Server, observer: Option<RequestObserver>) -> Self {
        let proxies = TrustedProxies::new(
            settings.trusted_proxies.iter().copied(),
            settings.proxy_headers,
        );
        let header = settings.client_certificate_header.clone();
        Self {
            certificates: ClientCertificates::new(proxies.clone(), header),
            proxies,
            metrics: Rc::default(),
            hsts: strict_transport_security(settings.tls.as_ref()),
            observer,
        }
    }

    async fn call(
        self: Rc<Self>,
        request: ServiceRequest,
        next: Next<impl MessageBody + 'static>,
    ) -> Result<ServiceResponse<impl MessageBody>, Error> {
        let next = async |request| next.call(request).await;
        let next = async |request| preflight_error_body(request, next).await;
        let next = async |request| security_headers(self.hsts.as_ref(), request, next).await;
        let next = async |request: ServiceRequest| {
            let is_gateway = self.proxies.is_trusted_peer(request.peer_addr());
            forward_auth_method(is_gateway, request, next).await
        };
        let next = async |request: ServiceRequest| {
            let continues_trace = self.proxies.is_trusted_peer(request.peer_addr());
            let client = self.proxies.client_address(request.request());
            self.certificates.store(request.request());
            let metrics = Rc::clone(&self.metrics);
            let report = self.observer.as_ref().map(|observer| {
                let (method, route) = (request.method().clone(), request.match_pattern());
                (observer, method, route, Instant::now())
            });
            let result = telemetry::observe(metrics, continues_trace, client, request, next).await;
            if let Some((observer, method, route, started)) = report {
                let elapsed = started.elapsed();
                observer(AnsweredRequest::new(method, route, elapsed, &result));
            }
            result
        };
        let next = async |request| close_on_unread_body(request, next).await;
        track_request(request, next).await
    }
}

/// Wraps an endpoint that requires no token.
pub(crate) fn public(endpoint: Resource, limits: RequestLimits) -> impl HttpServiceFactory {
    endpoint.wrap(from_fn(move |request, next| enforce(limits, request, next)))
}

/// Wraps an endpoint that requires no token and limits unsafe requests per client address.
pub(crate) fn public_rate_limited(
    endpoint: Resource,
    limits: RequestLimits,
) -> impl HttpServiceFactory {
    endpoint
        .wrap(from_fn(limit_per_address))
        .wrap(from_fn(move |request, next| enforce(limits, request, next)))
}

/// Wraps an endpoint that requires no access token, and limits the invalid tokens in its requests per
/// client address.
pub(crate) fn public_invalid_tokens_limited(
    endpoint: Resource,
    limits: RequestLimits,
) -> impl HttpServiceFactory {
    endpoint
        .wrap(from_fn(limit_invalid_tokens))
        .wrap(from_fn(move |request, next| enforce(limits, request, next)))
}

/// Wraps an endpoint that requires a token that meets `R` and uses no account.
pub(crate) fn authenticated<R: Requirement>(
    endpoint: Resource,
    limits: RequestLimits,
    auth: &Bearward,
) -> impl HttpServiceFactory + use<R> {
    endpoint
        .wrap(auth.require::<R>())
        .wrap(from_fn(limit_invalid_tokens))
        .wrap(from_fn(move |request, next| enforce(limits, request, next)))
}

/// Wraps an endpoint that requires an active account whose token meets `R`.
pub(crate) fn with_account<R: Requirement>(
    endpoint: Resource,
    limits: RequestLimits,
    auth: &Bearward,
) -> impl HttpServiceFactory + use<R> {
    endpoint
        .wrap(from_fn(load_account))
        .wrap(from_fn(limit_per_user))
        .wrap(auth.require::<R>())
        .wrap(from_fn(limit_invalid_tokens))
        .wrap(from_fn(move |request, next| enforce(limits, request, next)))
}

/// Wraps an endpoint that requires an active account of an administrator.
pub(crate) fn administration(
    endpoint: Resource,
    limits: RequestLimits,
    auth: &Bearward,
) -> impl HttpServiceFactory + use<> {
    endpoint
        .wrap(from_fn(load_account))
        .wrap(from_fn(limit_per_user))
        .wrap(from_fn(require_administrator))
        .wrap(auth.require::<AnyUser>())
        .wrap(from_fn(limit_invalid_tokens))
        .wrap(from_fn(move |request, next| enforce(limits, request, next)))
}

/// Wraps an endpoint like [`with_account`], but accepts services too and has no rate limit per user.
pub(crate) fn with_account_or_service<R: Requirement>(
    endpoint: Resource,
    limits: RequestLimits,
    auth: &Bearward,
) -> impl HttpServiceFactory + use<R> {
    endpoint
        .wrap(from_fn(load_account_of_user))
        .wrap(auth.require::<R>().services())
        .wrap(from_fn(limit_invalid_tokens))
        .wrap(from_fn(move |request, next| enforce(limits, request, next)))
}

/// Wraps the routes of a team. Which of them require a token is known only to their handlers and
/// guards.
pub(super) fn own_routes(scope: Scope, limits: RequestLimits) -> impl HttpServiceFactory {
    scope
        .wrap(from_fn(limit_per_known_user))
        .wrap(from_fn(limit_invalid_tokens))
        .wrap(from_fn(error_envelope))
        .wrap(from_fn(move |request, next| {
            enforce_before_routing(limits, request, next)
        }))
}
