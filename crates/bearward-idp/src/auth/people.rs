//! Who is known, for the admin API: to look at, to give roles, to ban, to take out.

use std::cmp::Reverse;

use actix_web::{
    HttpResponse,
    web::{Data, Path},
};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{service::AuthService, user::User};
use crate::{admin::problem, body::StrictJson};

/// What may be changed of a person.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Edit {
    /// Members to set, for example `roles`; `null` takes one out.
    app_metadata: Option<Map<String, Value>>,
    /// A banned person can neither sign in nor refresh.
    banned: Option<bool>,
}

/// Newest first: their times are told to the second, and cannot tell.
pub(crate) async fn list(auth: Data<AuthService>) -> HttpResponse {
    let people = auth
        .read(|world, _| {
            let mut people: Vec<_> = world.people().collect();
            people.sort_by_key(|person| Reverse(person.created_at));
            people.into_iter().map(described).collect::<Vec<_>>()
        })
        .await;
    HttpResponse::Ok()
        .insert_header(("cache-control", "no-store"))
        .json(json!({ "users": people }))
}

pub(crate) async fn edit(
    auth: Data<AuthService>,
    id: Path<String>,
    StrictJson(edit): StrictJson<Edit>,
) -> HttpResponse {
    let Ok(id) = Uuid::parse_str(&id) else {
        return nobody();
    };
    let edited = auth.change(|world, now| {
        if world.person(id).is_none() {
            return Ok(None);
        }
        Ok(world.person_mut(id).map(|person| {
            person
                .app_metadata
                .extend(edit.app_metadata.unwrap_or_default());
            person.app_metadata.retain(|_, value| !value.is_null());
            person.banned = edit.banned.unwrap_or(person.banned);
            person.updated_at = now.millis();
            described(person)
        }))
    });
    match edited.await {
        Ok(Some(person)) => HttpResponse::Ok().json(person),
        Ok(None) => nobody(),
        Err(_) => not_kept(),
    }
}

pub(crate) async fn remove(auth: Data<AuthService>, id: Path<String>) -> HttpResponse {
    let Ok(id) = Uuid::parse_str(&id) else {
        return nobody();
    };
    match auth.change(|world, _| Ok(world.remove(id))).await {
        Ok(true) => HttpResponse::NoContent().finish(),
        Ok(false) => nobody(),
        Err(_) => not_kept(),
    }
}

fn described(person: &User) -> Value {
    let mut user = person.json();
    if let Value::Object(user) = &mut user {
        user.insert("banned".to_owned(), person.banned.into());
    }
    user
}

fn nobody() -> HttpResponse {
    problem(
        actix_web::http::StatusCode::NOT_FOUND,
        "NOT_FOUND",
        "nobody has this id; GET /admin/users lists who is known",
    )
}

fn not_kept() -> HttpResponse {
    problem(
        actix_web::http::StatusCode::INTERNAL_SERVER_ERROR,
        "INTERNAL",
        "the change could not be written to the data file",
    )
}
