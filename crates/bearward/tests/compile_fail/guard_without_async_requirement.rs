//! A requirement that is checked without waiting is not an asynchronous one.

use bearward::{AuthError, Bearward, NoCustomClaims, Requirement, Verified};

struct Admin;

impl Requirement for Admin {
    type Claims = NoCustomClaims;

    fn check(user: &Verified) -> Result<(), AuthError> {
        user.require_role("admin")
    }
}

fn guard(auth: &Bearward) {
    let _guard = auth.require_async::<Admin>();
}

fn main() {}
