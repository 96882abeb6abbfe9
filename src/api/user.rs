//! `/api/user`: what users change of their accounts, and how they leave.

use actix_web::{HttpResponse, Responder};

use super::{ApiError, body::FieldReader, current_user::CurrentUser, openapi};
use crate::domain::{Profile, ProfileChange};

/// What a user may change. At least one of them.
#[derive(utoipa::ToSchema)]
#[schema(min_properties = 1)]
#[expect(dead_code, reason = "it describes what Fields reads")]
pub(super) struct ProfileFields {
    /// One line, without spaces around it.
    #[schema(schema_with = openapi::name)]
    name: Option<String>,
    /// An https URL.
    #[schema(
        max_length = 2048,
        format = "uri",
        example = "https://example.com/ada.png"
    )]
    picture: Option<String>,
}

/// Change name or picture
///
/// A field that is absent stays; null goes back to what the issuer says.
#[utoipa::path(
    patch, operation_id = "changeUser", path = "/api/user", tag = "account", request_body = ProfileFields,
    responses((status = 200, description = "The profile after the change", body = Profile))
)]
pub(super) async fn change(
    user: CurrentUser,
    mut body: FieldReader,
) -> Result<impl Responder, ApiError> {
    if body.is_empty() {
        body.problem(
            "name",
            "or picture must be there: there is nothing to change",
        );
    }
    let change = ProfileChange {
        name: body.nullable("name", ProfileChange::name),
        picture: body.nullable("picture", ProfileChange::picture),
    };
    let change = body.finish(Some(change))?;
    let now = user.now();
    let profile = user
        .on(async |store, owner| store.update_profile(owner, &change, now).await)
        .await?;
    Ok(HttpResponse::Ok().json(profile))
}

/// Leave
///
/// Erases every row of the caller. The token lives on until it expires: its next request makes a
/// new, empty account.
#[utoipa::path(delete, operation_id = "eraseUser", path = "/api/user", tag = "account", responses((status = 204, description = "Nothing is left")))]
pub(super) async fn erase(user: CurrentUser) -> Result<impl Responder, ApiError> {
    user.on(async |store, owner| store.delete_account(owner).await)
        .await?;
    user.forget();
    Ok(HttpResponse::NoContent())
}
