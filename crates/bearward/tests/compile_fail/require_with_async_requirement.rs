//! `Require` takes a requirement that is checked without waiting.

use actix_web::{Error, HttpRequest, HttpResponse, get};
use bearward::{AsyncRequirement, Bearward, NoCustomClaims, Require, Verified};

struct Editor;

impl AsyncRequirement for Editor {
    type Claims = NoCustomClaims;

    async fn check(_user: &Verified, _request: &HttpRequest) -> Result<(), Error> {
        Ok(())
    }
}

#[get("/drafts")]
async fn drafts(_editor: Require<Editor>) -> HttpResponse {
    HttpResponse::Ok().finish()
}

fn guard(auth: &Bearward) {
    let _guard = auth.require::<Editor>();
}

fn main() {}
