//! axum with huskarl-axum, as in its guides for tokens that do not follow RFC 9068.

use std::{env::var, error::Error};

use axum::{Router, routing::get};
use huskarl_axum::{
    extractors::ValidatedToken,
    layers::ValidatorLayer,
    resource_server::{
        core::server_metadata::AuthorizationServerMetadata, validator::custom::CustomValidator,
    },
};
use huskarl_reqwest::ReqwestClient;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let client = ReqwestClient::builder().build().await?;
    let metadata = AuthorizationServerMetadata::oidc_fetch()
        .http_client(&client)
        .issuer(var("BEARWARD_CONTRACT_ISSUER")?)
        .call()
        .await?;
    let validator = CustomValidator::builder_from_metadata(&metadata)
        .iss(metadata.issuer.clone())
        .aud(var("BEARWARD_CONTRACT_AUDIENCE")?)
        .allowed_signing_algorithms(vec!["RS256".to_owned()])
        .jwks_source(client)
        .build()
        .await?;
    let port = var("PORT")?;
    // Required for DPoP: proofs name the URL of the request.
    let auth = ValidatorLayer::builder()
        .validator(validator)
        .base_url(format!("http://127.0.0.1:{port}"))?
        .build();
    let app = Router::new()
        .route("/protected", get(protected))
        .layer(auth.authenticated());
    let listener = TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    axum::serve(listener, app).await?;
    Ok(())
}

async fn protected(token: ValidatedToken<()>) -> String {
    token.sub.clone().unwrap_or_default()
}
