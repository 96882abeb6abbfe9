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
    if body.email.is_empty() {
        return Err(AuthApiError::invalid("Password recovery requires an email"));
    }
    let parsed = parse(&request, &auth, &body)?;
    auth.update(|state, now| {
        if let Some(id) = state.user_by_email(&parsed.email).map(|user| user.id) {
            let mail = parsed.mail(id, MailKind::Recovery, now);
            state.send_mail(mail, auth.options.mail_interval, now)?;
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
    if !body.email.is_empty() && !body.phone.is_empty() {
        return Err(AuthApiError::invalid(
            "Only an email address or phone number should be provided",
        ));
    }
    if body.email.is_empty() && body.phone.is_empty() {
        return Err(AuthApiError::invalid("One of email or phone must be set"));
    }
    let parsed = parse(&request, &auth, &body)?;
    let is_known = auth
        .read(|state, _| state.user_by_email(&parsed.email).is_some())
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
        let known = state.user_by_email(&parsed.email).map(|user| user.id);
        let id = match (known, hash) {
            (Some(id), _) => id,
            (None, Some(hash)) => {
                let id = create_unconfirmed_user(state, &parsed.email, hash, body.data, now);
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
        let mail = parsed.mail(id, kind, now);
        state.send_mail(mail, auth.options.mail_interval, now)?;
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
    let problem = match body.kind.as_str() {
        "signup" if body.email.is_empty() => Some("Type provided requires an email address"),
        "sms" if body.phone.is_empty() => Some("Type provided requires a phone number"),
        "signup" | "email_change" | "sms" | "phone_change" => {
            match (body.email.is_empty(), body.phone.is_empty()) {
                (false, false) => Some("Only an email address or phone number should be provided."),
                (true, true) => Some("Missing email address or phone number"),
                _ => None,
            }
        }
        _ => Some("Missing one of these types: signup, email_change, sms, phone_change"),
    };
    if let Some(problem) = problem {
        return Err(AuthApiError::invalid(problem));
    }
    let parsed = parse(&request, &auth, &body)?;
    let interval = auth.options.mail_interval;
    auth.update(|state, now| {
        let Some(user) = state.user_by_email(&parsed.email) else {
            return Ok(empty_object());
        };
        let (id, new_email) = (user.id, user.new_email.clone());
        match (body.kind.as_str(), new_email) {
            ("signup", _) if !user.is_confirmed() => {
                let mail = parsed.mail(id, MailKind::Signup, now);
                state.send_mail(mail, interval, now)?;
            }
            ("email_change", Some(new)) => {
                let mail_to = |to: &str| parsed.mail_to(to, id, MailKind::EmailChange, now);
                state.send_email_change(id, &new, mail_to, interval, now)?;
            }
            _ => {}
        }
        Ok(empty_object())
    })
    .await
}

/// The checked members of a request for a mail.
struct MailRequest {
    email: String,
    challenge: Option<PkceChallenge>,
    redirect: Url,
}

impl MailRequest {
    fn mail(&self, user_id: Uuid, kind: MailKind, now: Timestamp) -> Mail {
        self.mail_to(&self.email, user_id, kind, now)
    }

    fn mail_to(&self, to: &str, user_id: Uuid, kind: MailKind, now: Timestamp) -> Mail {
        Mail::new(
            user_id,
            to,
            kind,
            &self.redirect,
            self.challenge.clone(),
            now,
        )
    }
}

fn parse(
    request: &HttpRequest,
    auth: &AuthService,
    body: &OtpRequest,
) -> Result<MailRequest, AuthApiError> {
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
    Ok(MailRequest {
        email: email::normalize(&body.email)?,
        challenge,
        redirect: auth.redirects.select(request),
    })
}

fn empty_object() -> HttpResponse {
    HttpResponse::Ok().json(json!({}))
}
