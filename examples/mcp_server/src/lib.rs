//! An MCP server over HTTP whose tools work on the caller's own notes.
//!
//! `bearward` authenticates every request and answers with the challenges that MCP clients rely on;
//! `rmcp` implements the protocol.

mod authorization;
mod notes;
mod tools;
mod transport;

use std::error::Error;

use actix_cors::Cors;
use actix_web::web::{self, Data, ServiceConfig};
use bearward::{Bearward, Issuer, KeySource, ProtectedResource};

pub use self::transport::McpService;

/// Builds the verifier of an MCP server at `resource`, for tokens that `issuer` issues for it.
///
/// # Errors
/// If one of the URLs is invalid.
pub async fn verifier(
    issuer: &str,
    keys: KeySource,
    resource: &str,
) -> Result<Bearward, Box<dyn Error>> {
    let protected_resource = ProtectedResource::new(resource)?
        .name("Notes")
        .scopes([authorization::READ, authorization::WRITE]);
    let auth = Bearward::builder()
        .issuer(Issuer::new(issuer, resource)?.keys(keys))
        .protected_resource(protected_resource)
        .build()
        .await?;
    Ok(auth)
}

/// Registers the MCP endpoint at `/mcp` and its metadata.
pub fn routes(auth: &Bearward, service: &McpService, config: &mut ServiceConfig) {
    // Clients in browsers read the challenge. A page gains nothing from CORS without a token.
    let cors = Cors::default()
        .allow_any_origin()
        .allow_any_header()
        .allowed_methods(["GET", "POST", "DELETE"])
        .expose_headers(["www-authenticate", "mcp-session-id"]);
    auth.metadata_routes(config);
    config
        .app_data(Data::new(auth.clone()))
        .app_data(Data::new(service.clone()))
        .service(
            web::resource("/mcp")
                .wrap(cors)
                .route(web::route().to(transport::mcp)),
        );
}
