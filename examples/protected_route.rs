//! Protects a route with one parameter.
//!
//! `Principal` requires a token, `MaybePrincipal` accepts requests without one, and a handler with
//! neither is public.
//!
//! `cargo run --example protected_route`

use actix_web::{App, HttpServer, Responder, get};
use bearward::{Bearward, MaybePrincipal, Principal};

mod support;
use support::{ADDRESS, Tokens, curl, curl_without_token};

#[get("/orders")]
async fn orders(user: Principal) -> impl Responder {
    format!("orders of {}\n", user.subject())
}

#[get("/feed")]
async fn feed(user: MaybePrincipal) -> impl Responder {
    match user.as_ref() {
        Some(user) => format!(
            "feed of {}\n",
            user.email().unwrap_or("a user without email")
        ),
        None => "public feed\n".to_owned(),
    }
}

#[get("/")]
async fn public() -> impl Responder {
    "public page\n"
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let tokens = Tokens::start().await?;
    let auth = Bearward::builder().issuer(tokens.issuer()?).build().await?;

    let token = tokens.token(&[]);
    tokens.try_this(&[
        curl("/orders", &token),
        curl_without_token("/orders"),
        curl("/feed", &token),
        curl_without_token("/feed"),
    ]);
    let app = move || {
        App::new()
            .app_data(auth.clone())
            .service(orders)
            .service(feed)
            .service(public)
    };
    Ok(HttpServer::new(app).bind(ADDRESS)?.run().await?)
}
