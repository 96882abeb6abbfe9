//! The Supabase Auth subset of the development IdP: sign-in in all its ways, sessions, and the
//! mails that it would have sent.

mod answer;
mod asked;
mod authorize;
mod bearer;
mod consent;
mod email;
mod fault;
mod flow;
mod glob;
mod google;
mod html;
mod inbox;
mod kept_keys;
mod logout;
mod mail;
mod options;
mod password;
pub(super) mod people;
mod person;
mod picture;
mod profile;
mod random;
mod recover;
mod redirect;
mod redirects;
mod session;
mod settings;
pub(super) mod shifted;
pub(super) mod signed_in;
mod signup;
mod state;
mod storage;
mod token;
mod user;
mod verify;
mod world;

use actix_cors::Cors;
use actix_web::{
    http::header,
    middleware::from_fn,
    web::{self, Data, ServiceConfig},
};
use bearward_testing::{
    endpoint::{self, ISSUER_PATH},
    methods::{get, only},
};

pub(super) use self::{
    google::{CLIENT_ID, issuer as google_issuer, jwks_url as google_jwks_url},
    state::{Auth, AuthError},
};
pub use self::{options::AuthOptions, storage::StorageError};
use super::{admin, gatekeeper};

/// Every route of the auth API, of the fake Google, and of the pages.
pub(super) fn routes(config: &mut ServiceConfig, auth: &Data<Auth>) {
    config
        .service(
            web::scope(ISSUER_PATH)
                .wrap(from_fn(fault::in_the_asked_form))
                // A page under a name that was rebound to this machine is of the same origin, and
                // could read what CORS keeps from others.
                .wrap(cors(auth).block_on_origin_mismatch(true))
                .app_data(queries())
                .configure(|config| endpoint::documents(config, ""))
                .service(only(
                    "GET",
                    web::resource("/authorize").get(authorize::authorize),
                ))
                .service(only(
                    "GET",
                    web::resource("/callback").get(authorize::callback),
                ))
                .service(only("POST", web::resource("/token").post(token::token)))
                .service(only("POST", web::resource("/signup").post(signup::signup)))
                .service(only(
                    "POST",
                    web::resource("/recover").post(recover::recover),
                ))
                .service(only("POST", web::resource("/otp").post(recover::otp)))
                .service(only("POST", web::resource("/resend").post(recover::resend)))
                .service(only(
                    "GET, POST",
                    web::resource("/verify")
                        .get(verify::followed)
                        .post(verify::typed),
                ))
                .service(only(
                    "GET, HEAD, PUT",
                    web::resource("/user")
                        .route(get().to(user::show))
                        .put(user::update),
                ))
                .service(only("POST", web::resource("/logout").post(logout::logout)))
                .service(only(
                    "GET, HEAD",
                    web::resource("/settings").route(get().to(settings::settings)),
                ))
                .service(only(
                    "GET, HEAD",
                    web::resource("/health").route(get().to(settings::health)),
                ))
                .default_service(web::to(admin::not_found)),
        )
        .service(
            web::scope(google::PATH)
                .wrap(cors(auth))
                .service(only(
                    "GET, HEAD",
                    web::resource("/oauth2/v3/certs").route(get().to(google::certs)),
                ))
                .service(only(
                    "GET, HEAD",
                    web::resource("/.well-known/openid-configuration")
                        .route(get().to(google::discovery)),
                ))
                .service(
                    only(
                        "POST",
                        web::resource("/credential").post(google::credential),
                    )
                    .wrap(from_fn(gatekeeper::keep_strangers_out)),
                )
                .default_service(web::to(admin::not_found)),
        )
        .service(
            only(
                "GET, HEAD, POST",
                web::resource("/.consent/{flow}")
                    .route(get().to(consent::show))
                    .post(consent::choose),
            )
            .wrap(from_fn(gatekeeper::keep_other_names_out)),
        )
        .service(
            only(
                "GET, HEAD, DELETE",
                web::resource("/.inbox")
                    .route(get().to(inbox::show))
                    .delete(inbox::empty),
            )
            .wrap(from_fn(gatekeeper::keep_strangers_out)),
        )
        .service(only(
            "GET, HEAD",
            web::resource("/.picture/{initial}").route(get().to(picture::picture)),
        ));
}

/// Pages to which a sign-in may return may call; the admin API has no CORS at all.
fn cors(auth: &Data<Auth>) -> Cors {
    let auth = auth.clone();
    Cors::default()
        .allowed_origin_fn(move |origin, _| {
            origin
                .to_str()
                .is_ok_and(|origin| auth.redirects.allows_origin(origin))
        })
        .allowed_methods(["GET", "POST", "PUT", "DELETE"])
        .allowed_headers(["apikey", "x-client-info", fault::VERSION_HEADER])
        .allowed_headers([header::AUTHORIZATION, header::CONTENT_TYPE, header::ACCEPT])
        .expose_headers([fault::VERSION_HEADER])
        .max_age(600)
}

/// A query that cannot be read is refused in this API's words.
fn queries() -> web::QueryConfig {
    web::QueryConfig::default()
        .error_handler(|_, _| fault::Fault::invalid("The query cannot be read").into())
}
