//! Custom claims outlive the text of the token, so they cannot borrow from it.

use actix_web::{HttpResponse, get};
use bearward::Principal;

#[derive(serde::Deserialize)]
struct MyClaims<'a> {
    tenant: &'a str,
}

#[get("/invoices")]
async fn invoices(user: Principal<MyClaims<'_>>) -> HttpResponse {
    HttpResponse::Ok().body(user.custom().tenant.to_owned())
}

fn main() {}
