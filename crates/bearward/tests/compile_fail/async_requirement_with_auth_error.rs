//! An asynchronous requirement returns an `actix_web::Error`, so that an outage is not a 403.

use actix_web::HttpRequest;
use bearward::{AsyncRequirement, AuthError, NoCustomClaims, Verified};

struct Editor;

impl AsyncRequirement for Editor {
    type Claims = NoCustomClaims;

    async fn check(user: &Verified, _request: &HttpRequest) -> Result<(), AuthError> {
        user.require_role("editor")
    }
}

fn main() {}
