//! `/api/status`: creates and lists status checks.

use actix_web::{HttpRequest, HttpResponse, Responder, http::header::HeaderMap};

use super::{
    ApiError,
    body::{FieldReader, invalid_field},
    current_user::CurrentUser,
    paging::{PageQuery, parse_page_request},
    schema::{self, AccountErrors, BodyErrors, ParameterErrors},
};
use crate::{
    domain::{ClientName, IdempotencyKey, Page, StatusCheck, ValidationError},
    store::Insert,
};

/// The header that makes a request safe to retry (draft-ietf-httpapi-idempotency-key-header).
const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// A new status check.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "it describes what FieldReader reads")]
pub(super) struct NewStatusCheck {
    #[schema(schema_with = schema::client_name)]
    client_name: String,
}

/// Create a status check
///
/// With an `Idempotency-Key` the request can be retried: the status check is stored once.
#[utoipa::path(
    post, operation_id = "addStatusCheck", path = "/api/status", tag = "status", request_body = NewStatusCheck,
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 200 visible ASCII characters, unique per status check", max_length = 200, pattern = "^[!-~]{1,200}$")),
    responses(AccountErrors, BodyErrors, (status = 201, description = "The stored status check", body = StatusCheck))
)]
pub(super) async fn add(
    user: CurrentUser,
    request: HttpRequest,
    mut body: FieldReader,
) -> Result<impl Responder, ApiError> {
    let client = body.string("client_name", ClientName::new);
    let key = idempotency_key(request.headers())
        .map_err(|error| body.error("Idempotency-Key", error))
        .ok()
        .flatten();
    let client = body.validate(client)?;
    let now = user.now();
    let insert = user
        .with_store(async |store, owner| {
            store
                .add_status_check(owner, &client, key.as_ref(), now)
                .await
        })
        .await?;
    match insert {
        Insert::Created(check) => Ok(HttpResponse::Created().json(check)),
        Insert::Replayed(check) => Ok(HttpResponse::Created()
            .insert_header(("idempotency-replayed", "true"))
            .json(check)),
        Insert::KeyConflict => Err(invalid_field(
            user.request_id(),
            "Idempotency-Key",
            "was already used with a different body",
        )),
    }
}

/// List status checks
///
/// Returns the caller's status checks, newest first.
#[utoipa::path(
    get, operation_id = "listStatusChecks", path = "/api/status", tag = "status", params(PageQuery),
    responses(AccountErrors, ParameterErrors, (status = 200, description = "A page of status checks", body = Page<StatusCheck>))
)]
pub(super) async fn list(
    user: CurrentUser,
    request: HttpRequest,
) -> Result<impl Responder, ApiError> {
    let page_request = parse_page_request(&request)?;
    let page = user
        .with_store(async |store, owner| store.status_checks(owner, page_request).await)
        .await?;
    Ok(HttpResponse::Ok().json(page))
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
