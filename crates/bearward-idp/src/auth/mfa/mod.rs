//! `/factors`: multi-factor authentication with authenticator apps (TOTP).
//!
//! # Security
//! As in the hosted service, a challenge is used once, and a code is accepted again with another
//! challenge until its time step has passed.

mod factor;
mod totp;

use std::borrow::Cow;

use actix_web::{
    HttpRequest, HttpResponse,
    http::header,
    web::{Data, Path},
};
use bearward::Timestamp;
use bearward_testing::endpoint::JwksEndpoint;
use serde::Deserialize;
use serde_json::json;
use url::Position;
use uuid::Uuid;

pub(crate) use self::factor::{Challenge, Factor};
use super::{
    bearer::BearerSession, body::LenientJson, error::AuthApiError, service::AuthService,
    session::Session, state::AuthState, token_response::TokenResponse,
};

/// Number of factors of a user.
const MAX_FACTORS: usize = 10;

#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct EnrollRequest {
    factor_type: String,
    friendly_name: String,
    issuer: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct VerifyRequest {
    challenge_id: Uuid,
    code: String,
}

/// Adds an unverified factor and answers with its secret, as text, URI and QR code.
pub(crate) async fn enroll(
    auth: Data<AuthService>,
    bearer: BearerSession,
    LenientJson(body): LenientJson<EnrollRequest>,
) -> Result<HttpResponse, AuthApiError> {
    match body.factor_type.as_str() {
        "totp" => {}
        "phone" => {
            return Err(AuthApiError::new(
                422,
                "mfa_phone_enroll_not_enabled",
                "MFA enroll is disabled for Phone",
            ));
        }
        "webauthn" => {
            return Err(AuthApiError::new(
                422,
                "mfa_webauthn_enroll_not_enabled",
                "MFA enroll is disabled for WebAuthn",
            ));
        }
        _ => {
            return Err(AuthApiError::invalid(
                "factor_type needs to be totp, phone, or webauthn",
            ));
        }
    }
    let issuer = if body.issuer.is_empty() {
        auth.redirects.site()[Position::BeforeHost..Position::AfterPort].to_owned()
    } else {
        body.issuer
    };
    auth.update(|state, now| {
        let session = caller(state, bearer)?;
        let is_aal2 = state.session(session).is_some_and(Session::is_aal2);
        let user = state.user_mut(bearer.user_id).ok_or(NO_SESSION)?;
        user.factors.retain(|factor| !factor.is_abandoned(now));
        if user
            .factors
            .iter()
            .any(|factor| factor.friendly_name == body.friendly_name)
        {
            let message = format!(
                "A factor with the friendly name {:?} for this user already exists",
                body.friendly_name
            );
            return Err(AuthApiError::Plain(
                422,
                "mfa_factor_name_conflict",
                Cow::Owned(message),
            ));
        }
        if user.factors.len() >= MAX_FACTORS {
            return Err(AuthApiError::new(
                422,
                "too_many_enrolled_mfa_factors",
                "Maximum number of verified factors reached, unenroll to continue",
            ));
        }
        if user.has_verified_factor() && !is_aal2 {
            return Err(AuthApiError::new(
                403,
                "insufficient_aal",
                "AAL2 required to enroll a new factor",
            ));
        }
        let factor = Factor::new(body.friendly_name, now);
        let account = match user.email.as_str() {
            "" => user.id.to_string(),
            email => email.to_owned(),
        };
        let uri = factor.secret.uri(&issuer, &account);
        let qr_code = totp::qr_code(&uri).ok_or(AuthApiError::invalid(
            "The issuer is too long for a QR code",
        ))?;
        let response = HttpResponse::Ok()
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .json(json!({
                "id": factor.id, "type": "totp", "friendly_name": factor.friendly_name,
                "totp": { "qr_code": qr_code, "secret": factor.secret.as_base32(), "uri": uri },
            }));
        user.factors.push(factor);
        Ok(response)
    })
    .await
}

/// Creates a challenge, which [`verify`] answers with a code.
pub(crate) async fn challenge(
    auth: Data<AuthService>,
    bearer: BearerSession,
    factor_id: Path<String>,
) -> Result<HttpResponse, AuthApiError> {
    auth.update(|state, now| {
        caller(state, bearer)?;
        let factor_id = owned_factor(state, bearer, &factor_id)?;
        let factor = state
            .user_mut(bearer.user_id)
            .and_then(|user| user.factor_mut(factor_id))
            .ok_or(FACTOR_NOT_FOUND)?;
        let challenge = factor.challenge(now);
        let response = HttpResponse::Ok().json(json!({
            "id": challenge.id, "type": "totp", "expires_at": challenge.expires_at(),
        }));
        state.add_challenge(challenge, now);
        Ok(response)
    })
    .await
}

/// Verifies a code. The session gets AAL2, and the other sessions of the user that have AAL1 end.
pub(crate) async fn verify(
    auth: Data<AuthService>,
    endpoint: Data<JwksEndpoint>,
    bearer: BearerSession,
    factor_id: Path<String>,
    LenientJson(body): LenientJson<VerifyRequest>,
) -> Result<HttpResponse, AuthApiError> {
    auth.update(|state, now| {
        let session_id = caller(state, bearer)?;
        let factor_id = owned_factor(state, bearer, &factor_id)?;
        if body.code.is_empty() {
            return Err(AuthApiError::invalid("Code needs to be non-empty"));
        }
        check_challenge(state, body.challenge_id, factor_id, now)?;
        let user = state.user_mut(bearer.user_id).ok_or(NO_SESSION)?;
        let factor = user.factor_mut(factor_id).ok_or(FACTOR_NOT_FOUND)?;
        if !factor.secret.verify(&body.code, now.unix()) {
            return Err(AuthApiError::new(
                422,
                "mfa_verification_failed",
                "Invalid TOTP code entered",
            ));
        }
        factor.set_verified(now);
        // The other enrollments of this type were attempts.
        user.factors.retain(|factor| factor.is_verified);
        if let Some(challenge) = state.challenge_mut(body.challenge_id) {
            challenge.is_used = true;
        }
        state.add_second_factor(session_id, factor_id, now);
        state.revoke_sessions(|session| session.user_id == bearer.user_id && !session.is_aal2());
        Ok(TokenResponse::new(state, session_id, &auth, &endpoint, now)?.into_response())
    })
    .await
}

/// Removes a factor. Sessions that were verified with it go back to AAL1.
pub(crate) async fn unenroll(
    auth: Data<AuthService>,
    bearer: BearerSession,
    factor_id: Path<String>,
) -> Result<HttpResponse, AuthApiError> {
    auth.update(|state, _| {
        let session_id = caller(state, bearer)?;
        let factor_id = owned_factor(state, bearer, &factor_id)?;
        let is_aal2 = state.session(session_id).is_some_and(Session::is_aal2);
        let user = state.user_mut(bearer.user_id).ok_or(NO_SESSION)?;
        let is_verified = |factor: &Factor| factor.id == factor_id && factor.is_verified;
        if user.factors.iter().any(is_verified) && !is_aal2 {
            return Err(AuthApiError::new(
                422,
                "insufficient_aal",
                "AAL2 required to unenroll verified factor",
            ));
        }
        user.factors.retain(|factor| factor.id != factor_id);
        state.remove_second_factor(factor_id);
        Ok(HttpResponse::Ok().json(json!({ "id": factor_id })))
    })
    .await
}

/// Refuses another method. As in the hosted service, the token is checked first.
pub(crate) async fn method_not_allowed(
    request: HttpRequest,
    _bearer: BearerSession,
) -> HttpResponse {
    let allowed = match request.match_info().get("factor_id") {
        Some(_) => "DELETE",
        None => "POST",
    };
    HttpResponse::MethodNotAllowed()
        .insert_header((header::ALLOW, allowed))
        .finish()
}

const NO_SESSION: AuthApiError = AuthApiError::new(
    403,
    "session_not_found",
    "A valid session and a registered user are required for factors",
);

const FACTOR_NOT_FOUND: AuthApiError =
    AuthApiError::new(404, "mfa_factor_not_found", "Factor not found");

/// Returns the session of the caller, who must not be anonymous.
fn caller(state: &AuthState, bearer: BearerSession) -> Result<Uuid, AuthApiError> {
    let user = state.user(bearer.user_id).ok_or(NO_SESSION)?;
    if user.is_anonymous {
        return Err(AuthApiError::new(
            403,
            "no_authorization",
            "Anonymous user not allowed to perform these actions",
        ));
    }
    bearer.session_id.ok_or(NO_SESSION)
}

/// Parses the id of a factor, which must belong to the caller.
fn owned_factor(state: &AuthState, bearer: BearerSession, id: &str) -> Result<Uuid, AuthApiError> {
    let id = Uuid::parse_str(id)
        .map_err(|_| AuthApiError::new(404, "validation_failed", "factor_id must be an UUID"))?;
    let is_owned = state
        .user(bearer.user_id)
        .is_some_and(|user| user.factors.iter().any(|factor| factor.id == id));
    if is_owned {
        Ok(id)
    } else {
        Err(FACTOR_NOT_FOUND)
    }
}

/// Checks that the challenge is of this factor, unused and not expired.
fn check_challenge(
    state: &mut AuthState,
    id: Uuid,
    factor_id: Uuid,
    now: Timestamp,
) -> Result<(), AuthApiError> {
    let challenge = state
        .challenge_mut(id)
        .filter(|challenge| challenge.factor_id == factor_id)
        .ok_or(AuthApiError::new(
            422,
            "mfa_factor_not_found",
            "MFA factor with the provided challenge ID not found",
        ))?;
    if challenge.is_used {
        // The hosted service answers so for another address and for a used challenge.
        return Err(AuthApiError::new(
            422,
            "mfa_ip_address_mismatch",
            "Challenge and verify IP addresses mismatch.",
        ));
    }
    if challenge.is_expired(now) {
        let message = format!(
            "MFA challenge {id} has expired, verify against another challenge or create a new challenge."
        );
        return Err(AuthApiError::Plain(
            422,
            "mfa_challenge_expired",
            Cow::Owned(message),
        ));
    }
    Ok(())
}
