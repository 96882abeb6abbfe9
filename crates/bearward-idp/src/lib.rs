//! The development IdP: an identity provider for frontends and tests on this machine, driven
//! through its admin API.
//!
//! It hands out tokens for anybody to whoever asks. It listens on loopback unless told otherwise,
//! and refuses to run in production.

mod admin;
mod auth;
mod body;
mod console;
mod gatekeeper;
mod page;
mod running;
mod watched;

use actix_web::{
    middleware::from_fn,
    web::{self, Data, ServiceConfig},
};
use bearward_testing::{
    endpoint,
    methods::{get, only},
};

pub use self::{
    auth::{AuthOptions, StorageError},
    running::{Idp, IdpError, Options},
};

/// Every route of the development IdP.
fn routes(config: &mut ServiceConfig, auth: &Data<auth::Auth>, watched: &Data<watched::Watched>) {
    endpoint::documents(config, "");
    auth::routes(config, auth);
    config
        .app_data(auth.clone())
        .app_data(watched.clone())
        .service(
            web::scope("/admin")
                .wrap(from_fn(gatekeeper::keep_strangers_out))
                .service(only("POST", web::resource("/tokens").post(admin::mint)))
                .service(only(
                    "GET, HEAD",
                    web::resource("/keys").route(get().to(admin::keys)),
                ))
                .service(only(
                    "POST",
                    web::resource("/keys/rotate").post(admin::rotate),
                ))
                .service(only(
                    "POST",
                    web::resource("/keys/standby").post(admin::standby),
                ))
                .service(only(
                    "POST",
                    web::resource("/keys/{kid}/revoke").post(admin::revoke),
                ))
                .service(only(
                    "GET, HEAD, PUT",
                    web::resource("/clock")
                        .route(get().to(auth::shifted::show))
                        .put(auth::shifted::set),
                ))
                .service(only(
                    "GET, HEAD",
                    web::resource("/api").route(get().to(watched::show)),
                ))
                .service(only(
                    "POST",
                    web::resource("/explain").post(watched::explain),
                ))
                .service(only(
                    "GET, HEAD",
                    web::resource("/sessions").route(get().to(auth::signed_in::list)),
                ))
                .service(only(
                    "GET, HEAD",
                    web::resource("/users").route(get().to(auth::people::list)),
                ))
                .service(only(
                    "PATCH, DELETE",
                    web::resource("/users/{id}")
                        .patch(auth::people::edit)
                        .delete(auth::people::remove),
                ))
                .service(only(
                    "GET, HEAD, PUT, DELETE",
                    web::resource("/faults")
                        .route(get().to(admin::faults))
                        .put(admin::set_faults)
                        .delete(admin::clear_faults),
                ))
                .default_service(web::to(admin::not_found)),
        )
        .service(only(
            "GET, HEAD",
            web::resource("/health").route(get().to(page::health)),
        ))
        .service(only(
            "GET, HEAD",
            web::resource("/.console/console.css").route(get().to(console::style)),
        ))
        .service(only(
            "GET, HEAD",
            web::resource("/.console/console.js").route(get().to(console::script)),
        ))
        .service(only(
            "GET, HEAD",
            web::resource("/").route(get().to(console::root)),
        ))
        .default_service(web::to(admin::not_found));
}
