//! Several issuers, each with its own audience, algorithms, keys and places for its claims. The
//! token's `iss` picks the profile, exactly; a subject means something only together with its
//! issuer.
//!
//! `cargo run --example multi_issuer`

use actix_web::{App, HttpServer, Responder, get};
use bearward::{
    Algorithm, Bearward, ClaimMapping, Issuer, IssuerError, KeySource, Principal, TypRule,
};

mod support;
use support::{ADDRESS, Tokens, curl};

/// A company's own identity provider: RFC 9068 access tokens, roles where Keycloak puts them, and
/// one key that never changes. Without `.keys(..)` the keys would be found by OIDC discovery.
fn staff() -> Result<Issuer, IssuerError> {
    let keys = r#"{"keys": [{
        "kty": "EC", "crv": "P-256", "alg": "ES256", "kid": "staff-1",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
    }]}"#;
    let claims = ClaimMapping::default().set("roles", "/realm_access/roles")?;
    let issuer = Issuer::new(
        "https://id.example.com/realms/staff",
        "https://api.example.com",
    )?
    .name("staff");
    Ok(issuer
        .algorithms([Algorithm::ES256])?
        .token_type(TypRule::AtJwt)
        .claims(claims)
        .keys(KeySource::Fixed(keys.to_owned())))
}

#[get("/whoami")]
async fn whoami(user: Principal) -> impl Responder {
    format!("{} of {}\n", user.subject(), user.issuer())
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let tokens = Tokens::start().await?;
    let auth = Bearward::builder()
        .issuer(tokens.issuer()?.name("customers"))
        .issuer(staff()?)
        .build()
        .await?;

    let stranger = tokens.token(&[("iss", "https://somebody-else.example".into())]);
    tokens.try_this(&[
        curl("/whoami", &tokens.token(&[])),
        curl("/whoami", &stranger),
    ]);
    let app = move || App::new().app_data(auth.clone()).service(whoami);
    Ok(HttpServer::new(app).bind(ADDRESS)?.run().await?)
}
