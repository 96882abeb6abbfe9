//! `/api/status`: status checks, added and listed.

use actix_web::{HttpRequest, HttpResponse, Responder, http::header::HeaderMap};

use super::{
    ApiError,
    body::{FieldReader, unfit},
    current_user::CurrentUser,
    openapi,
};
use crate::{
    domain::{ClientName, Cursor, IdempotencyKey, Page, PageRequest, StatusCheck, ValidationError},
    store::Insert,
};

/// What a client calls a request that it may send again
/// (draft-ietf-httpapi-idempotency-key-header).
const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// A report to keep.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "it describes what Fields reads")]
pub(super) struct NewStatusCheck {
    /// One line, without spaces around it.
    #[schema(schema_with = openapi::client_name)]
    client_name: String,
}

/// Which page.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it describes what Fields reads")]
pub(super) struct PageQuery {
    /// How many rows.
    #[param(minimum = 1, maximum = 100, default = 50)]
    limit: Option<u64>,
    /// `next_cursor` of the page before.
    #[param(pattern = "^[0-9a-f]{32}$")]
    cursor: Option<String>,
}

/// Report
///
/// With an `Idempotency-Key` the same report may be sent again: it is kept once.
#[utoipa::path(
    post, operation_id = "addStatusCheck", path = "/api/status", tag = "status", request_body = NewStatusCheck,
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 200 visible characters of the client's choice, one for each report", max_length = 200, pattern = "^[!-~]{1,200}$")),
    responses((status = 201, description = "The report, as it is kept", body = StatusCheck))
)]
pub(super) async fn add(
    user: CurrentUser,
    request: HttpRequest,
    mut body: FieldReader,
) -> Result<impl Responder, ApiError> {
    let client = body.text("client_name", ClientName::new);
    let key = idempotency_key(request.headers())
        .map_err(|problem| body.problem("Idempotency-Key", problem))
        .ok()
        .flatten();
    let client = body.finish(client)?;
    let now = user.now();
    let added = user
        .on(async |store, owner| {
            store
                .add_status_check(owner, &client, key.as_ref(), now)
                .await
        })
        .await?;
    match added {
        Insert::Created(check) => Ok(HttpResponse::Created().json(check)),
        Insert::Replayed(check) => Ok(HttpResponse::Created()
            .insert_header(("idempotency-replayed", "true"))
            .json(check)),
        Insert::KeyConflict => Err(unfit(
            user.request_id(),
            "Idempotency-Key",
            "was used for another body; a new request needs a new key",
        )),
    }
}

/// The caller's reports, newest first
#[utoipa::path(
    get, operation_id = "listStatusChecks", path = "/api/status", tag = "status", params(PageQuery),
    responses((status = 200, description = "A page", body = Page<StatusCheck>))
)]
pub(super) async fn list(
    user: CurrentUser,
    request: HttpRequest,
) -> Result<impl Responder, ApiError> {
    let page = page(&request)?;
    let page = user
        .on(async |store, owner| store.status_checks(owner, page).await)
        .await?;
    Ok(HttpResponse::Ok().json(page))
}

/// `?limit=&cursor=`
pub(super) fn page(request: &HttpRequest) -> Result<PageRequest, ApiError> {
    let mut query = FieldReader::of_query(request);
    let limit = query
        .optional("limit", |text| PageRequest::parse_limit(&text))
        .unwrap_or_default();
    let cursor = query.optional("cursor", |text| Cursor::parse(&text));
    query.finish(Some(match cursor {
        Some(cursor) => limit.after(cursor),
        None => limit,
    }))
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<IdempotencyKey>, ValidationError> {
    let mut keys = headers.get_all(IDEMPOTENCY_KEY);
    let key = keys
        .next()
        .map(|key| IdempotencyKey::new(key.as_bytes()))
        .transpose()?;
    if keys.next().is_some() {
        Err(ValidationError::Duplicate)
    } else {
        Ok(key)
    }
}
