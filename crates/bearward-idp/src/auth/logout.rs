//! `POST /logout`: revokes this session, the others, or all of them. Issued access tokens stay valid
//! until they expire.

use std::borrow::Cow;

use actix_web::{
    HttpResponse,
    web::{Data, Query},
};
use serde::Deserialize;

use super::{bearer::BearerSession, error::AuthApiError, service::AuthService};

#[derive(Deserialize)]
pub(crate) struct LogoutQuery {
    scope: Option<String>,
}

pub(crate) async fn logout(
    auth: Data<AuthService>,
    bearer: BearerSession,
    query: Query<LogoutQuery>,
) -> Result<HttpResponse, AuthApiError> {
    let scope = query.scope.as_deref().unwrap_or_default();
    if !matches!(scope, "" | "global" | "local" | "others") {
        let message = format!("Unsupported logout scope {scope:?}");
        let message = Cow::Owned(message);
        return Err(AuthApiError::Plain(400, "validation_failed", message));
    }
    auth.update(|state, _| {
        state.revoke_sessions(|session| {
            session.user_id == bearer.user_id
                && match (scope, bearer.session_id) {
                    ("local", Some(this)) => session.id == this,
                    ("others", Some(this)) => session.id != this,
                    _ => true,
                }
        });
        Ok(HttpResponse::NoContent().finish())
    })
    .await
}
