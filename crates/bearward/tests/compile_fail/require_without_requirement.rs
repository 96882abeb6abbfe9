//! The type parameter of `Require` must implement `Requirement`.

use actix_web::{HttpResponse, get};
use bearward::Require;

struct Admin;

#[get("/reports")]
async fn reports(_user: Require<Admin>) -> HttpResponse {
    HttpResponse::Ok().finish()
}

fn main() {}
