//! `/api/user`: what users change of their accounts, and how they leave.

use actix_web::{HttpResponse, Responder};

use super::{Problem, current_user::CurrentUser, fields::Fields};
use crate::domain::ProfileChange;

pub(super) async fn change(user: CurrentUser, mut body: Fields) -> Result<impl Responder, Problem> {
    if body.is_empty() {
        body.problem("name", "or picture must be there: there is nothing to change");
    }
    let change = ProfileChange {
        name: body.nullable("name", ProfileChange::name),
        picture: body.nullable("picture", ProfileChange::picture),
    };
    let change = body.finish(Some(change))?;
    let now = user.now();
    let profile = user.on(async |store, owner| store.change_profile(owner, &change, now).await).await?;
    Ok(HttpResponse::Ok().json(profile))
}

/// Erases every row of the caller. The token lives on until it expires: its next request makes a new, empty account.
pub(super) async fn erase(user: CurrentUser) -> Result<impl Responder, Problem> {
    user.on(async |store, owner| store.erase(owner).await).await?;
    user.forget();
    Ok(HttpResponse::NoContent())
}
