//! `GET` and `PUT /user`: the current user.

use actix_web::{HttpRequest, HttpResponse, web::Data};
use serde::Deserialize;
use serde_json::{Map, Value};

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
};

/// The body of `PUT /user`. `app_metadata` is rejected, because it holds roles.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct UpdateUserRequest {
    email: String,
    phone: String,
    password: Option<String>,
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
    let email = if body.email.is_empty() {
        None
    } else {
        Some(email::normalize(&body.email)?)
    };
    let challenge = PkceChallenge::parse(
        body.code_challenge.as_deref(),
        body.code_challenge_method.as_deref(),
    )?;
    let sets_password = body
        .password
        .as_deref()
        .is_some_and(|password| !password.is_empty());
    let before = auth
        .read(|state, _| {
            state.user(bearer.user_id).map(|user| {
                let is_aal2 = bearer
                    .session_id
                    .and_then(|id| state.session(id))
                    .is_some_and(Session::is_aal2);
                let needs_aal2 = user.has_verified_factor() && !is_aal2;
                let changes_email = email.as_ref().is_some_and(|email| *email != user.email);
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
    let hash = match body.password.filter(|password| !password.is_empty()) {
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
            return Err(AuthApiError::new(
                422,
                "email_exists",
                "A user with this email address has already been registered",
            ));
        }
        let user = state.user_mut(bearer.user_id).ok_or(user_not_found())?;
        user.updated_at = now.millis();
        user.user_metadata.extend(body.data.unwrap_or_default());
        // As in the hosted service, null removes a member.
        user.user_metadata.retain(|_, value| !value.is_null());
        let changes_password = hash.is_some();
        user.password = hash.or(user.password.take());
        match new_email {
            Some(email) if user.is_anonymous && !auth.options.confirm_email => {
                user.change_email(&email, now);
            }
            Some(email) => {
                user.new_email = Some(email.clone());
                user.email_change_sent_at = Some(now.millis());
                state.send_mail(Mail::new(
                    bearer.user_id,
                    &email,
                    MailKind::EmailChange,
                    &redirect,
                    challenge,
                    now,
                ));
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

fn user_not_found() -> AuthApiError {
    AuthApiError::new(
        403,
        "user_not_found",
        "User from sub claim in JWT does not exist",
    )
}
