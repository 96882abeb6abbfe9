//! Claims of one's own: any type that serde can read, in a handler and in a requirement.
//!
//! `cargo run --example own_claims --no-default-features --features testing`

use actix_web::{App, HttpServer, Responder, get};
use bearward::{AuthError, Bearward, Principal, Require, Requirement, Verified};
use serde::Deserialize;
use serde_json::json;

mod support;
use support::{ADDRESS, Tokens, curl};

/// What this service reads beside the standard claims; everything else in the token is ignored.
#[derive(Deserialize)]
struct Membership {
    tenant: String,
    #[serde(default)]
    plan: Plan,
}

#[derive(Deserialize, Default, PartialEq, Debug)]
#[serde(rename_all = "lowercase")]
enum Plan {
    #[default]
    Free,
    Pro,
}

/// Whoever pays.
struct Paying;

impl Requirement for Paying {
    type Claims = Membership;

    fn check(user: &Verified<Membership>) -> Result<(), AuthError> {
        user.require_that(user.custom().plan == Plan::Pro, "the plan \"pro\"")
    }
}

#[get("/invoices")]
async fn invoices(user: Principal<Membership>) -> impl Responder {
    format!(
        "the invoices of {} ({:?}), asked for by {}\n",
        user.custom().tenant,
        user.custom().plan,
        user.subject()
    )
}

#[get("/exports")]
async fn exports(user: Require<Paying>) -> impl Responder {
    format!("the exports of {}\n", user.custom().tenant)
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let tokens = Tokens::start().await?;
    let auth = Bearward::builder().issuer(tokens.issuer()?).build().await?;

    let (free, pro) = (
        tokens.token(&[("tenant", json!("acme"))]),
        tokens.token(&[("tenant", json!("acme")), ("plan", json!("pro"))]),
    );
    tokens.try_this(&[
        curl("/invoices", &free),
        curl("/exports", &pro),
        curl("/exports", &free),
        curl("/invoices", &tokens.token(&[])),
    ]);
    let app = move || {
        App::new()
            .app_data(auth.clone())
            .service(invoices)
            .service(exports)
    };
    Ok(HttpServer::new(app).bind(ADDRESS)?.run().await?)
}
