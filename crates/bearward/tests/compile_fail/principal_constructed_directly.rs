//! A principal cannot be constructed directly, only extracted from a request.

use bearward::{MaybePrincipal, Principal, Verified};

fn forge(verified: Verified) -> Principal {
    Principal(verified)
}

fn forge_from_a_default() -> MaybePrincipal {
    MaybePrincipal::default()
}

fn main() {}
