//! One path: its methods, who may call them, and what holds for all of them.

use std::{future::ready, time::Duration};

use actix_web::{
    FromRequest, Handler, HttpRequest, HttpResponse, Resource, Responder, ResponseError, Route,
    guard,
    http::{
        StatusCode,
        header::{ALLOW, HeaderValue},
    },
    middleware::from_fn,
    web::{self, ServiceConfig},
};
use bearward::{Bearward, Requirement};

use super::{
    ApiError, Limits, current_user, limits,
    rate_limits::{count_refusals, limit_address, limit_user},
};

/// A path under construction.
pub(super) struct Endpoint {
    resource: Resource,
    methods: Vec<&'static str>,
    time: Option<Duration>,
}

/// A path.
pub(super) fn at(path: &str) -> Endpoint {
    web::resource(path).into()
}

/// Several paths that mean the same.
impl From<Resource> for Endpoint {
    fn from(resource: Resource) -> Self {
        Self {
            resource,
            methods: Vec::new(),
            time: None,
        }
    }
}

impl Endpoint {
    /// GET, and HEAD, which is the same without the body (RFC 9110 §9.3.2).
    pub(super) fn get<H: Handler<A, Output: Responder + 'static>, A: FromRequest + 'static>(
        self,
        handler: H,
    ) -> Self {
        self.on(
            "GET, HEAD",
            web::route()
                .guard(guard::Any(guard::Get()).or(guard::Head()))
                .to(handler),
        )
    }

    pub(super) fn post<H: Handler<A, Output: Responder + 'static>, A: FromRequest + 'static>(
        self,
        handler: H,
    ) -> Self {
        self.on("POST", web::post().to(handler))
    }

    pub(super) fn patch<H: Handler<A, Output: Responder + 'static>, A: FromRequest + 'static>(
        self,
        handler: H,
    ) -> Self {
        self.on("PATCH", web::patch().to(handler))
    }

    pub(super) fn delete<H: Handler<A, Output: Responder + 'static>, A: FromRequest + 'static>(
        self,
        handler: H,
    ) -> Self {
        self.on("DELETE", web::delete().to(handler))
    }

    /// Every method there is.
    pub(super) fn any<H: Handler<A, Output: Responder + 'static>, A: FromRequest + 'static>(
        self,
        handler: H,
    ) -> Self {
        self.on("", web::route().to(handler))
    }

    /// Its answer may take this long to begin, in place of `server.request_timeout`.
    pub(super) fn within(mut self, time: Duration) -> Self {
        self.time = Some(time);
        self
    }

    /// Mounts it for everybody.
    pub(super) fn public(self, config: &mut ServiceConfig, limits: Limits) {
        let limits = self.limits(limits);
        config.service(self.whole().wrap(from_fn(move |request, next| {
            limits::enforce(limits, request, next)
        })));
    }

    /// Mounts it for everybody, so often for each client address.
    pub(super) fn public_rate_limited(self, config: &mut ServiceConfig, limits: Limits) {
        let limits = self.limits(limits);
        let limited = self.whole().wrap(from_fn(limit_address));
        config.service(limited.wrap(from_fn(move |request, next| {
            limits::enforce(limits, request, next)
        })));
    }

    // What is wrapped last is outermost: the limits of the server, what counts refused tokens, who
    // somebody is, how often they may ask, whether the account may be used, and only then
    // methods and bodies.

    /// Mounts it for whoever holds a token that meets `R`; no account is looked at, and nobody's
    /// requests are counted.
    pub(super) fn authenticated<R: Requirement>(
        self,
        config: &mut ServiceConfig,
        limits: Limits,
        auth: &Bearward,
    ) {
        let limits = self.limits(limits);
        let guarded = self
            .whole()
            .wrap(auth.require::<R>())
            .wrap(from_fn(count_refusals));
        config.service(guarded.wrap(from_fn(move |request, next| {
            limits::enforce(limits, request, next)
        })));
    }

    /// As [`with_account`](Self::with_account), however often they ask: a gateway asks about every
    /// file of a page.
    pub(super) fn with_account_unlimited<R: Requirement>(
        self,
        config: &mut ServiceConfig,
        limits: Limits,
        auth: &Bearward,
    ) {
        let limits = self.limits(limits);
        let admitted = self.whole().wrap(from_fn(current_user::enter));
        let guarded = admitted
            .wrap(auth.require::<R>())
            .wrap(from_fn(count_refusals));
        config.service(guarded.wrap(from_fn(move |request, next| {
            limits::enforce(limits, request, next)
        })));
    }

    /// Mounts it for the active accounts of tokens that meet `R`. Handlers may ask for a
    /// [`CurrentUser`](current_user::CurrentUser).
    pub(super) fn with_account<R: Requirement>(
        self,
        config: &mut ServiceConfig,
        limits: Limits,
        auth: &Bearward,
    ) {
        let limits = self.limits(limits);
        let admitted = self
            .whole()
            .wrap(from_fn(current_user::enter))
            .wrap(from_fn(limit_user));
        let guarded = admitted
            .wrap(auth.require::<R>())
            .wrap(from_fn(count_refusals));
        config.service(guarded.wrap(from_fn(move |request, next| {
            limits::enforce(limits, request, next)
        })));
    }

    fn on(mut self, methods: &'static str, route: Route) -> Self {
        self.methods.push(methods);
        self.resource = self.resource.route(route);
        self
    }

    fn limits(&self, limits: Limits) -> Limits {
        Limits {
            time: self.time.unwrap_or(limits.time),
            ..limits
        }
    }

    fn whole(self) -> Resource {
        let allow = HeaderValue::try_from(self.methods.join(", "))
            .unwrap_or(HeaderValue::from_static("GET, HEAD"));
        self.resource
            .default_service(web::to(move |request: HttpRequest| {
                ready(method_not_allowed(&request, allow.clone()))
            }))
    }
}

/// RFC 9110 §15.5.6.
fn method_not_allowed(request: &HttpRequest, allow: HeaderValue) -> HttpResponse {
    let message = "this path does not answer this method; the Allow header names those it answers";
    let mut response = ApiError::new(
        request,
        StatusCode::METHOD_NOT_ALLOWED,
        "METHOD_NOT_ALLOWED",
        message,
    )
    .error_response();
    response.headers_mut().insert(ALLOW, allow);
    response
}
