//! Endpoints of the hosted service that the development IdP refuses, as a project that has not enabled
//! them does.

use actix_web::{
    HttpResponse, Resource,
    web::{self, ServiceConfig},
};

use super::{bearer::BearerSession, error::AuthApiError};

/// Registers SSO, passkeys and the admin API of the hosted service.
pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .service(any(["/sso", "/sso/{path:.*}"]).to(saml_disabled))
        .service(any(["/passkeys", "/passkeys/{path:.*}"]).to(passkeys_disabled))
        .service(any(["/admin/{path:.*}", "/invite"]).to(not_admin));
}

fn any<const COUNT: usize>(patterns: [&'static str; COUNT]) -> Resource {
    web::resource(patterns.to_vec())
}

async fn saml_disabled() -> Result<HttpResponse, AuthApiError> {
    Err(AuthApiError::new(
        404,
        "saml_provider_disabled",
        "SAML 2.0 is disabled",
    ))
}

async fn passkeys_disabled() -> Result<HttpResponse, AuthApiError> {
    Err(AuthApiError::new(
        404,
        "passkey_disabled",
        "Passkeys are disabled",
    ))
}

/// The development IdP has no service-role key; its own admin API is at `/admin`.
async fn not_admin(_bearer: BearerSession) -> Result<HttpResponse, AuthApiError> {
    Err(AuthApiError::new(403, "not_admin", "User not allowed"))
}
