//! All routes of the development IdP.

use actix_cors::Cors;
use actix_web::{
    FromRequest, Handler, Resource, Responder,
    http::header::{self, HeaderValue},
    middleware::{NormalizePath, TrailingSlash, from_fn},
    web::{self, Data, ServiceConfig},
};
use bearward::{allow_methods, get_or_head};
use bearward_testing::endpoint::{self, ISSUER_PATH};

use crate::{
    admin::{
        self, attached_api, attached_api::AttachedApi, back_channel, connect, events, faults, keys,
        sessions, tokens, users,
    },
    auth::{
        AuthService, authorize, avatar, body, consent, current_user,
        error::{
            AuthApiError, VERSION_HEADER, negotiate_cors_format, negotiate_error_format, no_route,
        },
        google, identities, inbox, logout, mfa,
        oauth_server::{self, approval, metadata},
        rate_limit, recover, settings, signup, token, unsupported, verify,
    },
    completions, console,
    error::not_found,
    local_only::{require_known_host, require_loopback_origin},
    page,
    server::AppState,
};

/// Registers every route: JWKS documents, auth API, fake Google, pages, admin API and console.
#[allow(clippy::too_many_lines, reason = "the list of all routes")]
pub(crate) fn configure(config: &mut ServiceConfig, state: &AppState) {
    let auth = &state.auth;
    endpoint::jwks_document(config, "");
    for path in metadata::ROOT_PATHS {
        config.service(get(path, metadata::metadata).wrap(cors(auth)));
    }
    config
        .app_data(auth.clone())
        .app_data(state.attached_api.clone())
        .app_data(state.completions.clone())
        .app_data(state.requests.clone())
        .service(
            web::scope(ISSUER_PATH)
                .wrap(from_fn(rate_limit::enforce))
                .wrap(from_fn(negotiate_error_format))
                // A page whose host name was rebound to this machine is same-origin, so CORS
                // does not reject it.
                .wrap(cors(auth).block_on_origin_mismatch(true))
                .wrap(from_fn(negotiate_cors_format))
                // As the gateway of the hosted service, which merges repeated slashes.
                .wrap(NormalizePath::new(TrailingSlash::MergeOnly))
                .app_data(web::PayloadConfig::new(body::MAX_BYTES))
                .app_data(query_config())
                .configure(|config| endpoint::jwks_document(config, ""))
                .configure(|config| {
                    for path in metadata::ISSUER_PATHS {
                        config.service(get(path, metadata::metadata));
                    }
                })
                .configure(oauth_routes)
                .service(get_only("/authorize", authorize::authorize))
                .service(methods("GET, POST", "/callback", |resource| {
                    resource
                        .get(authorize::callback)
                        .post(authorize::callback_form)
                }))
                .service(post("/token", token::token))
                .service(post("/signup", signup::signup))
                .service(post("/signup/", signup::signup))
                .service(post("/recover", recover::recover))
                .service(post("/otp", recover::otp))
                .service(post("/magiclink", recover::magic_link))
                .service(post("/resend", recover::resend))
                .service(methods("POST, GET", "/verify", |resource| {
                    resource.get(verify::verify_link).post(verify::verify_code)
                }))
                .service(
                    web::resource(["/user", "/user/"])
                        .get(current_user::show)
                        .put(current_user::update)
                        .default_service(web::to(current_user::method_not_allowed)),
                )
                .service(get_only("/user/identities/authorize", identities::link))
                .service(methods("DELETE", "/user/identities/{id}", |resource| {
                    resource.delete(identities::unlink)
                }))
                .service(get_only("/reauthenticate", current_user::reauthenticate))
                .service(get_only("/reauthenticate/", current_user::reauthenticate))
                .service(post("/logout", logout::logout))
                .service(get_only("/settings", settings::settings))
                .service(get_only("/health", settings::health))
                .configure(mfa_routes)
                .configure(unsupported::routes)
                .default_service(web::to(no_route)),
        )
        .service(
            web::scope(google::PATH)
                .wrap(cors(auth))
                .service(get("/oauth2/v3/certs", google::certs))
                .service(get("/.well-known/openid-configuration", google::discovery))
                .service(
                    post("/credential", google::credential).wrap(from_fn(require_loopback_origin)),
                )
                .default_service(web::to(not_found)),
        )
        .service(
            methods("GET, HEAD, POST", "/.consent/{flow}", |resource| {
                resource
                    .route(get_or_head().to(consent::show))
                    .post(consent::choose)
            })
            .wrap(from_fn(require_known_host)),
        )
        .service(
            methods(
                "GET, HEAD, POST",
                "/.approval/{authorization}",
                |resource| {
                    resource
                        .route(get_or_head().to(approval::show))
                        .post(approval::choose)
                },
            )
            .wrap(from_fn(require_known_host)),
        )
        .service(
            methods("GET, HEAD, DELETE", "/.inbox", |resource| {
                resource
                    .route(get_or_head().to(inbox::show))
                    .delete(inbox::clear)
            })
            .wrap(from_fn(require_loopback_origin)),
        )
        .service(get("/.picture/{initial}", avatar::picture))
        .service(
            web::scope(completions::BASE_PATH)
                .wrap(from_fn(require_loopback_origin))
                .service(post("/chat/completions", completions::complete))
                .default_service(web::to(not_found)),
        )
        .service(
            web::scope("/admin")
                .wrap(from_fn(require_loopback_origin))
                .service(post("/tokens", tokens::mint).wrap(docs_cors(&state.attached_api)))
                .service(get("/connect", connect::show))
                .service(get_only("/events", events::events))
                .service(methods("GET, HEAD, PUT", "/completions", |resource| {
                    resource
                        .route(get_or_head().to(admin::completions::show))
                        .put(admin::completions::set)
                }))
                .service(get("/keys", keys::list))
                .service(post("/keys/rotate", keys::rotate))
                .service(post("/keys/standby", keys::add_standby))
                .service(post("/keys/{kid}/revoke", keys::revoke))
                .service(methods("GET, HEAD, PUT", "/clock", |resource| {
                    resource
                        .route(get_or_head().to(admin::clock::show))
                        .put(admin::clock::set)
                }))
                .service(methods("GET, HEAD, PUT", "/rate-limit", |resource| {
                    resource
                        .route(get_or_head().to(admin::rate_limit::show))
                        .put(admin::rate_limit::set)
                }))
                .service(methods(
                    "GET, HEAD, PUT",
                    "/backchannel-logout",
                    |resource| {
                        resource
                            .route(get_or_head().to(back_channel::show))
                            .put(back_channel::set)
                    },
                ))
                .service(get("/api", attached_api::show))
                .service(post("/explain", attached_api::explain))
                .service(get("/sessions", sessions::list))
                .service(methods("DELETE", "/sessions/{id}", |resource| {
                    resource.delete(sessions::revoke)
                }))
                .service(get("/users", users::list))
                .service(methods("PATCH, DELETE", "/users/{id}", |resource| {
                    resource.patch(users::update).delete(users::delete)
                }))
                .service(methods("GET, HEAD, PUT, DELETE", "/faults", |resource| {
                    resource
                        .route(get_or_head().to(faults::show))
                        .put(faults::set)
                        .delete(faults::clear)
                }))
                .default_service(web::to(not_found)),
        )
        .service(get("/health", page::health))
        .service(get(console::FILES_PATH, console::file))
        .service(get("/", console::root))
        .default_service(web::to(not_found));
}

/// The endpoints of multi-factor authentication.
fn mfa_routes(config: &mut ServiceConfig) {
    config
        .service(
            web::resource(["/factors", "/factors/"])
                .post(mfa::enroll)
                .default_service(web::to(mfa::method_not_allowed)),
        )
        .service(
            web::resource(["/factors/{factor_id}", "/factors/{factor_id}/"])
                .delete(mfa::unenroll)
                .default_service(web::to(mfa::method_not_allowed)),
        )
        .service(post("/factors/{factor_id}/challenge", mfa::challenge))
        .service(post("/factors/{factor_id}/verify", mfa::verify));
}

/// The endpoints of the OAuth server.
fn oauth_routes(config: &mut ServiceConfig) {
    config
        .service(post(
            "/oauth/clients/register",
            oauth_server::register::register,
        ))
        .service(get_only(
            "/oauth/authorize",
            oauth_server::authorize::authorize,
        ))
        .service(post(
            oauth_server::token::TOKEN_PATH,
            oauth_server::token::token,
        ))
        .service(methods("GET, HEAD, POST", "/oauth/userinfo", |resource| {
            resource
                .route(get_or_head().to(oauth_server::userinfo::userinfo))
                .post(oauth_server::userinfo::userinfo)
        }));
}

/// Adds routes to a resource that answers other methods with 405 and an `Allow` of `allowed`.
fn methods(
    allowed: &'static str,
    path: &str,
    add_routes: impl FnOnce(Resource) -> Resource,
) -> Resource {
    allow_methods(
        HeaderValue::from_static(allowed),
        add_routes(web::resource(path)),
    )
}

/// A resource for `GET` and `HEAD`.
fn get<F, Args>(path: &str, handler: F) -> Resource
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    methods("GET, HEAD", path, |resource| {
        resource.route(get_or_head().to(handler))
    })
}

/// A resource for `GET` without `HEAD`.
fn get_only<F, Args>(path: &str, handler: F) -> Resource
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    methods("GET", path, |resource| resource.get(handler))
}

/// A resource for `POST`.
fn post<F, Args>(path: &str, handler: F) -> Resource
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    methods("POST", path, |resource| resource.post(handler))
}

/// Allows cross-origin calls from pages to which a sign-in may redirect. The admin API has no CORS.
fn cors(auth: &Data<AuthService>) -> Cors {
    let auth = auth.clone();
    Cors::default()
        .allowed_origin_fn(move |origin, _| {
            origin
                .to_str()
                .is_ok_and(|origin| auth.redirects.allows_origin(origin))
        })
        .allowed_methods(["GET", "POST", "PUT", "DELETE"])
        .allowed_headers([
            "apikey",
            "x-client-info",
            "dpop",
            VERSION_HEADER,
            "mcp-protocol-version",
        ])
        .allowed_headers([header::AUTHORIZATION, header::CONTENT_TYPE, header::ACCEPT])
        .expose_headers([VERSION_HEADER])
        .max_age(600)
}

/// Allows the documentation page of the API in this process to request a token. The rest of the
/// admin API has no CORS.
fn docs_cors(attached_api: &Data<AttachedApi>) -> Cors {
    let attached_api = attached_api.clone();
    Cors::default()
        .allowed_origin_fn(move |origin, _| {
            origin
                .to_str()
                .is_ok_and(|origin| attached_api.has_origin(origin))
        })
        .allowed_methods(["POST"])
        .allowed_headers([header::CONTENT_TYPE])
        .max_age(600)
}

/// Reports an invalid query string in the error format of the auth API.
fn query_config() -> web::QueryConfig {
    web::QueryConfig::default()
        .error_handler(|_, _| AuthApiError::invalid("Invalid query string").into())
}
