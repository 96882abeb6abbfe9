//! The routes of the server.

pub(crate) mod admin;
mod api_keys;
mod back_channel_logout;
mod body;
pub(crate) mod current_user;
mod docs;
mod endpoint;
pub(crate) mod error;
mod extractor_errors;
mod forward_auth;
mod generate;
mod google;
mod health;
mod me;
mod metadata;
mod openapi;
mod own_document;
mod paging;
mod protected;
mod revocations;
mod schema;
mod sessions;
mod sign_out;
mod status;
mod user;

use actix_web::{
    HttpRequest, HttpResponse, ResponseError, guard,
    http::{StatusCode, header::ALLOW},
    web::{self, Data, ServiceConfig},
};
use bearward::Bearward;

pub use self::{
    admin::Administrators, api_keys::ApiKeys, back_channel_logout::BackChannelLogout,
    docs::DocsPage, error::ApiError, google::GoogleSignIn, health::Health, metadata::Metadata,
    openapi::Document, own_document::DocumentError,
};
use self::{
    body::BodyLimit,
    current_user::AnyUser,
    endpoint::{Endpoint, endpoint},
};
use crate::server::middleware::RequestLimits;

/// Mounts all routes except `/metrics`.
///
/// The application needs `Data` of [`Bearward`], [`Accounts`](crate::accounts::Accounts),
/// [`Administrators`], [`BackChannelLogout`], [`GoogleSignIn`], [`ApiKeys`], [`Completions`](crate::completions::Completions), [`DocsPage`], [`Document`],
/// [`Health`], [`Metadata`], [`RateLimits`](crate::server::RateLimits),
/// [`SharedRevocations`](crate::revocations::SharedRevocations) and
/// [`UserSessions`](crate::user_sessions::UserSessions), and the middleware of
/// [`server`](crate::server).
pub fn routes(config: &mut ServiceConfig, limits: RequestLimits, auth: &Bearward) {
    const METADATA: [&str; 2] = [
        "/.well-known/oauth-protected-resource",
        "/.well-known/oauth-protected-resource/{resource:.*}",
    ];

    // A valid token.
    endpoint("/protected")
        .get(protected::protected)
        .authenticated::<AnyUser>(config, limits, auth);

    // An active account.
    endpoint("/api/auth/me")
        .get(me::me)
        .with_account::<AnyUser>(config, limits, auth);
    endpoint("/api/auth/sign-out")
        .post(sign_out::sign_out)
        .with_account::<AnyUser>(config, limits, auth);
    endpoint("/api/auth/sessions")
        .get(sessions::list)
        .with_account::<AnyUser>(config, limits, auth);
    endpoint("/api/auth/sessions/{id}")
        .delete(sessions::end)
        .with_account::<AnyUser>(config, limits, auth);
    endpoint("/api/user")
        .patch(user::update)
        .delete(user::delete)
        .with_account::<AnyUser>(config, limits, auth);
    endpoint("/api/user/api-keys")
        .post(api_keys::upsert)
        .get(api_keys::list)
        .with_account::<AnyUser>(config, limits, auth);
    endpoint("/api/user/api-keys/{provider}")
        .delete(api_keys::remove)
        .with_account::<AnyUser>(config, limits, auth);
    endpoint("/api/generate")
        .post(generate::generate)
        .timeout(limits.generation_timeout)
        .with_account::<AnyUser>(config, limits, auth);
    endpoint("/api/status")
        .post(status::add)
        .get(status::list)
        .with_account::<AnyUser>(config, limits, auth);

    // An active account, or a service. The query decides which of them.
    endpoint("/api/auth/verify")
        .any(forward_auth::verify)
        .with_account_or_service::<AnyUser>(config, limits, auth);

    // An active account of an administrator.
    endpoint("/api/admin/users")
        .get(admin::list)
        .administration(config, limits, auth);
    endpoint("/api/admin/users/{id}")
        .patch(admin::set_active)
        .administration(config, limits, auth);
    endpoint("/api/admin/revocations")
        .get(revocations::list)
        .post(revocations::create)
        .administration(config, limits, auth);
    endpoint("/api/admin/revocations/{id}")
        .delete(revocations::remove)
        .administration(config, limits, auth);

    // Public.
    endpoint("/api/auth/google")
        .get(google::sign_in_url)
        .post(google::sign_in)
        .public_rate_limited(config, limits);
    endpoint("/api/auth/backchannel-logout")
        .post(back_channel_logout::log_out)
        .public_invalid_tokens_limited(config, limits);
    endpoint("/health")
        .get(health::health)
        .public(config, limits);
    endpoint("/livez").get(health::live).public(config, limits);
    endpoint("/readyz")
        .get(health::ready)
        .public(config, limits);
    endpoint("/openapi.json")
        .get(openapi::document)
        .public(config, limits);
    endpoint("/docs").get(docs::redirect).public(config, limits);
    endpoint("/docs/{file:.*}")
        .get(docs::asset)
        .public(config, limits);
    Endpoint::from(web::resource(METADATA))
        .get(metadata::metadata)
        .public(config, limits);

    defaults(config, limits);
}

/// Sets the body limit and the errors of unknown paths, for every listener.
pub fn defaults(config: &mut ServiceConfig, limits: RequestLimits) {
    config
        .app_data(web::PayloadConfig::new(limits.max_body_bytes))
        .app_data(BodyLimit(limits.max_body_bytes))
        .default_service(web::to(error::not_found));
    extractor_errors::configure(config, limits.max_body_bytes);
}

/// Mounts `/metrics` for every client. Only for `server.admin_bind`.
pub fn metrics(config: &mut ServiceConfig, limits: RequestLimits) {
    endpoint("/metrics")
        .get(health::metrics)
        .public(config, limits);
}

/// Mounts `/metrics` for clients on this machine. For others the route does not exist.
pub fn local_metrics(config: &mut ServiceConfig, limits: RequestLimits) {
    let resource = web::resource("/metrics")
        .guard(guard::fn_guard(|context| health::is_local(context.head())));
    Endpoint::from(resource)
        .get(health::metrics)
        .public(config, limits);
}

/// Answers a request that no own route accepts: 405 if the path is documented with other methods,
/// else 404. The handler macros of actix-web make a route of its own for each method.
pub(crate) async fn no_own_route(
    request: HttpRequest,
    document: Option<Data<Document>>,
) -> HttpResponse {
    let pattern = request.match_pattern();
    match pattern.and_then(|pattern| document?.allowed_methods(&pattern)) {
        Some(allow) => ApiError::new(
            &request,
            StatusCode::METHOD_NOT_ALLOWED,
            "METHOD_NOT_ALLOWED",
            "this path does not support the method; see the Allow header",
        )
        .with_header(ALLOW, allow)
        .error_response(),
        None => error::not_found(request).await,
    }
}
