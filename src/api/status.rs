//! `/api/status`: status checks, added and listed.

use actix_web::{HttpRequest, HttpResponse, Responder, http::header::HeaderMap};

use super::{
    Problem,
    current_user::CurrentUser,
    fields::{Fields, unfit},
};
use crate::{
    domain::{ClientName, Cursor, IdempotencyKey, PageRequest, Unfit},
    store::Added,
};

/// What a client calls a request that it may send again (draft-ietf-httpapi-idempotency-key-header).
const IDEMPOTENCY_KEY: &str = "idempotency-key";

pub(super) async fn add(user: CurrentUser, request: HttpRequest, mut body: Fields) -> Result<impl Responder, Problem> {
    let client = body.text("client_name", ClientName::new);
    let key = idempotency_key(request.headers()).map_err(|problem| body.problem("Idempotency-Key", problem)).ok().flatten();
    let client = body.finish(client)?;
    let now = user.now();
    let added = user.on(async |store, owner| store.add_status_check(owner, &client, key.as_ref(), now).await).await?;
    match added {
        Added::New(check) => Ok(HttpResponse::Created().json(check)),
        Added::Again(check) => Ok(HttpResponse::Created().insert_header(("idempotency-replayed", "true")).json(check)),
        Added::Conflict => {
            Err(unfit(user.request_id(), "Idempotency-Key", "was used for another body; a new request needs a new key"))
        }
    }
}

pub(super) async fn list(user: CurrentUser, request: HttpRequest) -> Result<impl Responder, Problem> {
    let page = page(&request)?;
    let page = user.on(async |store, owner| store.status_checks(owner, page).await).await?;
    Ok(HttpResponse::Ok().json(page))
}

/// `?limit=&cursor=`
pub(super) fn page(request: &HttpRequest) -> Result<PageRequest, Problem> {
    let mut query = Fields::of_query(request);
    let limit = query.optional("limit", |text| PageRequest::limited(&text)).unwrap_or_default();
    let cursor = query.optional("cursor", |text| Cursor::parse(&text));
    query.finish(Some(match cursor {
        Some(cursor) => limit.after_row(cursor),
        None => limit,
    }))
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<IdempotencyKey>, Unfit> {
    let mut keys = headers.get_all(IDEMPOTENCY_KEY);
    let key = keys.next().map(|key| IdempotencyKey::new(key.as_bytes())).transpose()?;
    if keys.next().is_some() { IdempotencyKey::new(b"").map(Some) } else { Ok(key) }
}
