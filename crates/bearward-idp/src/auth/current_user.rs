//! `GET` and `PUT /user`: who somebody is, and changing it.

use actix_web::{HttpRequest, HttpResponse, web::Data};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{
    asked::LenientJson,
    bearer::Bearer,
    email,
    error::AuthApiError,
    flow::PkceChallenge,
    mail::{Mail, MailKind},
    password,
    service::AuthService,
};

/// What may be changed. `app_metadata` may not: roles live in it.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Update {
    email: String,
    phone: String,
    password: Option<String>,
    data: Option<Map<String, Value>>,
    app_metadata: Option<Value>,
    code_challenge: Option<String>,
    code_challenge_method: Option<String>,
}

pub(super) async fn show(auth: Data<AuthService>, bearer: Bearer) -> HttpResponse {
    let user = auth
        .read(|world, _| world.person(bearer.person).map(super::user::User::json))
        .await;
    HttpResponse::Ok()
        .insert_header(("cache-control", "no-store"))
        .json(user)
}

pub(super) async fn update(
    request: HttpRequest,
    auth: Data<AuthService>,
    bearer: Bearer,
    LenientJson(asked): LenientJson<Update>,
) -> Result<HttpResponse, AuthApiError> {
    if asked.app_metadata.is_some() {
        return Err(AuthApiError::new(
            403,
            "not_admin",
            "Updating app_metadata requires admin privileges",
        ));
    }
    if !asked.phone.is_empty() {
        return Err(AuthApiError::new(
            400,
            "phone_provider_disabled",
            "Phone logins are disabled",
        ));
    }
    let email = if asked.email.is_empty() {
        None
    } else {
        Some(email::checked(&asked.email)?)
    };
    let challenge = PkceChallenge::read(
        asked.code_challenge.as_deref(),
        asked.code_challenge_method.as_deref(),
    )?;
    let before = auth
        .read(|world, _| {
            world
                .person(bearer.person)
                .map(|person| (person.is_anonymous, person.password.clone()))
        })
        .await;
    let (was_anonymous, old_hash) = before.ok_or(gone())?;
    let hash = match asked.password.filter(|password| !password.is_empty()) {
        None => None,
        Some(_) if was_anonymous && email.is_none() => {
            let message =
                "Updating password of an anonymous user without an email or phone is not allowed";
            return Err(AuthApiError::new(422, "validation_failed", message));
        }
        Some(password) => {
            let hash = password::hashed(password.clone()).await?;
            if let Some(old) = old_hash
                && password::fits(password, old).await
            {
                let message = "New password should be different from the old password.";
                return Err(AuthApiError::new(422, "same_password", message));
            }
            Some(hash)
        }
    };
    let redirect = auth.redirects.chosen(&request);
    auth.change(|world, now| {
        let new_email = email.filter(|email| {
            world
                .person(bearer.person)
                .is_some_and(|person| person.email != *email)
        });
        if let Some(email) = &new_email
            && world.by_email(email).is_some()
        {
            return Err(AuthApiError::new(
                422,
                "email_exists",
                "A user with this email address has already been registered",
            ));
        }
        let person = world.person_mut(bearer.person).ok_or(gone())?;
        person.updated_at = now.millis();
        person.user_metadata.extend(asked.data.unwrap_or_default());
        // As with the hosted service: null takes a member out.
        person.user_metadata.retain(|_, value| !value.is_null());
        let changes_password = hash.is_some();
        person.password = hash.or(person.password.take());
        match new_email {
            Some(email) if person.is_anonymous && !auth.options.confirm_email => {
                person.change_email(&email, now)
            }
            Some(email) => {
                person.new_email = Some(email.clone());
                person.email_change_sent_at = Some(now.millis());
                world.send(Mail::new(
                    bearer.person,
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
            // Whoever knew the old one is signed out.
            world.end_sessions(|session| {
                session.person == bearer.person && Some(session.id) != bearer.session
            });
        }
        Ok(HttpResponse::Ok().json(world.person(bearer.person).map(super::user::User::json)))
    })
    .await
}

fn gone() -> AuthApiError {
    AuthApiError::new(
        403,
        "user_not_found",
        "User from sub claim in JWT does not exist",
    )
}
