//! A requirement checks the claims type that it names.

use {AuthError, Requirement, Verified};

#[derive(serde::Deserialize)]
struct MyClaims {
    tenant: String,
}

struct OfAcme;

impl Requirement for OfAcme {
    type Claims = MyClaims;

    fn check(user: &Verified) -> Result<(), AuthError> {
        user.require_that(user.custom().tenant == "acme", "the tenant acme")
    }
}

fn main() {}
