//! One's own claims must be readable by serde.

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
