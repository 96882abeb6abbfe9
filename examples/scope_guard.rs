//! A guard around a whole scope, for teams that prefer one line over one parameter in each handler.
//! It answers before any handler, any other parameter, and any body; `Principal` behind it verifies
//! nothing again.
//!
//! `cargo run --example scope_guard`

use actix_web::{App, HttpServer, Responder, get, post, web};
use bearward::{AuthError, Bearward, NoCustomClaims, Principal, Requirement, Verified};
use serde_json::json;

mod support;
use support::{ADDRESS, Tokens, curl, curl_without_token};

/// May read and write orders: two scopes of OAuth.
struct Clerk;

impl Requirement for Clerk {
    type Claims = NoCustomClaims;

    fn check(user: &Verified) -> Result<(), AuthError> {
        user.require_scope("orders:read orders:write")
    }
}

#[get("")]
async fn list() -> impl Responder {
    "all orders\n"
}

#[post("")]
async fn create(user: Principal, order: web::Json<serde_json::Value>) -> impl Responder {
    format!("{} ordered {order}\n", user.subject())
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let tokens = Tokens::start().await?;
    let auth = Bearward::builder().issuer(tokens.issuer()?).build().await?;

    let clerk = tokens.token(&[("scope", json!("orders:read orders:write"))]);
    let order = curl(
        "/orders -H 'Content-Type: application/json' -d '{\"item\": \"tea\"}'",
        &clerk,
    );
    tokens.try_this(&[
        curl("/orders", &clerk),
        order,
        curl("/orders", &tokens.token(&[])),
        curl_without_token("/orders/nothing-here"),
    ]);
    // With actix-cors, add .wrap(cors) after .wrap(auth.require()): the last one is outermost, and
    // a preflight carries no token.
    let app = move || {
        App::new().service(
            web::scope("/orders")
                .wrap(auth.require::<Clerk>())
                .service(list)
                .service(create),
        )
    };
    Ok(HttpServer::new(app).bind(ADDRESS)?.run().await?)
}
