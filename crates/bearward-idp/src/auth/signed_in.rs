//! Who is signed in, for the admin API.

use actix_web::{HttpResponse, web::Data};
use serde_json::{Value, json};

use super::service::AuthService;

/// Newest first, and no more than anybody reads.
const MOST: usize = 100;

pub(crate) async fn list(auth: Data<AuthService>) -> HttpResponse {
    let sessions = auth
        .read(|world, _| {
            let mut sessions: Vec<_> = world.sessions().collect();
            sessions.sort_by_key(|session| std::cmp::Reverse(session.opened()));
            let email = |person| {
                world
                    .person(person)
                    .map(|person| person.email.as_str())
                    .unwrap_or_default()
            };
            sessions
                .into_iter()
                .take(MOST)
                .map(|session| session.described(email(session.person)))
                .collect::<Vec<Value>>()
        })
        .await;
    HttpResponse::Ok()
        .insert_header(("cache-control", "no-store"))
        .json(json!({ "sessions": sessions }))
}
