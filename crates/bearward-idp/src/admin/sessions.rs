//! `GET /admin/sessions`: lists the active sessions.

use std::cmp::Reverse;

use actix_web::{HttpResponse, web::Data};
use serde_json::{Value, json};

use crate::auth::AuthService;

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
