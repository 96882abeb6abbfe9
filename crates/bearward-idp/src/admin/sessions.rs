//! `/admin/sessions`: lists the active sessions and ends one.

use std::cmp::Reverse;

use actix_web::{
    HttpResponse,
    http::StatusCode,
    web::{Data, Path},
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    auth::AuthService,
    error::{error_response, storage_error},
};

/// Number of sessions in the list.
const MAX_SESSIONS: usize = 100;

/// Lists the newest sessions, newest first.
pub(crate) async fn list(auth: Data<AuthService>) -> HttpResponse {
    let sessions = auth
        .read(|state, _| {
            let mut sessions: Vec<_> = state.sessions().collect();
            sessions.sort_by_key(|session| Reverse(session.created_at()));
            let email = |id| {
                state
                    .user(id)
                    .map(|user| user.email.as_str())
                    .unwrap_or_default()
            };
            sessions
                .into_iter()
                .take(MAX_SESSIONS)
                .map(|session| session.summary(email(session.user_id)))
                .collect::<Vec<Value>>()
        })
        .await;
    HttpResponse::Ok()
        .insert_header(("cache-control", "no-store"))
        .json(json!({ "sessions": sessions }))
}

/// Ends a session, as a sign-out does: its refresh token is no longer accepted, and a logout token
/// is sent.
pub(crate) async fn revoke(auth: Data<AuthService>, id: Path<String>) -> HttpResponse {
    let Ok(id) = Uuid::parse_str(&id) else {
        return session_not_found();
    };
    let ended = auth.update(|state, _| {
        let exists = state.session(id).is_some();
        state.revoke_sessions(|session| session.id == id);
        Ok(exists)
    });
    match ended.await {
        Ok(true) => HttpResponse::NoContent().finish(),
        Ok(false) => session_not_found(),
        Err(_) => storage_error("the change could not be written to the data file"),
    }
}

fn session_not_found() -> HttpResponse {
    error_response(
        StatusCode::NOT_FOUND,
        "NOT_FOUND",
        "no session has this id; GET /admin/sessions lists the sessions",
    )
}
