//! `GET /protected`: the subject of the token. Does not use the database.

use actix_web::{HttpResponse, Responder};
use bearward::Principal;
use serde::Serialize;

use super::schema::TokenErrors;

/// The subject of the token.
#[derive(Serialize, utoipa::ToSchema)]
struct Whoami<'a> {
    /// `sub`.
    #[schema(example = "11111111-2222-4333-8444-555555555555")]
    user_id: &'a str,
    /// `email`.
    #[schema(example = "ada@example.com")]
    email: Option<&'a str>,
}

/// Get the token's subject
///
/// The simplest protected endpoint: it does not use the database.
#[utoipa::path(
    get, operation_id = "whoami", path = "/protected", tag = "account",
    responses(TokenErrors, (status = 200, description = "The token's subject", body = inline(Whoami)))
)]
pub(super) async fn protected(user: Principal) -> impl Responder {
    HttpResponse::Ok().json(Whoami {
        user_id: user.subject(),
        email: user.email(),
    })
}
