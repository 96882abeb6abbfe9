//! `GET /protected`: who the token says you are; touches no database.

use actix_web::{HttpResponse, Responder};
use serde::Serialize;

use crate::Principal;

#[derive(Serialize)]
struct Whoami<'a> {
    user_id: &'a str,
    email: Option<&'a str>,
}

pub(super) async fn protected(user: Principal) -> impl Responder {
    HttpResponse::Ok().json(Whoami { user_id: user.subject(), email: user.email() })
}
