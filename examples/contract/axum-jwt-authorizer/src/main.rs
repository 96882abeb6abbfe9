//! axum with jwt-authorizer, as in its README.

use std::env::var;

use axum::{Router, routing::get};
use jwt_authorizer::{
    Authorizer, IntoLayer, JwtAuthorizer, JwtClaims, RegisteredClaims, Validation,
};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let validation = Validation::new()
        .iss(&[var("BEARWARD_CONTRACT_ISSUER")?])
        .aud(&[var("BEARWARD_CONTRACT_AUDIENCE")?])
        .nbf(true)
        .leeway(20)
        .algs(vec![jsonwebtoken::Algorithm::RS256]);
    let auth: Authorizer = JwtAuthorizer::from_jwks_url(&var("BEARWARD_CONTRACT_JWKS_URL")?)
        .validation(validation)
        .build()
        .await?;
    let app = Router::new()
        .route("/protected", get(protected))
        .layer(auth.into_layer());
    let listener = TcpListener::bind(format!("127.0.0.1:{}", var("PORT")?)).await?;
    axum::serve(listener, app).await?;
    Ok(())
}

async fn protected(JwtClaims(user): JwtClaims<RegisteredClaims>) -> String {
    user.sub.unwrap_or_default()
}
