//! `/api/user`: updates and deletes the caller's account.

use actix_web::{HttpResponse, Responder, web::Data};
use bearward::{Revocation, Timestamp, Verified};

use super::{
    ApiError,
    body::FieldReader,
    current_user::CurrentUser,
    schema::{self, AccountErrors, BodyErrors},
};
use crate::{
    audit::Action,
    domain::{Profile, ProfileChange, RevocationEntry, RevocationReason},
    revocations::SharedRevocations,
};

/// Changes to the profile, at least one.
#[derive(utoipa::ToSchema)]
#[schema(min_properties = 1)]
#[expect(dead_code, reason = "it describes what FieldReader reads")]
pub(super) struct ProfileFields {
    #[schema(schema_with = schema::user_name)]
    name: Option<String>,
    /// An https URL.
    #[schema(
        max_length = 2048,
        format = "uri",
        example = "https://example.com/ada.png"
    )]
    picture: Option<String>,
}

/// Update name and picture
///
/// An absent field is not changed; null restores the value of the issuer.
#[utoipa::path(
    patch, operation_id = "updateUser", path = "/api/user", tag = "account", request_body = ProfileFields,
    responses(AccountErrors, BodyErrors, (status = 200, description = "The updated profile", body = Profile))
)]
pub(super) async fn update(
    user: CurrentUser,
    mut body: FieldReader,
) -> Result<impl Responder, ApiError> {
    if body.is_empty() {
        body.error("name", "or picture is required");
    }
    let change = ProfileChange {
        name: body.nullable("name", ProfileChange::name),
        picture: body.nullable("picture", ProfileChange::picture),
    };
    let change = body.validate(Some(change))?;
    let now = user.now();
    let profile = user
        .with_store(async |store, owner| store.update_profile(owner, &change, now).await)
        .await?;
    Ok(HttpResponse::Ok().json(profile))
}

/// Delete the account
///
/// Deletes the account and all its data, and revokes all tokens of the user, so that none of them
/// creates a new account. A token that is issued after the response does.
#[utoipa::path(
    delete, operation_id = "deleteUser", path = "/api/user", tag = "account",
    responses(AccountErrors, (status = 204, description = "The account was deleted"))
)]
pub(super) async fn delete(
    user: CurrentUser,
    list: Data<SharedRevocations>,
) -> Result<impl Responder, ApiError> {
    let caller = user.verified();
    let issued_before = SharedRevocations::issued_before(caller, user.clock_time());
    let entries: Vec<RevocationEntry> = all_tokens(caller, issued_before)
        .iter()
        .filter_map(|entry| list.entry(entry, RevocationReason::AccountDeleted, Some(caller)))
        .collect();
    let account = user
        .with_store(async |store, owner| {
            store.delete_account(owner, &entries).await?;
            Ok(owner.id().uuid())
        })
        .await?;
    user.invalidate().await;
    list.stored(&entries).await;
    user.record(Action::AccountDeleted, &account.to_string());
    list.wait_for_next_second(issued_before).await;
    Ok(HttpResponse::NoContent())
}

/// Returns what revokes all tokens of a caller. Those of the caller's session are revoked whatever
/// the clocks are.
pub(super) fn all_tokens(caller: &Verified, issued_before: Timestamp) -> Vec<Revocation> {
    let issuer = caller.canonical_issuer();
    let session = caller.claims().session_id();
    let session = session.map(|session| Revocation::session(issuer, session));
    let subject = Revocation::subject(issuer, caller.subject(), issued_before);
    std::iter::once(subject).chain(session).collect()
}
