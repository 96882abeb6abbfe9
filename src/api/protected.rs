//! `GET /protected`: who the token says you are; touches no database.

use actix_web::{HttpResponse, Responder};
use bearward::Principal;
use serde::Serialize;

/// The caller, by the token alone.
#[derive(Serialize, utoipa::ToSchema)]
struct Whoami<'a> {
    /// `sub`.
    #[schema(example = "11111111-2222-4333-8444-555555555555")]
    user_id: &'a str,
    /// `email`.
    #[schema(example = "ada@example.com")]
    email: Option<&'a str>,
}

/// Who the token says you are
///
/// Touches no database: the plainest protected route.
#[utoipa::path(get, operation_id = "whoami", path = "/protected", tag = "account", responses((status = 200, description = "The token's subject", body = inline(Whoami))))]
pub(super) async fn protected(user: Principal) -> impl Responder {
    HttpResponse::Ok().json(Whoami {
        user_id: user.subject(),
        email: user.email(),
    })
}
