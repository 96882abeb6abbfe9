//! `Require` takes a type that says what it requires.

use actix_web::{HttpResponse, get};
use bearward::Require;

struct Admin;

#[get("/reports")]
async fn reports(_user: Require<Admin>) -> HttpResponse {
    HttpResponse::Ok().finish()
}

fn main() {}
