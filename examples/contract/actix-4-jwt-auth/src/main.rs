//! actix-web with actix-4-jwt-auth, as in its README.

use std::env::var;

use actix_4_jwt_auth::{
    AuthenticatedUser, Oidc, OidcBiscuitValidator, OidcConfig,
    biscuit::{Validation, ValidationOptions},
};
use actix_web::{App, HttpServer, get};
use serde::Deserialize;

#[derive(Deserialize)]
struct FoundClaims {
    sub: String,
}

#[get("/protected")]
async fn protected(user: AuthenticatedUser<FoundClaims>) -> String {
    user.claims.sub
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let authority = var("BEARWARD_CONTRACT_ISSUER")?;
    let oidc = Oidc::new(OidcConfig::Issuer(authority.clone().into())).await?;
    let validator = OidcBiscuitValidator {
        options: ValidationOptions {
            issuer: Validation::Validate(authority),
            audience: Validation::Validate(var("BEARWARD_CONTRACT_AUDIENCE")?),
            ..ValidationOptions::default()
        },
    };
    HttpServer::new(move || {
        App::new()
            .app_data(oidc.clone())
            .wrap(validator.clone())
            .service(protected)
    })
    .bind(format!("127.0.0.1:{}", var("PORT")?))?
    .run()
    .await?;
    Ok(())
}
