//! `Require` takes a requirement and `Principal` takes a claims type, not the reverse.

use actix_web::{HttpResponse, get};
use bearward::{AuthError, NoCustomClaims, Principal, Require, Requirement, Verified};

struct Admin;

impl Requirement for Admin {
    type Claims = NoCustomClaims;

    fn check(user: &Verified) -> Result<(), AuthError> {
        user.require_role("admin")
    }
}

#[get("/a")]
async fn requires_a_principal(_user: Require<Principal>) -> HttpResponse {
    HttpResponse::Ok().finish()
}

#[get("/b")]
async fn claims_of_a_requirement(_user: Principal<Admin>) -> HttpResponse {
    HttpResponse::Ok().finish()
}

fn main() {}
