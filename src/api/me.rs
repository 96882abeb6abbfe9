//! `GET /api/auth/me`: the caller's profile and the claims of the token.

use actix_web::{HttpResponse, Responder};
use bearward::Verified;
use serde::Serialize;
use time::OffsetDateTime;

use super::{ApiError, current_user::CurrentUser, schema::AccountErrors};
use crate::domain::Profile;

/// The profile and the claims that grant permissions.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Me<'a> {
    #[serde(flatten)]
    profile: Profile,
    claims: GrantedClaims<'a>,
}

/// The permissions in the token.
#[derive(Serialize, utoipa::ToSchema)]
struct GrantedClaims<'a> {
    /// The `role` claim.
    #[schema(example = "authenticated")]
    role: Option<&'a str>,
    /// The application roles.
    roles: Vec<&'a str>,
    /// The scopes.
    scopes: Vec<&'a str>,
    /// The authenticator assurance level.
    #[schema(example = "aal1")]
    aal: Option<&'a str>,
    /// The id of the session at the issuer.
    session_id: Option<&'a str>,
    /// The expiry of the token (`exp`).
    #[serde(with = "time::serde::rfc3339")]
    expires_at: OffsetDateTime,
}

/// Get the current user
///
/// Returns the profile and the claims of the token. The first request of a subject creates its
/// account.
#[utoipa::path(
    get, operation_id = "me", path = "/api/auth/me", tag = "account",
    responses(AccountErrors, (status = 200, description = "The profile", body = Me))
)]
pub(super) async fn me(user: CurrentUser) -> Result<impl Responder, ApiError> {
    let profile = user
        .with_store(async |store, owner| store.profile(owner).await)
        .await?;
    Ok(HttpResponse::Ok().json(Me {
        profile,
        claims: GrantedClaims::from_verified(user.verified()),
    }))
}

impl<'a> GrantedClaims<'a> {
    fn from_verified(user: &'a Verified) -> Self {
        let claims = user.claims();
        Self {
            role: claims.role(),
            roles: claims.roles().collect(),
            scopes: claims.scopes().collect(),
            aal: claims.aal(),
            session_id: claims.session_id(),
            expires_at: OffsetDateTime::from_unix_timestamp(claims.expires_at().unix())
                .unwrap_or(OffsetDateTime::UNIX_EPOCH),
        }
    }
}
