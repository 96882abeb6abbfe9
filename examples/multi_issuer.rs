//! Accepts tokens of several issuers, each with its own audience, algorithms, keys and claim
//! mapping.
//!
//! The `iss` claim selects the issuer by exact comparison. A subject is unique only together with
//! its issuer.
//!
//! `cargo run --example multi_issuer`

use actix_web::{App, HttpServer, Responder, get};
use bearward::{
    Algorithm, Bearward, ClaimMapping, Issuer, IssuerError, KeySource, Principal, TypRule,
};

mod support;
use support::{ADDRESS, Tokens, curl};

/// An identity provider with RFC 9068 access tokens, Keycloak's location for roles, and one fixed
/// key. Without `.keys(..)` the keys are found through OpenID Connect discovery.
fn staff_issuer() -> Result<Issuer, IssuerError> {
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
        .claim_mapping(claims)
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
        .issuer(staff_issuer()?)
        .build()
        .await?;

    let unknown_issuer = tokens.token(&[("iss", "https://unknown.example".into())]);
    tokens.try_this(&[
        curl("/whoami", &tokens.token(&[])),
        curl("/whoami", &unknown_issuer),
    ]);
    let app = move || App::new().app_data(auth.clone()).service(whoami);
    Ok(HttpServer::new(app).bind(ADDRESS)?.run().await?)
}
