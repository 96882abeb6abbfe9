//! Protects a whole scope with a guard instead of a parameter in each handler.
//!
//! The guard rejects requests before routing, other extractors and the body. A `Principal` behind it
//! reuses the guard's result.
//!
//! `cargo run --example scope_guard`

use actix_web::{App, HttpServer, Responder, get, post, web};
use bearward::{AuthError, Bearward, NoCustomClaims, Principal, Requirement, Verified};
use serde_json::json;

mod support;
use support::{ADDRESS, Tokens, curl, curl_without_token};

/// Requires the OAuth scopes `orders:read` and `orders:write`.
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
    // With actix-cors, add .wrap(cors) after .wrap(auth.require()): the last middleware is outermost,
    // and preflight requests carry no token.
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
