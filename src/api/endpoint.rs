//! Builds one endpoint: a path, its methods and who may call it.

use std::time::Duration;

use actix_web::{
    FromRequest, Handler, Resource, Responder, Route,
    http::header::HeaderValue,
    web::{self, ServiceConfig},
};
use bearward::{Bearward, Requirement, allow_methods, get_or_head};

use crate::server::middleware::{self, RequestLimits};

/// A path under construction.
pub(super) struct Endpoint {
    resource: Resource,
    methods: Vec<&'static str>,
    timeout: Option<Duration>,
}

/// Starts an endpoint for one path.
pub(super) fn endpoint(path: &str) -> Endpoint {
    web::resource(path).into()
}

/// Starts an endpoint for a resource with several paths.
impl From<Resource> for Endpoint {
    fn from(resource: Resource) -> Self {
        Self {
            resource,
            methods: Vec::new(),
            timeout: None,
        }
    }
}

impl Endpoint {
    /// Handles GET and HEAD (RFC 9110 §9.3.2).
    pub(super) fn get<H: Handler<A, Output: Responder + 'static>, A: FromRequest + 'static>(
        self,
        handler: H,
    ) -> Self {
        self.method("GET, HEAD", get_or_head().to(handler))
    }

    /// Handles POST.
    pub(super) fn post<H: Handler<A, Output: Responder + 'static>, A: FromRequest + 'static>(
        self,
        handler: H,
    ) -> Self {
        self.method("POST", web::post().to(handler))
    }

    /// Handles PATCH.
    pub(super) fn patch<H: Handler<A, Output: Responder + 'static>, A: FromRequest + 'static>(
        self,
        handler: H,
    ) -> Self {
        self.method("PATCH", web::patch().to(handler))
    }

    /// Handles DELETE.
    pub(super) fn delete<H: Handler<A, Output: Responder + 'static>, A: FromRequest + 'static>(
        self,
        handler: H,
    ) -> Self {
        self.method("DELETE", web::delete().to(handler))
    }

    /// Handles every method.
    pub(super) fn any<H: Handler<A, Output: Responder + 'static>, A: FromRequest + 'static>(
        self,
        handler: H,
    ) -> Self {
        self.method("", web::route().to(handler))
    }

    /// Replaces `server.request_timeout` for this endpoint.
    pub(super) fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Mounts the endpoint without authentication.
    pub(super) fn public(self, config: &mut ServiceConfig, limits: RequestLimits) {
        let limits = self.limits(limits);
        config.service(middleware::public(self.into_resource(), limits));
    }

    /// Mounts the endpoint without authentication, with a rate limit per client address.
    pub(super) fn public_rate_limited(self, config: &mut ServiceConfig, limits: RequestLimits) {
        let limits = self.limits(limits);
        config.service(middleware::public_rate_limited(
            self.into_resource(),
            limits,
        ));
    }

    /// Mounts the endpoint without authentication. Rejections with a
    /// [`RejectionLog`](bearward::RejectionLog) count against the limit of invalid tokens.
    pub(super) fn public_invalid_tokens_limited(
        self,
        config: &mut ServiceConfig,
        limits: RequestLimits,
    ) {
        let limits = self.limits(limits);
        config.service(middleware::public_invalid_tokens_limited(
            self.into_resource(),
            limits,
        ));
    }

    /// Mounts the endpoint for tokens that meet `R`. No account is loaded and valid tokens are not
    /// rate-limited.
    pub(super) fn authenticated<R: Requirement>(
        self,
        config: &mut ServiceConfig,
        limits: RequestLimits,
        auth: &Bearward,
    ) {
        let limits = self.limits(limits);
        config.service(middleware::authenticated::<R>(
            self.into_resource(),
            limits,
            auth,
        ));
    }

    /// Mounts the endpoint for active accounts whose token meets `R`. Handlers may extract
    /// [`CurrentUser`](super::current_user::CurrentUser).
    pub(super) fn with_account<R: Requirement>(
        self,
        config: &mut ServiceConfig,
        limits: RequestLimits,
        auth: &Bearward,
    ) {
        let limits = self.limits(limits);
        config.service(middleware::with_account::<R>(
            self.into_resource(),
            limits,
            auth,
        ));
    }

    /// Mounts the endpoint for active accounts of administrators, which `[admin]` of the
    /// configuration defines.
    pub(super) fn administration(
        self,
        config: &mut ServiceConfig,
        limits: RequestLimits,
        auth: &Bearward,
    ) {
        let limits = self.limits(limits);
        config.service(middleware::administration(
            self.into_resource(),
            limits,
            auth,
        ));
    }

    /// Mounts the endpoint like [`with_account`](Self::with_account), for services too, and without
    /// the rate limit per user: a gateway sends one forward-auth request for every file of a page.
    pub(super) fn with_account_or_service<R: Requirement>(
        self,
        config: &mut ServiceConfig,
        limits: RequestLimits,
        auth: &Bearward,
    ) {
        let limits = self.limits(limits);
        config.service(middleware::with_account_or_service::<R>(
            self.into_resource(),
            limits,
            auth,
        ));
    }

    /// Adds a route for the methods, which are written as in the `Allow` header.
    fn method(mut self, methods: &'static str, route: Route) -> Self {
        self.methods.push(methods);
        self.resource = self.resource.route(route);
        self
    }

    fn limits(&self, limits: RequestLimits) -> RequestLimits {
        RequestLimits {
            timeout: self.timeout.unwrap_or(limits.timeout),
            ..limits
        }
    }

    /// Finishes the resource: other methods are answered with 405.
    fn into_resource(self) -> Resource {
        let allow = HeaderValue::try_from(self.methods.join(", "))
            .unwrap_or(HeaderValue::from_static("GET, HEAD"));
        allow_methods(allow, self.resource)
    }
}
