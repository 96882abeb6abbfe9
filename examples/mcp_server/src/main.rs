//! Serves the notes at `MCP_URL`, for users of the identity provider at `SUPABASE_URL`.

use std::{env, error::Error};

use actix_web::{App, HttpServer};
use bearward::KeySource;
use mcp_server::{McpService, routes, verifier};

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt().init();
    let variable = |name, default: &str| env::var(name).unwrap_or_else(|_| default.to_owned());
    let supabase_url = variable("SUPABASE_URL", "http://127.0.0.1:9999");
    let resource = variable("MCP_URL", "http://127.0.0.1:8080/mcp");
    let bind = variable("MCP_BIND", "127.0.0.1:8080");

    let issuer = format!("{}/auth/v1", supabase_url.trim_end_matches('/'));
    let keys = KeySource::Url(format!("{issuer}/.well-known/jwks.json").parse()?);
    let auth = verifier(&issuer, keys, &resource).await?;
    let host = resource.parse::<http::Uri>()?;
    let service = McpService::new(host.authority().map(ToString::to_string));

    let app = move || App::new().configure(|config| routes(&auth, &service, config));
    let server = HttpServer::new(app).bind(&bind)?;
    println!("Listening on http://{bind}, MCP endpoint {resource}");
    Ok(server.run().await?)
}
