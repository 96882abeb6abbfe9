//! The development IdP: an identity provider for frontends and tests on this machine, driven
//! through its admin API.
//!
//! It hands out tokens for anybody to whoever asks. It listens on loopback unless told otherwise,
//! and refuses to run in production.

mod admin;
mod attached_api;
mod auth;
mod body;
mod console;
mod local_only;
mod page;
mod server;

use actix_web::{
    middleware::from_fn,
    web::{self, Data, ServiceConfig},
};
use bearward_testing::{
    endpoint,
    methods::{allow_methods, get},
};

pub use self::{
    auth::{AuthOptions, StorageError},
    server::{Idp, IdpError, Options},
};

/// Every route of the development IdP.
fn routes(
    config: &mut ServiceConfig,
    auth: &Data<auth::AuthService>,
    attached_api: &Data<attached_api::AttachedApi>,
) {
    endpoint::documents(config, "");
    auth::routes(config, auth);
    config
        .app_data(auth.clone())
        .app_data(attached_api.clone())
        .service(
            web::scope("/admin")
                .wrap(from_fn(local_only::require_loopback_origin))
                .service(allow_methods(
                    "POST",
                    web::resource("/tokens").post(admin::mint),
                ))
                .service(allow_methods(
                    "GET, HEAD",
                    web::resource("/keys").route(get().to(admin::keys)),
                ))
                .service(allow_methods(
                    "POST",
                    web::resource("/keys/rotate").post(admin::rotate),
                ))
                .service(allow_methods(
                    "POST",
                    web::resource("/keys/standby").post(admin::standby),
                ))
                .service(allow_methods(
                    "POST",
                    web::resource("/keys/{kid}/revoke").post(admin::revoke),
                ))
                .service(allow_methods(
                    "GET, HEAD, PUT",
                    web::resource("/clock")
                        .route(get().to(auth::clock::show))
                        .put(auth::clock::set),
                ))
                .service(allow_methods(
                    "GET, HEAD",
                    web::resource("/api").route(get().to(attached_api::show)),
                ))
                .service(allow_methods(
                    "POST",
                    web::resource("/explain").post(attached_api::explain),
                ))
                .service(allow_methods(
                    "GET, HEAD",
                    web::resource("/sessions").route(get().to(auth::signed_in::list)),
                ))
                .service(allow_methods(
                    "GET, HEAD",
                    web::resource("/users").route(get().to(auth::people::list)),
                ))
                .service(allow_methods(
                    "PATCH, DELETE",
                    web::resource("/users/{id}")
                        .patch(auth::people::edit)
                        .delete(auth::people::remove),
                ))
                .service(allow_methods(
                    "GET, HEAD, PUT, DELETE",
                    web::resource("/faults")
                        .route(get().to(admin::faults))
                        .put(admin::set_faults)
                        .delete(admin::clear_faults),
                ))
                .default_service(web::to(admin::not_found)),
        )
        .service(allow_methods(
            "GET, HEAD",
            web::resource("/health").route(get().to(page::health)),
        ))
        .service(allow_methods(
            "GET, HEAD",
            web::resource("/.console/console.css").route(get().to(console::style)),
        ))
        .service(allow_methods(
            "GET, HEAD",
            web::resource("/.console/console.js").route(get().to(console::script)),
        ))
        .service(allow_methods(
            "GET, HEAD",
            web::resource("/").route(get().to(console::root)),
        ))
        .default_service(web::to(admin::not_found));
}
