//! `RequireAsync` takes an asynchronous requirement.

use actix_web::{HttpResponse, get};
use bearward::{AuthError, NoCustomClaims, RequireAsync, Requirement, Verified};

struct Admin;

impl Requirement for Admin {
    type Claims = NoCustomClaims;

    fn check(user: &Verified) -> Result<(), AuthError> {
        user.require_role("admin")
    }
}

#[get("/reports")]
async fn reports(_admin: RequireAsync<Admin>) -> HttpResponse {
    HttpResponse::Ok().finish()
}

fn main() {}
