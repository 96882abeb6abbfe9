//! `GET /api/auth/me`: the caller's profile, with what the token says beside it.

use actix_web::{HttpResponse, Responder};
use bearward::Verified;
use serde::Serialize;
use time::OffsetDateTime;

use super::{ApiError, current_user::CurrentUser};
use crate::domain::Profile;

/// A profile, and the claims that decide what its bearer may do.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Me<'a> {
    #[serde(flatten)]
    profile: Profile,
    claims: GrantedClaims<'a>,
}

/// What the token grants.
#[derive(Serialize, utoipa::ToSchema)]
struct GrantedClaims<'a> {
    /// The single role claim.
    #[schema(example = "authenticated")]
    role: Option<&'a str>,
    /// The application roles.
    roles: Vec<&'a str>,
    /// The scopes.
    scopes: Vec<&'a str>,
    /// The authenticator assurance level.
    #[schema(example = "aal1")]
    aal: Option<&'a str>,
    /// The session at the issuer.
    session_id: Option<&'a str>,
    /// `exp`.
    #[serde(with = "time::serde::rfc3339")]
    expires_at: OffsetDateTime,
}

/// The caller's profile and claims
///
/// The first request of a subject makes its account.
#[utoipa::path(get, operation_id = "me", path = "/api/auth/me", tag = "account", responses((status = 200, description = "The profile", body = Me)))]
pub(super) async fn me(user: CurrentUser) -> Result<impl Responder, ApiError> {
    let profile = user
        .on(async |store, owner| store.profile(owner).await)
        .await?;
    Ok(HttpResponse::Ok().json(Me {
        profile,
        claims: GrantedClaims::of(user.verified()),
    }))
}

impl<'a> GrantedClaims<'a> {
    fn of(user: &'a Verified) -> Self {
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
