//! `/api/admin/users`: who is there, and who may come in.

use actix_web::{
    HttpRequest, HttpResponse, Responder,
    web::{Data, Path},
};
use uuid::Uuid;

use super::{Problem, current_user::CurrentUser, fields::Fields, status::page};
use crate::{RequestId, Requirement, Standard, Verified, accounts::Accounts, auth::error::Rejection, domain::Administrator};

/// The role that administers accounts.
pub(super) struct Admin;

impl Requirement for Admin {
    type Claims = Standard;

    fn check(user: &Verified) -> Result<(), Rejection> {
        user.require_role("admin")
    }
}

/// Behind `for_users::<Admin>` alone.
const ADMINISTRATOR: Administrator = Administrator::new();

pub(super) async fn list(user: CurrentUser, request: HttpRequest) -> Result<impl Responder, Problem> {
    let page = page(&request)?;
    let page = user.on(async |store, _| store.users(&ADMINISTRATOR, page).await).await?;
    Ok(HttpResponse::Ok().json(page))
}

pub(super) async fn set_active(
    user: CurrentUser,
    accounts: Data<Accounts>,
    request: HttpRequest,
    id: Path<String>,
    mut body: Fields,
) -> Result<impl Responder, Problem> {
    let is_active = body.flag("is_active");
    let is_active = body.finish(is_active)?;
    let absent = || Problem::not_found(RequestId::of(&request), "there is no account with this id");
    let id = Uuid::try_parse(&id).map_err(|_| absent())?;
    let now = user.now();
    let profile =
        user.on(async |store, _| store.set_active(&ADMINISTRATOR, id, is_active, now).await).await?.ok_or_else(absent)?;
    accounts.forget(&profile.issuer, &profile.subject);
    Ok(HttpResponse::Ok().json(profile))
}
