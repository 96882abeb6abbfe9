//! Several issuers, each with its own audience, algorithms, keys and places for its claims. The token's `iss` picks the profile, exactly; a subject
//! means something only together with its issuer.
//!
//! `cargo run --example multi_issuer --no-default-features --features testing`

use actix_web::{App, HttpServer, Responder, get};
use bearward::{Algorithm, Bearward, ClaimMap, Issuer, Principal, TokenType};

mod support;
use support::{ADDRESS, Result, Tokens, curl};

/// A company's own identity provider: RFC 9068 access tokens, keys found by OIDC discovery, roles where Keycloak puts them.
fn staff() -> Result<Issuer> {
    let issuer = Issuer::new("https://id.example.com/realms/staff", "https://api.example.com")?;
    let claims = ClaimMap::default().set("roles", "/realm_access/roles")?;
    Ok(issuer.name("staff").algorithms([Algorithm::ES256])?.token_type(TokenType::AccessToken).claims(claims))
}

#[get("/whoami")]
async fn whoami(user: Principal) -> impl Responder {
    format!("{} of {}\n", user.subject(), user.issuer())
}

#[actix_web::main]
async fn main() -> Result {
    let tokens = Tokens::start().await?;
    // id.example.com answers nobody: its tokens get 503 with Retry-After, the other issuer's are not affected.
    let auth = Bearward::builder().issuer(tokens.issuer()?.name("customers")).issuer(staff()?).build().await?;

    let stranger = tokens.token(&[("iss", "https://somebody-else.example".into())]);
    tokens.try_this(&[curl("/whoami", &tokens.token(&[])), curl("/whoami", &stranger)]);
    let app = move || App::new().app_data(auth.clone()).service(whoami);
    Ok(HttpServer::new(app).bind(ADDRESS)?.run().await?)
}
