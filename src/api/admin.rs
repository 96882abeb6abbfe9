//! `/api/admin/users`: who is there, and who may come in.

use actix_web::{
    HttpRequest, HttpResponse, Responder,
    web::{Data, Path},
};
use bearward::{AuthError, NoCustomClaims, RequestId, Requirement, Verified};
use uuid::Uuid;

use super::{
    ApiError,
    body::FieldReader,
    current_user::CurrentUser,
    openapi::ErrorEnvelope,
    status::{PageQuery, page},
};
use crate::{
    accounts::Accounts,
    domain::{Administrator, Page, Profile},
};

/// The role that administers accounts.
pub(super) struct Admin;

impl Requirement for Admin {
    type Claims = NoCustomClaims;

    fn check(user: &Verified) -> Result<(), AuthError> {
        user.require_role("admin")
    }
}

/// Behind `with_account::<Admin>` alone.
const ADMINISTRATOR: Administrator = Administrator::new();

/// Every account, the latest first
#[utoipa::path(
    get, path = "/api/admin/users", operation_id = "listUsers", tag = "administration", params(PageQuery),
    responses((status = 200, description = "A page", body = Page<Profile>))
)]
pub(super) async fn list(
    user: CurrentUser,
    request: HttpRequest,
) -> Result<impl Responder, ApiError> {
    let page = page(&request)?;
    let page = user
        .on(async |store, _| store.users(&ADMINISTRATOR, page).await)
        .await?;
    Ok(HttpResponse::Ok().json(page))
}

/// Whether an account may be used.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "it describes what Fields reads")]
pub(super) struct AccountStatus {
    #[schema(example = false)]
    is_active: bool,
}

/// Let an account be used, or not
///
/// A closed account is refused on every replica within 20 seconds.
#[utoipa::path(
    patch, path = "/api/admin/users/{id}", operation_id = "setUserActive", tag = "administration", request_body = AccountStatus,
    params(("id" = String, Path, description = "The account's `id`", format = Uuid)),
    responses(
        (status = 200, description = "The account after the change", body = Profile),
        (status = 404, description = "There is no such account", body = ErrorEnvelope)
    )
)]
pub(super) async fn set_active(
    user: CurrentUser,
    accounts: Data<Accounts>,
    request: HttpRequest,
    id: Path<String>,
    mut body: FieldReader,
) -> Result<impl Responder, ApiError> {
    let is_active = body.flag("is_active");
    let is_active = body.finish(is_active)?;
    let absent = || {
        ApiError::not_found(
            RequestId::from_request(&request),
            "there is no account with this id",
        )
    };
    let id = Uuid::try_parse(&id).map_err(|_| absent())?;
    let now = user.now();
    let profile = user
        .on(async |store, _| store.set_active(&ADMINISTRATOR, id, is_active, now).await)
        .await?
        .ok_or_else(absent)?;
    accounts.forget(&profile.issuer, &profile.subject);
    Ok(HttpResponse::Ok().json(profile))
}
