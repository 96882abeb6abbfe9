//! `/api/auth/sessions`: lists and ends the sessions of the caller.

use actix_web::{
    HttpResponse, Responder,
    web::{Data, Path},
};
use bearward::Revocation;
use serde::Serialize;
use uuid::Uuid;

use super::{
    ApiError,
    current_user::CurrentUser,
    revocations::add,
    schema::{AccountErrors, ErrorEnvelope},
};
use crate::{
    audit::Action,
    domain::{RevocationReason, UserSession},
    revocations::SharedRevocations,
    user_sessions::UserSessions,
};

/// The sessions of the caller.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Sessions {
    /// At most 100, the last used one first.
    items: Vec<UserSession>,
}

/// List sessions
///
/// Returns the sessions of the caller that this server has received tokens of in the last 30 days
/// and that have not ended, as far as the server knows. Tokens without a session id are in none of
/// them.
#[utoipa::path(
    get, operation_id = "listSessions", path = "/api/auth/sessions", tag = "account",
    responses(AccountErrors, (status = 200, description = "The sessions", body = Sessions))
)]
pub(super) async fn list(
    user: CurrentUser,
    sessions: Data<UserSessions>,
) -> Result<impl Responder, ApiError> {
    let caller = user.verified();
    let items = user
        .with_store(async |store, owner| sessions.list(store, owner, caller).await)
        .await?;
    Ok(HttpResponse::Ok().json(Sessions { items }))
}

/// End a session
///
/// Revokes the access tokens of one of the caller's sessions on every replica within two seconds,
/// also those that the issuer still issues for it. Does not end the session at the identity
/// provider.
#[utoipa::path(
    delete, operation_id = "endSession", path = "/api/auth/sessions/{id}", tag = "account",
    params(("id" = String, Path, description = "The session's `id` in the list", format = Uuid)),
    responses(
        AccountErrors,
        (status = 204, description = "The session has ended"),
        (status = 404, description = "The caller has no such session", body = ErrorEnvelope)
    )
)]
pub(super) async fn end(
    user: CurrentUser,
    list: Data<SharedRevocations>,
    id: Path<String>,
) -> Result<impl Responder, ApiError> {
    let not_found = || ApiError::not_found(user.request_id(), "you have no session with this id");
    let id = Uuid::try_parse(&id).map_err(|_| not_found())?;
    let session = user
        .with_store(async |store, owner| {
            let session = store.session(owner, id).await?;
            if let Some(session) = &session {
                // First the row: if that fails, nothing is revoked and the caller can repeat the
                // request.
                store.end_session(owner, &session.session).await?;
            }
            Ok(session)
        })
        .await?
        .ok_or_else(not_found)?;
    let caller = user.verified();
    let revocation = Revocation::session(caller.canonical_issuer(), &session.session_id);
    let entry = list.entry(&revocation, RevocationReason::SignOut, Some(caller));
    add(&list, entry.into_iter().collect(), user.request_id()).await?;
    user.record(Action::SessionEnded, &id.to_string());
    Ok(HttpResponse::NoContent())
}
