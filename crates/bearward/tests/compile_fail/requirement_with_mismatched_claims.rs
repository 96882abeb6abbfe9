//! `Requirement::check` takes the claims type that the requirement declares.

use bearward::{AuthError, Requirement, Verified};

#[derive(serde::Deserialize)]
struct MyClaims {
    tenant: String,
}

struct AcmeTenant;

impl Requirement for AcmeTenant {
    type Claims = MyClaims;

    fn check(user: &Verified) -> Result<(), AuthError> {
        user.require_that(user.custom().tenant == "acme", "the tenant acme")
    }
}

fn main() {}
