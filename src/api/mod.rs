//! Every route of the server, on one screen.

mod admin;
mod api_keys;
mod body;
mod client_address;
mod current_user;
mod docs;
mod endpoint;
mod error;
mod forward_auth;
mod generate;
mod google;
mod health;
mod limits;
mod me;
mod metadata;
mod openapi;
mod protected;
mod rate_limits;
mod status;
mod user;

use actix_web::web::{self, ServiceConfig};
use bearward::Bearward;

use self::{
    admin::Admin,
    body::Limit,
    current_user::AnyUser,
    endpoint::{Endpoint, at},
};
pub use self::{
    api_keys::ApiKeys, error::ApiError, forward_auth::forward_auth_method, google::GoogleSignIn,
    health::Health, limits::Limits, metadata::Metadata, openapi::Document, rate_limits::RateLimits,
};

/// Mounts the routes. They need `Data` of [`Bearward`], [`Accounts`](crate::accounts::Accounts),
/// [`GoogleSignIn`], [`ApiKeys`], [`Completions`](crate::completions::Completions), [`Document`],
/// [`Health`], [`Metadata`] and [`RateLimits`], and [`forward_auth_method`] around the application.
pub fn routes(config: &mut ServiceConfig, limits: Limits, auth: &Bearward) {
    const METADATA: [&str; 2] = [
        "/.well-known/oauth-protected-resource",
        "/.well-known/oauth-protected-resource/{resource:.*}",
    ];

    // For whoever holds a token.
    at("/protected")
        .get(protected::protected)
        .authenticated::<AnyUser>(config, limits, auth);

    // For the account behind a token.
    at("/api/auth/me")
        .get(me::me)
        .with_account::<AnyUser>(config, limits, auth);
    at("/api/auth/verify")
        .any(forward_auth::verify)
        .with_account_unlimited::<AnyUser>(config, limits, auth);
    at("/api/user")
        .patch(user::change)
        .delete(user::erase)
        .with_account::<AnyUser>(config, limits, auth);
    at("/api/user/api-keys")
        .post(api_keys::keep)
        .get(api_keys::list)
        .with_account::<AnyUser>(config, limits, auth);
    at("/api/user/api-keys/{provider}")
        .delete(api_keys::remove)
        .with_account::<AnyUser>(config, limits, auth);
    at("/api/generate")
        .post(generate::generate)
        .within(limits.generation)
        .with_account::<AnyUser>(config, limits, auth);
    at("/api/status")
        .post(status::add)
        .get(status::list)
        .with_account::<AnyUser>(config, limits, auth);

    // For administrators.
    at("/api/admin/users")
        .get(admin::list)
        .with_account::<Admin>(config, limits, auth);
    at("/api/admin/users/{id}")
        .patch(admin::set_active)
        .with_account::<Admin>(config, limits, auth);

    // For everybody.
    at("/api/auth/google")
        .get(google::address)
        .post(google::sign_in)
        .public_rate_limited(config, limits);
    at("/health").get(health::health).public(config, limits);
    at("/livez").get(health::live).public(config, limits);
    at("/readyz").get(health::ready).public(config, limits);
    at("/openapi.json")
        .get(openapi::document)
        .public(config, limits);
    at("/docs").get(docs::here).public(config, limits);
    at("/docs/{file:.*}").get(docs::file).public(config, limits);
    Endpoint::from(web::resource(METADATA))
        .get(metadata::metadata)
        .public(config, limits);

    config
        .app_data(web::PayloadConfig::new(limits.body))
        .app_data(Limit(limits.body))
        .app_data(web::PathConfig::default().error_handler(error::path))
        .default_service(web::to(error::not_found));
}

/// `/metrics`, which moves to a listener of its own when `server.admin_bind` is set.
pub fn metrics(config: &mut ServiceConfig, limits: Limits) {
    at("/metrics").get(health::metrics).public(config, limits);
}
