//! `/api/admin/revocations`: lists, adds and removes entries of the revocation list.

use actix_web::{
    HttpRequest, HttpResponse, Responder,
    http::StatusCode,
    web::{Data, Path},
};
use bearward::{Bearward, RequestId, Revocation, RevocationKind};
use uuid::Uuid;

use super::{
    ApiError,
    body::FieldReader,
    current_user::CurrentUser,
    paging::{PageQuery, parse_page_request},
    schema::{AccountErrors, BodyErrors, ErrorEnvelope, ParameterErrors},
};
use crate::{
    audit::Action,
    domain::{Administrator, Page, RevocationEntry, RevocationReason},
    revocations::{AddError, SharedRevocations},
};

/// See `ADMINISTRATOR` of [`admin`](super::admin).
const ADMINISTRATOR: Administrator = Administrator::new();

/// List revocations
///
/// Returns the entries that are in force, in no particular order.
#[utoipa::path(
    get, path = "/api/admin/revocations", operation_id = "listRevocations", tag = "administration", params(PageQuery),
    responses(AccountErrors, ParameterErrors, (status = 200, description = "A page of entries", body = Page<RevocationEntry>))
)]
pub(super) async fn list(
    user: CurrentUser,
    list: Data<SharedRevocations>,
    request: HttpRequest,
) -> Result<impl Responder, ApiError> {
    let page_request = parse_page_request(&request)?;
    let page = list
        .list(&ADMINISTRATOR, page_request)
        .await
        .map_err(|error| ApiError::from_store(user.request_id(), &error))?;
    Ok(HttpResponse::Ok().json(page))
}

/// What to revoke.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "it describes what FieldReader reads")]
pub(super) struct NewRevocation {
    #[schema(inline)]
    kind: Kind,
    /// `iss` of the tokens.
    #[schema(example = "https://abc.supabase.co/auth/v1")]
    issuer: String,
    /// The session id, the subject, the `jti` or the `kid`.
    #[schema(
        min_length = 1,
        max_length = 1024,
        example = "11111111-2222-4333-8444-555555555555"
    )]
    target: String,
}

/// What the revoked tokens have in common. `key` revokes all tokens that a key has signed, which can
/// be all tokens of the issuer.
#[derive(utoipa::ToSchema)]
#[schema(rename_all = "lowercase", example = "subject")]
#[expect(dead_code, reason = "it describes RevocationKind")]
pub(super) enum Kind {
    Session,
    Subject,
    Token,
    Key,
}

/// Add a revocation
///
/// Revokes tokens on every replica within two seconds. For a subject, these are the tokens that were
/// issued up to now.
#[utoipa::path(
    post, path = "/api/admin/revocations", operation_id = "addRevocation", tag = "administration", request_body = NewRevocation,
    responses(AccountErrors, BodyErrors, (status = 201, description = "The entry", body = RevocationEntry))
)]
pub(super) async fn create(
    user: CurrentUser,
    list: Data<SharedRevocations>,
    auth: Data<Bearward>,
    mut body: FieldReader,
) -> Result<impl Responder, ApiError> {
    let now = user.clock_time();
    let kind = body.string("kind", |text| parse_kind(&text));
    let issuer = body.string("issuer", |text| parse_issuer(&auth, &text));
    let target = body.string("target", parse_target);
    let parts = kind.zip(issuer).zip(target);
    let ((kind, issuer), target) = body.validate(parts)?;
    let revocation = match kind {
        RevocationKind::Subject => Revocation::subject(&issuer, &target, now),
        RevocationKind::Token => Revocation::token(&issuer, &target),
        RevocationKind::Key => Revocation::key(&issuer, &target),
        _ => Revocation::session(&issuer, &target),
    };
    let entry = list
        .entry(&revocation, RevocationReason::Administrator, None)
        .ok_or_else(|| disabled(user.request_id()))?;
    add(&list, vec![entry.clone()], user.request_id()).await?;
    user.record(Action::RevocationAdded, &entry.id.to_string());
    Ok(HttpResponse::Created().json(entry))
}

/// Remove a revocation
///
/// Tokens that only this entry rejects are accepted again, on every replica within two seconds.
#[utoipa::path(
    delete, path = "/api/admin/revocations/{id}", operation_id = "removeRevocation", tag = "administration",
    params(("id" = String, Path, description = "The entry's `id`", format = Uuid)),
    responses(
        AccountErrors,
        (status = 204, description = "The entry was removed"),
        (status = 404, description = "No entry has this id", body = ErrorEnvelope)
    )
)]
pub(super) async fn remove(
    user: CurrentUser,
    list: Data<SharedRevocations>,
    id: Path<String>,
) -> Result<impl Responder, ApiError> {
    let not_found = || ApiError::not_found(user.request_id(), "no revocation has this id");
    let id = Uuid::try_parse(&id).map_err(|_| not_found())?;
    let removed = list
        .remove(&ADMINISTRATOR, id)
        .await
        .map_err(|error| ApiError::from_store(user.request_id(), &error))?;
    let entry = removed.ok_or_else(not_found)?;
    user.record(Action::RevocationRemoved, &entry.id.to_string());
    Ok(HttpResponse::NoContent())
}

/// Adds entries for all replicas.
///
/// # Errors
/// 503 if the list is full or the database is unavailable, 404 if the list is disabled.
pub(super) async fn add(
    list: &SharedRevocations,
    entries: Vec<RevocationEntry>,
    request_id: Option<RequestId>,
) -> Result<(), ApiError> {
    if !list.is_enabled() {
        return Err(disabled(request_id));
    }
    list.add(&entries).await.map_err(|error| match error {
        AddError::Store(error) => ApiError::from_store(request_id, &error),
        AddError::List(error) => {
            tracing::error!("{error}; increase revocation.max_entries");
            ApiError::with_request_id(
                request_id,
                StatusCode::SERVICE_UNAVAILABLE,
                "REVOCATIONS_FULL",
                "the revocation list is full; nothing was revoked",
            )
            .with_retry_after(60)
        }
    })
}

fn disabled(request_id: Option<RequestId>) -> ApiError {
    ApiError::not_found(
        request_id,
        "revocation is disabled on this server (revocation.enabled)",
    )
}

fn parse_kind(text: &str) -> Result<RevocationKind, &'static str> {
    RevocationKind::from_name(text).ok_or("must be \"session\", \"subject\", \"token\" or \"key\"")
}

/// Returns the canonical issuer of an accepted `iss`.
fn parse_issuer(auth: &Bearward, text: &str) -> Result<String, &'static str> {
    auth.issuers()
        .iter()
        .find(|issuer| issuer.accepts_iss(text))
        // The tenants of an issuer with a placeholder are separate.
        .map(|issuer| match issuer.template_description() {
            Some(_) => text.to_owned(),
            None => issuer.iss().to_owned(),
        })
        .ok_or("is not accepted by a configured issuer")
}

fn parse_target(text: String) -> Result<String, String> {
    let max = RevocationEntry::MAX_TARGET_BYTES;
    if text.is_empty() || text.len() > max || text.chars().any(char::is_control) {
        return Err(format!(
            "must have 1 to {max} bytes and no control characters"
        ));
    }
    Ok(text)
}
