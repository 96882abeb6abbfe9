//! Every route of the server, on one screen.

mod client_address;
mod health;
mod limits;
mod metadata;
mod problem;
mod protected;
mod rate_limits;
mod verify;

use actix_web::{
    Resource, Route,
    dev::HttpServiceFactory,
    guard,
    middleware::from_fn,
    web::{self, ServiceConfig},
};

pub use self::{
    client_address::TrustedProxies,
    health::Health,
    limits::Limits,
    metadata::Metadata,
    problem::Problem,
    rate_limits::{RateLimits, UserKey, count_refusals, limit_address},
    verify::as_forwarded,
};

/// Mounts the routes. They need [`Bearward`](crate::Bearward), [`Health`], [`Metadata`] and [`RateLimits`] in the application's data,
/// and [`as_forwarded`] around the application.
pub fn routes(config: &mut ServiceConfig, limits: Limits) {
    const METADATA: [&str; 2] = ["/.well-known/oauth-protected-resource", "/.well-known/oauth-protected-resource/{resource:.*}"];
    // For whoever holds a token.
    config.service(bearer(web::resource("/protected"), get().to(protected::protected), limits)).service(bearer(
        web::resource(verify::PATH),
        web::to(verify::verify),
        limits,
    ));
    let mut at = |resource, route| {
        config.service(only(resource, route, limits));
    };
    // For everybody.
    at(web::resource("/health"), get().to(health::health));
    at(web::resource("/livez"), get().to(health::live));
    at(web::resource("/readyz"), get().to(health::ready));
    at(web::resource(METADATA), get().to(metadata::metadata));

    config
        .app_data(web::JsonConfig::default().limit(limits.body).error_handler(problem::json))
        .app_data(web::QueryConfig::default().error_handler(problem::query))
        .app_data(web::PathConfig::default().error_handler(problem::path))
        .default_service(web::to(problem::not_found));
}

/// `/metrics`, which moves to a listener of its own when `server.admin_bind` is set.
pub fn metrics(config: &mut ServiceConfig, limits: Limits) {
    config.service(only(web::resource("/metrics"), get().to(health::metrics), limits));
}

/// A resource with one route, within the limits; any other method is answered with 405 and `Allow`.
fn only(resource: Resource, route: Route, limits: Limits) -> impl HttpServiceFactory {
    let resource = resource.route(route).default_service(web::to(problem::method_not_allowed));
    resource.wrap(from_fn(move |request, next| limits::keep_to(limits, request, next)))
}

/// The same, and tokens that are refused count against the address that they come from.
fn bearer(resource: Resource, route: Route, limits: Limits) -> impl HttpServiceFactory {
    let resource = resource.route(route).default_service(web::to(problem::method_not_allowed));
    resource.wrap(from_fn(count_refusals)).wrap(from_fn(move |request, next| limits::keep_to(limits, request, next)))
}

/// GET, and HEAD, which is the same without the body (RFC 9110 §9.3.2).
fn get() -> Route {
    web::route().guard(guard::Any(guard::Get()).or(guard::Head()))
}
