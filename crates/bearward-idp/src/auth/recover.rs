//! `POST /recover`, `/otp` and `/resend`: send mails with a link and a one-time code.

use actix_web::{HttpRequest, HttpResponse, web::Data};
use bearward::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use url::Url;
use uuid::Uuid;

use super::{
    body::LenientJson,
    email,
    error::AuthApiError,
    flow::PkceChallenge,
    mail::{Mail, MailKind},
    password, random,
    service::AuthService,
    signup::create_unconfirmed_user,
    state::AuthState,
    user::User,
};

#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct OtpRequest {
    email: String,
    phone: String,
    create_user: Option<bool>,
    data: Map<String, Value>,
    #[serde(rename = "type")]
    kind: String,
    code_challenge: Option<String>,
    code_challenge_method: Option<String>,
}

/// Sends a password reset link. The response does not reveal whether the user exists.
pub(crate) async fn recover(
    request: HttpRequest,
    auth: Data<AuthService>,
    LenientJson(body): LenientJson<OtpRequest>,
) -> Result<HttpResponse, AuthApiError> {
    let (email, challenge, redirect) = parse(&request, &auth, &body)?;
    auth.update(|state, now| {
        if let Some(id) = state.user_by_email(&email).map(|user| user.id) {
            send_mail(
                state,
                id,
                &email,
                MailKind::Recovery,
                &redirect,
                challenge,
                now,
            );
        }
        Ok(empty_object())
    })
    .await
}

/// Sends a magic link and code. Creates the user if needed, unless `create_user` is false.
pub(crate) async fn otp(
    request: HttpRequest,
    auth: Data<AuthService>,
    LenientJson(body): LenientJson<OtpRequest>,
) -> Result<HttpResponse, AuthApiError> {
    let (email, challenge, redirect) = parse(&request, &auth, &body)?;
    let is_known = auth
        .read(|state, _| state.user_by_email(&email).is_some())
        .await;
    if !is_known && !body.create_user.unwrap_or(true) {
        return Err(AuthApiError::new(
            422,
            "otp_disabled",
            "Signups not allowed for otp",
        ));
    }
    if !is_known && auth.options.disable_signup {
        return Err(AuthApiError::new(
            422,
            "signup_disabled",
            "Signups not allowed for this instance",
        ));
    }
    // A random password; the user can set one after signing in.
    let hash = if is_known {
        None
    } else {
        Some(password::hash(random::secret::<33>()).await?)
    };
    auth.update(|state, now| {
        let known = state.user_by_email(&email).map(|user| user.id);
        let id = match (known, hash) {
            (Some(id), _) => id,
            (None, Some(hash)) => {
                let id = create_unconfirmed_user(state, &email, hash, body.data, now);
                if let Some(user) = state.user_mut(id).filter(|_| !auth.options.confirm_email) {
                    user.confirm_email(now);
                }
                id
            }
            (None, None) => return Ok(empty_object()),
        };
        let kind = if state.user(id).is_some_and(User::is_confirmed) {
            MailKind::MagicLink
        } else {
            MailKind::Signup
        };
        send_mail(state, id, &email, kind, &redirect, challenge, now);
        Ok(empty_object())
    })
    .await
}

/// The older form of [`otp`], which always creates the user if needed.
pub(crate) async fn magic_link(
    request: HttpRequest,
    auth: Data<AuthService>,
    LenientJson(body): LenientJson<OtpRequest>,
) -> Result<HttpResponse, AuthApiError> {
    let create_user = Some(true);
    otp(
        request,
        auth,
        LenientJson(OtpRequest {
            create_user,
            ..body
        }),
    )
    .await
}

/// Sends the confirmation of a sign-up or of a new address again.
pub(crate) async fn resend(
    request: HttpRequest,
    auth: Data<AuthService>,
    LenientJson(body): LenientJson<OtpRequest>,
) -> Result<HttpResponse, AuthApiError> {
    if !matches!(body.kind.as_str(), "signup" | "email_change") {
        return Err(AuthApiError::invalid(
            "Missing one of these types: signup, email_change, sms, phone_change",
        ));
    }
    let (email, challenge, redirect) = parse(&request, &auth, &body)?;
    auth.update(|state, now| {
        let Some(user) = state.user_by_email(&email) else {
            return Ok(empty_object());
        };
        let (id, new_email) = (user.id, user.new_email.clone());
        match (body.kind.as_str(), new_email) {
            ("signup", _) if !user.is_confirmed() => send_mail(
                state,
                id,
                &email,
                MailKind::Signup,
                &redirect,
                challenge,
                now,
            ),
            ("email_change", Some(new)) => send_mail(
                state,
                id,
                &new,
                MailKind::EmailChange,
                &redirect,
                challenge,
                now,
            ),
            _ => {}
        }
        Ok(empty_object())
    })
    .await
}

fn parse(
    request: &HttpRequest,
    auth: &AuthService,
    body: &OtpRequest,
) -> Result<(String, Option<PkceChallenge>, Url), AuthApiError> {
    if !body.phone.is_empty() {
        return Err(AuthApiError::new(
            400,
            "phone_provider_disabled",
            "Unsupported phone provider",
        ));
    }
    let challenge = PkceChallenge::parse(
        body.code_challenge.as_deref(),
        body.code_challenge_method.as_deref(),
    )?;
    Ok((
        email::normalize(&body.email)?,
        challenge,
        auth.redirects.select(request),
    ))
}

/// Sends a mail and records its time in the user.
fn send_mail(
    state: &mut AuthState,
    id: Uuid,
    to: &str,
    kind: MailKind,
    redirect: &Url,
    challenge: Option<PkceChallenge>,
    now: Timestamp,
) {
    state.send_mail(Mail::new(id, to, kind, redirect, challenge, now));
    if let Some(user) = state.user_mut(id) {
        let at = match kind {
            MailKind::Signup => &mut user.confirmation_sent_at,
            MailKind::Recovery | MailKind::MagicLink => &mut user.recovery_sent_at,
            MailKind::EmailChange => &mut user.email_change_sent_at,
        };
        *at = Some(now.millis());
    }
}

fn empty_object() -> HttpResponse {
    HttpResponse::Ok().json(json!({}))
}
