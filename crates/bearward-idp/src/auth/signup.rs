//! `POST /signup`: somebody new, with a password or without a name.

use actix_web::{HttpRequest, HttpResponse, web::Data};
use bearward::Timestamp;
use bearward_testing::endpoint::JwksEndpoint;
use serde::Deserialize;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{
    asked::LenientJson,
    auth_state::AuthState,
    email,
    error::AuthApiError,
    flow::PkceChallenge,
    mail::{Mail, MailKind},
    password,
    service::AuthService,
    token_response::TokenResponse,
    user::User,
};

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Signup {
    email: String,
    phone: String,
    password: String,
    data: Map<String, Value>,
    code_challenge: Option<String>,
    code_challenge_method: Option<String>,
}

pub(super) async fn signup(
    request: HttpRequest,
    auth: Data<AuthService>,
    endpoint: Data<JwksEndpoint>,
    LenientJson(asked): LenientJson<Signup>,
) -> Result<HttpResponse, AuthApiError> {
    if auth.options.disable_signup {
        return Err(AuthApiError::new(
            422,
            "signup_disabled",
            "Signups not allowed for this instance",
        ));
    }
    if !asked.phone.is_empty() {
        return Err(AuthApiError::new(
            400,
            "phone_provider_disabled",
            "Phone signups are disabled",
        ));
    }
    if asked.email.is_empty() && asked.password.is_empty() {
        return anonymous(&auth, &endpoint, asked.data).await;
    }
    if asked.password.is_empty() {
        return Err(AuthApiError::invalid("Signup requires a valid password"));
    }
    let hash = password::hashed(asked.password).await?;
    let challenge = PkceChallenge::read(
        asked.code_challenge.as_deref(),
        asked.code_challenge_method.as_deref(),
    )?;
    let email = email::checked(&asked.email)?;
    let redirect = auth.redirects.chosen(&request);
    let confirms = auth.options.confirm_email;
    auth.change(|world, now| {
        let known = world
            .by_email(&email)
            .map(|person| (person.id, person.is_confirmed()));
        match known {
            Some((_, true)) if confirms => {
                // What a new address is answered: a stranger does not learn who has an account.
                let mut decoy = User::new(&email, asked.data, now);
                decoy.confirmation_sent_at = Some(now.millis());
                return Ok(HttpResponse::Ok().json(decoy.json()));
            }
            Some((_, true)) => {
                return Err(AuthApiError::new(
                    422,
                    "user_already_exists",
                    "User already registered",
                ));
            }
            _ => {}
        }
        let id = known.map_or_else(
            || registered(world, &email, hash, asked.data, now),
            |(id, _)| id,
        );
        if confirms {
            world.send(Mail::new(
                id,
                &email,
                MailKind::Signup,
                &redirect,
                challenge,
                now,
            ));
            let person = world.person_mut(id).map(|person| {
                person.confirmation_sent_at = Some(now.millis());
                person.json()
            });
            return Ok(HttpResponse::Ok().json(person));
        }
        if let Some(person) = world.person_mut(id) {
            person.confirm(now);
        }
        let session = world.open_session(id, "password", now);
        Ok(TokenResponse::of(world, session, &auth, &endpoint, now)?.response())
    })
    .await
}

/// Somebody new with an address that is not confirmed yet.
pub(super) fn registered(
    world: &mut AuthState,
    email: &str,
    hash: String,
    data: Map<String, Value>,
    now: Timestamp,
) -> Uuid {
    let mut person = User::new(email, data.clone(), now);
    let id = person.id.to_string();
    let known = [
        ("sub".to_owned(), id.clone().into()),
        ("email".to_owned(), email.into()),
        ("email_verified".to_owned(), false.into()),
        ("phone_verified".to_owned(), false.into()),
    ];
    person.password = Some(hash);
    let data: Map<String, Value> = data.into_iter().chain(known).collect();
    person.user_metadata.clone_from(&data);
    person.identify("email", &id, data, now);
    world.add(person)
}

async fn anonymous(
    auth: &AuthService,
    endpoint: &JwksEndpoint,
    data: Map<String, Value>,
) -> Result<HttpResponse, AuthApiError> {
    if auth.options.disable_anonymous {
        return Err(AuthApiError::new(
            422,
            "anonymous_provider_disabled",
            "Anonymous sign-ins are disabled",
        ));
    }
    auth.change(|world, now| {
        let id = world.add(User::new("", data, now));
        let session = world.open_session(id, "anonymous", now);
        Ok(TokenResponse::of(world, session, auth, endpoint, now)?.response())
    })
    .await
}
