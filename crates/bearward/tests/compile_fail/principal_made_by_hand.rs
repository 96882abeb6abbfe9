//! A principal cannot be made of evidence by hand either: only a request has one.

use {MaybePrincipal, Principal, Verified};

fn forge(verified: Verified) -> Principal {
    Principal(verified)
}

fn forge_from_a_default() -> MaybePrincipal {
    MaybePrincipal::default()
}

fn main() {}
