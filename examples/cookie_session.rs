//! Takes the token from a cookie, for web pages whose scripts must not read it.
//!
//! Browsers attach cookies to cross-site requests, so requests with unsafe methods are rejected
//! unless their `Origin` is listed.
//!
//! `cargo run --example cookie_session`

use actix_web::{
    App, HttpResponse, HttpServer, Responder,
    cookie::{Cookie, SameSite},
    delete, get, post,
};
use bearward::{Bearward, CookieSource, Principal};

mod support;
use support::{ADDRESS, Tokens, curl};

const COOKIE: &str = "__Host-session";
const FRONTEND: &str = "http://localhost:3000";

/// Sets the cookie. The page signs in at the issuer and sends its token once, in the header.
#[post("/session")]
async fn create_session(user: Principal, request: actix_web::HttpRequest) -> impl Responder {
    let header = request
        .headers()
        .get("authorization")
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let token = header.rsplit(' ').next().unwrap_or_default().to_owned();
    let cookie = Cookie::build(COOKIE, token)
        .path("/")
        .secure(true)
        .http_only(true)
        .same_site(SameSite::Lax);
    HttpResponse::Ok()
        .cookie(cookie.finish())
        .body(format!("welcome, {}\n", user.subject()))
}

/// Deletes the cookie. Call this before the next sign-in too: a header and a cookie in one request
/// are rejected, and scripts cannot delete an `HttpOnly` cookie.
#[delete("/session")]
async fn delete_session() -> impl Responder {
    let mut cookie = Cookie::build(COOKIE, "")
        .path("/")
        .secure(true)
        .http_only(true)
        .finish();
    cookie.make_removal();
    HttpResponse::NoContent().cookie(cookie).finish()
}

#[get("/me")]
async fn me(user: Principal) -> impl Responder {
    format!("{}\n", user.subject())
}

#[post("/orders")]
async fn create_order(user: Principal) -> impl Responder {
    format!("ordered by {}\n", user.subject())
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let tokens = Tokens::start().await?;
    let cookie = CookieSource::new(COOKIE, [FRONTEND]);
    let auth = Bearward::builder()
        .issuer(tokens.issuer()?)
        .cookie(cookie)
        .build()
        .await?;

    let token = tokens.token(&[]);
    let with_cookie = format!("-H \"Cookie: {COOKIE}={token}\"");
    tokens.try_this(&[
        curl("/session -X POST", &token),
        format!("curl -i http://{ADDRESS}/me {with_cookie}"),
        format!("curl -i -X POST http://{ADDRESS}/orders -H \"Origin: {FRONTEND}\" {with_cookie}"),
        format!("curl -i -X POST http://{ADDRESS}/orders -H \"Origin: https://evil.example\" {with_cookie}   # 403"),
    ]);
    let app = move || {
        App::new()
            .app_data(auth.clone())
            .service(create_session)
            .service(delete_session)
            .service(me)
            .service(create_order)
    };
    Ok(HttpServer::new(app).bind(ADDRESS)?.run().await?)
}
