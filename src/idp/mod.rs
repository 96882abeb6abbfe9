//! The development IdP: an identity provider for frontends and tests on this machine, driven through its admin API.
//!
//! It hands out tokens for anybody to whoever asks. It listens on loopback unless told otherwise, and refuses to run in production.

mod admin;
mod gatekeeper;
mod page;
mod running;

use actix_web::{
    middleware::from_fn,
    web::{self, ServiceConfig},
};

pub use self::running::{Idp, IdpError, Options};
use crate::testing::endpoint;

/// Every route of the development IdP.
fn routes(config: &mut ServiceConfig) {
    endpoint::routes(config);
    config
        .service(
            web::scope("/admin")
                .wrap(from_fn(gatekeeper::keep_strangers_out))
                .service(web::resource("/tokens").post(admin::mint).default_service(web::to(admin::wrong_method)))
                .service(web::resource("/keys").get(admin::keys).default_service(web::to(admin::wrong_method)))
                .service(web::resource("/keys/rotate").post(admin::rotate).default_service(web::to(admin::wrong_method)))
                .service(web::resource("/keys/standby").post(admin::standby).default_service(web::to(admin::wrong_method)))
                .service(web::resource("/keys/{kid}/revoke").post(admin::revoke).default_service(web::to(admin::wrong_method)))
                .service(
                    web::resource("/faults")
                        .get(admin::faults)
                        .put(admin::set_faults)
                        .delete(admin::clear_faults)
                        .default_service(web::to(admin::wrong_method)),
                ),
        )
        .service(web::resource("/health").get(page::health))
        .service(web::resource("/").get(page::root))
        .app_data(web::JsonConfig::default().content_type_required(true).error_handler(admin::unreadable))
        .default_service(web::to(admin::not_found));
}
