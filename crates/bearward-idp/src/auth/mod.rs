//! The Supabase Auth subset of the development IdP: sign-in in all its ways, sessions, and the
//! mails that it would have sent.

mod asked;
mod auth_state;
mod authorize;
mod avatar;
mod bearer;
pub(super) mod clock;
mod consent;
mod current_user;
mod email;
mod error;
mod flow;
mod glob;
mod google;
mod html;
mod inbox;
mod logout;
mod mail;
mod options;
mod password;
pub(super) mod people;
mod profile;
mod random;
mod recover;
mod redirect_policy;
mod redirect_response;
mod service;
mod session;
mod settings;
pub(super) mod signed_in;
mod signup;
mod storage;
mod stored_keys;
mod token;
mod token_response;
mod user;
mod verify;

use actix_cors::Cors;
use actix_web::{
    http::header,
    middleware::from_fn,
    web::{self, Data, ServiceConfig},
};
use bearward_testing::{
    endpoint::{self, ISSUER_PATH},
    methods::{allow_methods, get},
};

pub(super) use self::{
    google::{CLIENT_ID, issuer as google_issuer, jwks_url as google_jwks_url},
    service::{AuthError, AuthService},
};
pub use self::{options::AuthOptions, storage::StorageError};
use super::{admin, local_only};

/// Every route of the auth API, of the fake Google, and of the pages.
pub(super) fn routes(config: &mut ServiceConfig, auth: &Data<AuthService>) {
    config
        .service(
            web::scope(ISSUER_PATH)
                .wrap(from_fn(error::in_the_asked_form))
                // A page under a name that was rebound to this machine is of the same origin, and
                // could read what CORS keeps from others.
                .wrap(cors(auth).block_on_origin_mismatch(true))
                .app_data(queries())
                .configure(|config| endpoint::documents(config, ""))
                .service(allow_methods(
                    "GET",
                    web::resource("/authorize").get(authorize::authorize),
                ))
                .service(allow_methods(
                    "GET",
                    web::resource("/callback").get(authorize::callback),
                ))
                .service(allow_methods(
                    "POST",
                    web::resource("/token").post(token::token),
                ))
                .service(allow_methods(
                    "POST",
                    web::resource("/signup").post(signup::signup),
                ))
                .service(allow_methods(
                    "POST",
                    web::resource("/recover").post(recover::recover),
                ))
                .service(allow_methods(
                    "POST",
                    web::resource("/otp").post(recover::otp),
                ))
                .service(allow_methods(
                    "POST",
                    web::resource("/resend").post(recover::resend),
                ))
                .service(allow_methods(
                    "GET, POST",
                    web::resource("/verify")
                        .get(verify::followed)
                        .post(verify::typed),
                ))
                .service(allow_methods(
                    "GET, HEAD, PUT",
                    web::resource("/user")
                        .route(get().to(current_user::show))
                        .put(current_user::update),
                ))
                .service(allow_methods(
                    "POST",
                    web::resource("/logout").post(logout::logout),
                ))
                .service(allow_methods(
                    "GET, HEAD",
                    web::resource("/settings").route(get().to(settings::settings)),
                ))
                .service(allow_methods(
                    "GET, HEAD",
                    web::resource("/health").route(get().to(settings::health)),
                ))
                .default_service(web::to(admin::not_found)),
        )
        .service(
            web::scope(google::PATH)
                .wrap(cors(auth))
                .service(allow_methods(
                    "GET, HEAD",
                    web::resource("/oauth2/v3/certs").route(get().to(google::certs)),
                ))
                .service(allow_methods(
                    "GET, HEAD",
                    web::resource("/.well-known/openid-configuration")
                        .route(get().to(google::discovery)),
                ))
                .service(
                    allow_methods(
                        "POST",
                        web::resource("/credential").post(google::credential),
                    )
                    .wrap(from_fn(local_only::require_loopback_origin)),
                )
                .default_service(web::to(admin::not_found)),
        )
        .service(
            allow_methods(
                "GET, HEAD, POST",
                web::resource("/.consent/{flow}")
                    .route(get().to(consent::show))
                    .post(consent::choose),
            )
            .wrap(from_fn(local_only::require_known_host)),
        )
        .service(
            allow_methods(
                "GET, HEAD, DELETE",
                web::resource("/.inbox")
                    .route(get().to(inbox::show))
                    .delete(inbox::empty),
            )
            .wrap(from_fn(local_only::require_loopback_origin)),
        )
        .service(allow_methods(
            "GET, HEAD",
            web::resource("/.picture/{initial}").route(get().to(avatar::picture)),
        ));
}

/// Pages to which a sign-in may return may call; the admin API has no CORS at all.
fn cors(auth: &Data<AuthService>) -> Cors {
    let auth = auth.clone();
    Cors::default()
        .allowed_origin_fn(move |origin, _| {
            origin
                .to_str()
                .is_ok_and(|origin| auth.redirects.allows_origin(origin))
        })
        .allowed_methods(["GET", "POST", "PUT", "DELETE"])
        .allowed_headers(["apikey", "x-client-info", error::VERSION_HEADER])
        .allowed_headers([header::AUTHORIZATION, header::CONTENT_TYPE, header::ACCEPT])
        .expose_headers([error::VERSION_HEADER])
        .max_age(600)
}

/// A query that cannot be read is refused in this API's words.
fn queries() -> web::QueryConfig {
    web::QueryConfig::default()
        .error_handler(|_, _| error::AuthApiError::invalid("The query cannot be read").into())
}
