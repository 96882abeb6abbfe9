//! Reads custom claims into a type that implements `Deserialize`, in a handler and in a requirement.
//!
//! `cargo run --example custom_claims`

use actix_web::{App, HttpServer, Responder, get};
use bearward::{AuthError, Bearward, Principal, Require, Requirement, Verified};
use serde::Deserialize;
use serde_json::json;

mod support;
use support::{ADDRESS, Tokens, curl};

/// The custom claims of this service. Other claims of the token are ignored.
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

/// Requires the plan "pro".
struct ProPlan;

impl Requirement for ProPlan {
    type Claims = Membership;

    fn check(user: &Verified<Membership>) -> Result<(), AuthError> {
        user.require_that(user.custom().plan == Plan::Pro, "the plan \"pro\"")
    }
}

#[get("/invoices")]
async fn invoices(user: Principal<Membership>) -> impl Responder {
    format!(
        "invoices of {} ({:?}), requested by {}\n",
        user.custom().tenant,
        user.custom().plan,
        user.subject()
    )
}

#[get("/exports")]
async fn exports(user: Require<ProPlan>) -> impl Responder {
    format!("exports of {}\n", user.custom().tenant)
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
