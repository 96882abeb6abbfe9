//! Custom claims must implement `serde::Deserialize`.

use actix_web::{HttpResponse, get};
use bearward::Principal;

struct MyClaims {
    tenant: String,
}

#[get("/invoices")]
async fn invoices(user: Principal<MyClaims>) -> HttpResponse {
    HttpResponse::Ok().body(user.custom().tenant.clone())
}

fn main() {}
