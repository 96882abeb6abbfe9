//! The development IdP: an identity provider for frontends and tests on this machine, driven through its admin API.
//!
//! It hands out tokens for anybody to whoever asks. It listens on loopback unless told otherwise, and refuses to run in production.

mod admin;
mod body;
mod gatekeeper;
mod page;
mod running;

use actix_web::{
    middleware::from_fn,
    web::{self, ServiceConfig},
};

pub use self::running::{Idp, IdpError, Options};
use crate::testing::{
    endpoint,
    methods::{get, only},
};

/// Every route of the development IdP.
fn routes(config: &mut ServiceConfig) {
    endpoint::routes(config);
    config
        .service(
            web::scope("/admin")
                .wrap(from_fn(gatekeeper::keep_strangers_out))
                .service(only("POST", web::resource("/tokens").post(admin::mint)))
                .service(only("GET, HEAD", web::resource("/keys").route(get().to(admin::keys))))
                .service(only("POST", web::resource("/keys/rotate").post(admin::rotate)))
                .service(only("POST", web::resource("/keys/standby").post(admin::standby)))
                .service(only("POST", web::resource("/keys/{kid}/revoke").post(admin::revoke)))
                .service(only(
                    "GET, HEAD, PUT, DELETE",
                    web::resource("/faults").route(get().to(admin::faults)).put(admin::set_faults).delete(admin::clear_faults),
                ))
                .default_service(web::to(admin::not_found)),
        )
        .service(only("GET, HEAD", web::resource("/health").route(get().to(page::health))))
        .service(only("GET, HEAD", web::resource("/").route(get().to(page::root))))
        .default_service(web::to(admin::not_found));
}
