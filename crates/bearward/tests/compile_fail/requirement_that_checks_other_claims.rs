//! A requirement checks the claims type that it names.

use bearward::{Rejection, Requirement, Verified};

#[derive(serde::Deserialize)]
struct MyClaims {
    tenant: String,
}

struct OfAcme;

impl Requirement for OfAcme {
    type Claims = MyClaims;

    fn check(user: &Verified) -> Result<(), Rejection> {
        user.require(user.own().tenant == "acme", "the tenant acme")
    }
}

fn main() {}
