//! `GET` and `PUT /user`: the current user.

use actix_web::{HttpRequest, HttpResponse, web::Data};
use bearward::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{
    bearer::BearerSession,
    body::LenientJson,
    email,
    error::AuthApiError,
    flow::PkceChallenge,
    mail::{Mail, MailKind},
    password,
    service::AuthService,
    session::Session,
    state::{AuthState, EMAIL_EXISTS},
};

/// The age of a session after which a new password needs the code of `GET /reauthenticate`.
const RECENT_SIGN_IN_MILLIS: i64 = 24 * 3600 * 1000;

/// The body of `PUT /user`. `app_metadata` is rejected, because it holds roles.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct UpdateUserRequest {
    email: String,
    phone: String,
    password: Option<String>,
    nonce: String,
    data: Option<Map<String, Value>>,
    app_metadata: Option<Value>,
    code_challenge: Option<String>,
    code_challenge_method: Option<String>,
}

pub(crate) async fn show(auth: Data<AuthService>, bearer: BearerSession) -> HttpResponse {
    let user = auth
        .read(|state, _| state.user(bearer.user_id).map(super::user::User::json))
        .await;
    HttpResponse::Ok()
        .insert_header(("cache-control", "no-store"))
        .json(user)
}

/// Refuses another method. As in the hosted service, the token is checked first.
pub(crate) async fn method_not_allowed(_bearer: BearerSession) -> HttpResponse {
    HttpResponse::MethodNotAllowed()
        .insert_header(("allow", "GET, PUT"))
        .finish()
}

pub(crate) async fn update(
    request: HttpRequest,
    auth: Data<AuthService>,
    bearer: BearerSession,
    LenientJson(body): LenientJson<UpdateUserRequest>,
) -> Result<HttpResponse, AuthApiError> {
    let email = validate(&body)?;
    let challenge = PkceChallenge::parse(
        body.code_challenge.as_deref(),
        body.code_challenge_method.as_deref(),
    )?;
    let (was_anonymous, hash) =
        hash_password(&auth, bearer, email.as_deref(), body.password).await?;
    let redirect = auth.redirects.select(&request);
    auth.update(|state, now| {
        let new_email = email.filter(|email| {
            state
                .user(bearer.user_id)
                .is_some_and(|user| user.email != *email)
        });
        if let Some(email) = &new_email
            && state.user_by_email(email).is_some()
        {
            return Err(AuthApiError::new(422, "email_exists", EMAIL_EXISTS));
        }
        let interval = auth.options.mail_interval;
        let changes_password = hash.is_some();
        let session = bearer.session_id.and_then(|id| state.session(id));
        let is_recent = session
            .is_some_and(|session| now.millis() - session.created_at() <= RECENT_SIGN_IN_MILLIS);
        if changes_password && auth.options.secure_password_change && !is_recent {
            check_reauthentication(state, bearer.user_id, &body.nonce, now)?;
        }
        // Nothing is changed if the mail cannot be sent. A new password resets the interval.
        let sends_mail = new_email.is_some() && (!was_anonymous || auth.options.confirm_email);
        if sends_mail && !changes_password {
            state.check_mail_interval(bearer.user_id, MailKind::EmailChange, interval, now)?;
        }
        if let Some(hash) = hash {
            state.set_password(bearer.user_id, hash);
        }
        let user = state.user_mut(bearer.user_id).ok_or(user_not_found())?;
        user.updated_at = now.millis();
        user.user_metadata.extend(body.data.unwrap_or_default());
        // As in the hosted service, null removes a member.
        user.user_metadata.retain(|_, value| !value.is_null());
        match new_email {
            Some(email) if !sends_mail => user.change_email(&email, now),
            Some(email) => {
                let kind = MailKind::EmailChange;
                let mail_to = |to: &str| {
                    Mail::new(bearer.user_id, to, kind, &redirect, challenge.clone(), now)
                };
                state.send_email_change(bearer.user_id, &email, mail_to, interval, now)?;
            }
            None => {}
        }
        if changes_password {
            // A password change revokes all other sessions.
            state.revoke_sessions(|session| {
                session.user_id == bearer.user_id && Some(session.id) != bearer.session_id
            });
        }
        Ok(HttpResponse::Ok().json(state.user(bearer.user_id).map(super::user::User::json)))
    })
    .await
}

/// Checks the members of the body and returns the new address.
fn validate(body: &UpdateUserRequest) -> Result<Option<String>, AuthApiError> {
    let email = if body.email.is_empty() {
        None
    } else {
        Some(email::normalize(&body.email)?)
    };
    if let Some(password) = &body.password {
        password::check(password)?;
    }
    if body.app_metadata.is_some() {
        return Err(AuthApiError::new(
            403,
            "not_admin",
            "Updating app_metadata requires admin privileges",
        ));
    }
    if !body.phone.is_empty() {
        return Err(AuthApiError::new(
            400,
            "phone_provider_disabled",
            "Phone logins are disabled",
        ));
    }
    Ok(email)
}

/// Hashes the new password. Returns whether the user is anonymous, and the hash.
///
/// # Errors
/// 401 `insufficient_aal` if the session needs a second factor for a new password or address, 422
/// `same_password`, 422 `validation_failed` for an anonymous user without an address.
async fn hash_password(
    auth: &AuthService,
    bearer: BearerSession,
    email: Option<&str>,
    password: Option<String>,
) -> Result<(bool, Option<String>), AuthApiError> {
    let sets_password = password.is_some();
    let before = auth
        .read(|state, _| {
            state.user(bearer.user_id).map(|user| {
                let is_aal2 = bearer
                    .session_id
                    .and_then(|id| state.session(id))
                    .is_some_and(Session::is_aal2);
                let needs_aal2 = user.has_verified_factor() && !is_aal2;
                let changes_email = email.is_some_and(|email| *email != user.email);
                let is_missing_factor = needs_aal2 && (changes_email || sets_password);
                (user.is_anonymous, user.password.clone(), is_missing_factor)
            })
        })
        .await;
    let (was_anonymous, old_hash, is_missing_factor) = before.ok_or(user_not_found())?;
    if is_missing_factor {
        let message = "AAL2 session is required to update email or password when MFA is enabled.";
        return Err(AuthApiError::new(401, "insufficient_aal", message));
    }
    let hash = match password {
        None => None,
        Some(_) if was_anonymous && email.is_none() => {
            let message =
                "Updating password of an anonymous user without an email or phone is not allowed";
            return Err(AuthApiError::new(422, "validation_failed", message));
        }
        Some(password) => {
            let hash = password::hash(password.clone()).await?;
            if let Some(old) = old_hash
                && password::verify(password, old).await
            {
                let message = "New password should be different from the old password.";
                return Err(AuthApiError::new(422, "same_password", message));
            }
            Some(hash)
        }
    };
    Ok((was_anonymous, hash))
}

/// Sends a code to the user's address, for a change of the password.
pub(crate) async fn reauthenticate(
    auth: Data<AuthService>,
    bearer: BearerSession,
) -> Result<HttpResponse, AuthApiError> {
    auth.update(|state, now| {
        let user = state.user(bearer.user_id).ok_or(user_not_found())?;
        if user.email.is_empty() {
            return Err(AuthApiError::invalid(
                "Reauthentication requires the user to have an email or a phone number",
            ));
        }
        if !user.is_confirmed() {
            return Err(AuthApiError::new(
                422,
                "email_not_confirmed",
                "Please verify your email first.",
            ));
        }
        let (id, email) = (user.id, user.email.clone());
        let site = auth.redirects.site();
        let mail = Mail::new(id, &email, MailKind::Reauthentication, site, None, now);
        state.send_mail(mail, auth.options.mail_interval, now)?;
        Ok(HttpResponse::Ok().json(json!({})))
    })
    .await
}

/// Uses the code of a mail for reauthentication.
fn check_reauthentication(
    state: &mut AuthState,
    user_id: Uuid,
    nonce: &str,
    now: Timestamp,
) -> Result<(), AuthApiError> {
    if nonce.is_empty() {
        return Err(AuthApiError::new(
            400,
            "reauthentication_needed",
            "Password update requires reauthentication",
        ));
    }
    let mail = state.consume_mail(now, |mail| {
        mail.user_id == user_id && mail.kind == MailKind::Reauthentication && mail.check_code(nonce)
    });
    mail.map(drop).ok_or(AuthApiError::new(
        422,
        "reauthentication_not_valid",
        "Nonce has expired or is invalid",
    ))
}

fn user_not_found() -> AuthApiError {
    AuthApiError::new(
        403,
        "user_not_found",
        "User from sub claim in JWT does not exist",
    )
}
