//! A route is protected by one parameter, `Principal`; with `MaybePrincipal` it serves strangers
//! too; without either it is public.
//!
//! `cargo run --example protected_route`
//! (with `SUPABASE_URL` set, `--features actix,remote` is enough)

use actix_web::{App, HttpServer, Responder, get};
use bearward::{Bearward, MaybePrincipal, Principal};

mod support;
use support::{ADDRESS, Tokens, curl, curl_without_token};

#[get("/orders")]
async fn orders(user: Principal) -> impl Responder {
    format!("the orders of {}\n", user.subject())
}

#[get("/feed")]
async fn feed(user: MaybePrincipal) -> impl Responder {
    match user.as_ref() {
        Some(user) => format!("the feed of {}\n", user.email().unwrap_or("somebody")),
        None => "the feed for everybody\n".to_owned(),
    }
}

#[get("/")]
async fn public() -> impl Responder {
    "anybody may read this\n"
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
