//! Requires a role with `Require<Admin>`, and an assurance level with `Require<SecondFactor>`.
//!
//! `cargo run --example require_role`

use actix_web::{App, HttpServer, Responder, delete, get};
use bearward::{AuthError, Bearward, NoCustomClaims, Require, Requirement, Verified};
use serde_json::json;

mod support;
use support::{ADDRESS, Tokens, curl};

/// Requires the role `admin` in `app_metadata.roles`.
struct Admin;

impl Requirement for Admin {
    type Claims = NoCustomClaims;

    fn check(user: &Verified) -> Result<(), AuthError> {
        user.require_role("admin")
    }
}

/// Requires the role `admin` and a second factor. A token without it gets a 401 with `acr_values`
/// (RFC 9470), so that the frontend can request step-up authentication.
struct SecondFactor;

impl Requirement for SecondFactor {
    type Claims = NoCustomClaims;

    fn check(user: &Verified) -> Result<(), AuthError> {
        Admin::check(user)?;
        user.require_aal("aal2")
    }
}

#[get("/reports")]
async fn reports(admin: Require<Admin>) -> impl Responder {
    format!("reports for {}\n", admin.subject())
}

#[delete("/users/{id}")]
async fn remove(admin: Require<SecondFactor>) -> impl Responder {
    format!("removed by {}\n", admin.subject())
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let tokens = Tokens::start().await?;
    let auth = Bearward::builder().issuer(tokens.issuer()?).build().await?;

    let (user, admin) = (
        tokens.token(&[]),
        tokens.token(&[("app_metadata", json!({ "roles": ["admin"] }))]),
    );
    let removal = curl("/users/7 -X DELETE", &admin);
    tokens.try_this(&[curl("/reports", &admin), curl("/reports", &user), removal]);
    let app = move || {
        App::new()
            .app_data(auth.clone())
            .service(reports)
            .service(remove)
    };
    Ok(HttpServer::new(app).bind(ADDRESS)?.run().await?)
}
