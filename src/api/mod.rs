//! Every route of the server, on one screen.

mod admin;
mod api_keys;
mod client_address;
mod current_user;
mod docs;
mod fields;
mod generate;
mod google;
mod health;
mod limits;
mod me;
mod metadata;
mod openapi;
mod problem;
mod protected;
mod rate_limits;
mod resource;
mod status;
mod user;
mod verify;

use actix_web::web::{self, ServiceConfig};
use bearward::Bearward;

use self::{
    admin::Admin,
    current_user::Anybody,
    fields::Limit,
    resource::{At, at},
};
pub use self::{
    api_keys::ApiKeys, google::SignIn, health::Health, limits::Limits, metadata::Metadata,
    openapi::Document, problem::Problem, rate_limits::RateLimits, verify::as_forwarded,
};

/// Mounts the routes. They need `Data` of [`Bearward`], [`Accounts`](crate::accounts::Accounts),
/// [`SignIn`], [`ApiKeys`], [`Upstream`](crate::upstream::Upstream), [`Document`], [`Health`],
/// [`Metadata`] and [`RateLimits`], and [`as_forwarded`] around the application.
pub fn routes(config: &mut ServiceConfig, limits: Limits, auth: &Bearward) {
    const METADATA: [&str; 2] = [
        "/.well-known/oauth-protected-resource",
        "/.well-known/oauth-protected-resource/{resource:.*}",
    ];

    // For whoever holds a token.
    at("/protected")
        .get(protected::protected)
        .for_bearers::<Anybody>(config, limits, auth);

    // For the account behind a token.
    at("/api/auth/me")
        .get(me::me)
        .for_users::<Anybody>(config, limits, auth);
    at("/api/auth/verify")
        .any(verify::verify)
        .for_users_uncounted::<Anybody>(config, limits, auth);
    at("/api/user")
        .patch(user::change)
        .delete(user::erase)
        .for_users::<Anybody>(config, limits, auth);
    at("/api/user/api-keys")
        .post(api_keys::keep)
        .get(api_keys::list)
        .for_users::<Anybody>(config, limits, auth);
    at("/api/user/api-keys/{provider}")
        .delete(api_keys::remove)
        .for_users::<Anybody>(config, limits, auth);
    at("/api/generate")
        .post(generate::generate)
        .within(limits.generation)
        .for_users::<Anybody>(config, limits, auth);
    at("/api/status")
        .post(status::add)
        .get(status::list)
        .for_users::<Anybody>(config, limits, auth);

    // For administrators.
    at("/api/admin/users")
        .get(admin::list)
        .for_users::<Admin>(config, limits, auth);
    at("/api/admin/users/{id}")
        .patch(admin::set_active)
        .for_users::<Admin>(config, limits, auth);

    // For everybody.
    at("/api/auth/google")
        .get(google::address)
        .post(google::sign_in)
        .for_each_address(config, limits);
    at("/health")
        .get(health::health)
        .for_everybody(config, limits);
    at("/livez").get(health::live).for_everybody(config, limits);
    at("/readyz")
        .get(health::ready)
        .for_everybody(config, limits);
    at("/openapi.json")
        .get(openapi::document)
        .for_everybody(config, limits);
    at("/docs").get(docs::here).for_everybody(config, limits);
    at("/docs/{file:.*}")
        .get(docs::file)
        .for_everybody(config, limits);
    At::from(web::resource(METADATA))
        .get(metadata::metadata)
        .for_everybody(config, limits);

    config
        .app_data(web::PayloadConfig::new(limits.body))
        .app_data(Limit(limits.body))
        .app_data(web::PathConfig::default().error_handler(problem::path))
        .default_service(web::to(problem::not_found));
}

/// `/metrics`, which moves to a listener of its own when `server.admin_bind` is set.
pub fn metrics(config: &mut ServiceConfig, limits: Limits) {
    at("/metrics")
        .get(health::metrics)
        .for_everybody(config, limits);
}
