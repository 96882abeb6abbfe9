//! `POST /recover`, `/otp` and `/resend`: mails that sign somebody in.

use actix_web::{HttpRequest, HttpResponse, web::Data};
use bearward::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use url::Url;
use uuid::Uuid;

use super::{
    asked::LenientJson,
    auth_state::AuthState,
    email,
    error::AuthApiError,
    flow::PkceChallenge,
    mail::{Mail, MailKind},
    password, random,
    service::AuthService,
    signup::registered,
    user::User,
};

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct OtpRequest {
    email: String,
    phone: String,
    create_user: Option<bool>,
    data: Map<String, Value>,
    #[serde(rename = "type")]
    kind: String,
    code_challenge: Option<String>,
    code_challenge_method: Option<String>,
}

/// A link to set a new password. The answer does not tell whether anybody is there.
pub(super) async fn recover(
    request: HttpRequest,
    auth: Data<AuthService>,
    LenientJson(wanted): LenientJson<OtpRequest>,
) -> Result<HttpResponse, AuthApiError> {
    let (email, challenge, redirect) = read(&request, &auth, &wanted)?;
    auth.change(|world, now| {
        if let Some(id) = world.by_email(&email).map(|person| person.id) {
            send(
                world,
                id,
                &email,
                MailKind::Recovery,
                &redirect,
                challenge,
                now,
            );
        }
        Ok(sent())
    })
    .await
}

/// A magic link, and a code to type. Somebody new is made on the way, unless the app says
/// otherwise.
pub(super) async fn otp(
    request: HttpRequest,
    auth: Data<AuthService>,
    LenientJson(wanted): LenientJson<OtpRequest>,
) -> Result<HttpResponse, AuthApiError> {
    let (email, challenge, redirect) = read(&request, &auth, &wanted)?;
    let is_known = auth.read(|world, _| world.by_email(&email).is_some()).await;
    if !is_known && !wanted.create_user.unwrap_or(true) {
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
    // Nobody knows it; a password can be set once signed in.
    let hash = if is_known {
        None
    } else {
        Some(password::hashed(random::secret::<33>()).await?)
    };
    auth.change(|world, now| {
        let known = world.by_email(&email).map(|person| person.id);
        let id = match (known, hash) {
            (Some(id), _) => id,
            (None, Some(hash)) => {
                let id = registered(world, &email, hash, wanted.data, now);
                if let Some(person) = world.person_mut(id).filter(|_| !auth.options.confirm_email) {
                    person.confirm(now);
                }
                id
            }
            (None, None) => return Ok(sent()),
        };
        let kind = if world.person(id).is_some_and(User::is_confirmed) {
            MailKind::MagicLink
        } else {
            MailKind::Signup
        };
        send(world, id, &email, kind, &redirect, challenge, now);
        Ok(sent())
    })
    .await
}

/// The mail of a sign-up or of a new address once more.
pub(super) async fn resend(
    request: HttpRequest,
    auth: Data<AuthService>,
    LenientJson(wanted): LenientJson<OtpRequest>,
) -> Result<HttpResponse, AuthApiError> {
    if !matches!(wanted.kind.as_str(), "signup" | "email_change") {
        return Err(AuthApiError::invalid(
            "Missing one of these types: signup, email_change, sms, phone_change",
        ));
    }
    let (email, challenge, redirect) = read(&request, &auth, &wanted)?;
    auth.change(|world, now| {
        let Some(person) = world.by_email(&email) else {
            return Ok(sent());
        };
        let (id, new_email) = (person.id, person.new_email.clone());
        match (wanted.kind.as_str(), new_email) {
            ("signup", _) if !person.is_confirmed() => send(
                world,
                id,
                &email,
                MailKind::Signup,
                &redirect,
                challenge,
                now,
            ),
            ("email_change", Some(new)) => send(
                world,
                id,
                &new,
                MailKind::EmailChange,
                &redirect,
                challenge,
                now,
            ),
            _ => {}
        }
        Ok(sent())
    })
    .await
}

fn read(
    request: &HttpRequest,
    auth: &AuthService,
    wanted: &OtpRequest,
) -> Result<(String, Option<PkceChallenge>, Url), AuthApiError> {
    if !wanted.phone.is_empty() {
        return Err(AuthApiError::new(
            400,
            "phone_provider_disabled",
            "Unsupported phone provider",
        ));
    }
    let challenge = PkceChallenge::read(
        wanted.code_challenge.as_deref(),
        wanted.code_challenge_method.as_deref(),
    )?;
    Ok((
        email::checked(&wanted.email)?,
        challenge,
        auth.redirects.chosen(request),
    ))
}

fn send(
    world: &mut AuthState,
    id: Uuid,
    to: &str,
    kind: MailKind,
    redirect: &Url,
    challenge: Option<PkceChallenge>,
    now: Timestamp,
) {
    world.send(Mail::new(id, to, kind, redirect, challenge, now));
    if let Some(person) = world.person_mut(id) {
        let at = match kind {
            MailKind::Signup => &mut person.confirmation_sent_at,
            MailKind::Recovery | MailKind::MagicLink => &mut person.recovery_sent_at,
            MailKind::EmailChange => &mut person.email_change_sent_at,
        };
        *at = Some(now.millis());
    }
}

fn sent() -> HttpResponse {
    HttpResponse::Ok().json(json!({}))
}
