//! Admin API for users: list, set roles, ban, delete.

use std::cmp::Reverse;

use actix_web::{
    HttpResponse,
    http::StatusCode,
    web::{Data, Path},
};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::{
    auth::{AuthService, user::User},
    body::StrictJson,
    error::{error_response, storage_error},
};

/// The body of `PATCH /admin/users/{id}`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct UserPatch {
    /// Members to set, for example `roles`; `null` removes a member.
    app_metadata: Option<Map<String, Value>>,
    /// A banned user can neither sign in nor refresh a session.
    banned: Option<bool>,
}

/// Lists users, newest first. Sorted here because the JSON times have a resolution of one second.
pub(crate) async fn list(auth: Data<AuthService>) -> HttpResponse {
    let users = auth
        .read(|state, _| {
            let mut users: Vec<_> = state.users().collect();
            users.sort_by_key(|user| Reverse(user.created_at));
            users.into_iter().map(user_json).collect::<Vec<_>>()
        })
        .await;
    HttpResponse::Ok()
        .insert_header(("cache-control", "no-store"))
        .json(json!({ "users": users }))
}

pub(crate) async fn update(
    auth: Data<AuthService>,
    id: Path<String>,
    StrictJson(patch): StrictJson<UserPatch>,
) -> HttpResponse {
    let Ok(id) = Uuid::parse_str(&id) else {
        return user_not_found();
    };
    let updated = auth.update(|state, now| {
        if state.user(id).is_none() {
            return Ok(None);
        }
        if let Some(banned) = patch.banned {
            state.set_banned(id, banned);
        }
        Ok(state.user_mut(id).map(|user| {
            user.app_metadata
                .extend(patch.app_metadata.unwrap_or_default());
            user.app_metadata.retain(|_, value| !value.is_null());
            user.updated_at = now.millis();
            user_json(user)
        }))
    });
    match updated.await {
        Ok(Some(user)) => HttpResponse::Ok().json(user),
        Ok(None) => user_not_found(),
        Err(_) => not_stored(),
    }
}

pub(crate) async fn delete(auth: Data<AuthService>, id: Path<String>) -> HttpResponse {
    let Ok(id) = Uuid::parse_str(&id) else {
        return user_not_found();
    };
    match auth.update(|state, _| Ok(state.delete_user(id))).await {
        Ok(true) => HttpResponse::NoContent().finish(),
        Ok(false) => user_not_found(),
        Err(_) => not_stored(),
    }
}

/// The user object of the auth API, with `banned`.
fn user_json(user: &User) -> Value {
    let mut object = user.json();
    if let Value::Object(members) = &mut object {
        members.insert("banned".to_owned(), user.banned.into());
    }
    object
}

fn user_not_found() -> HttpResponse {
    error_response(
        StatusCode::NOT_FOUND,
        "NOT_FOUND",
        "no user has this id; GET /admin/users lists the users",
    )
}

fn not_stored() -> HttpResponse {
    storage_error("the change could not be written to the data file")
}
