//! `POST /logout`: ends this session, the others, or all of them. Access tokens live on until they
//! expire.

use actix_web::{
    HttpResponse,
    web::{Data, Query},
};
use serde::Deserialize;

use super::{bearer::Bearer, error::AuthApiError, service::AuthService};

#[derive(Deserialize)]
pub(super) struct Scope {
    scope: Option<String>,
}

pub(super) async fn logout(
    auth: Data<AuthService>,
    bearer: Bearer,
    query: Query<Scope>,
) -> Result<HttpResponse, AuthApiError> {
    let scope = query.scope.as_deref().unwrap_or_default();
    if !matches!(scope, "" | "global" | "local" | "others") {
        return Err(AuthApiError::invalid("Unsupported logout scope"));
    }
    auth.change(|world, _| {
        world.end_sessions(|session| {
            session.person == bearer.person
                && match (scope, bearer.session) {
                    ("local", Some(this)) => session.id == this,
                    ("others", Some(this)) => session.id != this,
                    _ => true,
                }
        });
        Ok(HttpResponse::NoContent().finish())
    })
    .await
}
