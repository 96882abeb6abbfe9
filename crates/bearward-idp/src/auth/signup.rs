//! `POST /signup`: creates a user with a password, or an anonymous user.

use actix_web::{HttpRequest, HttpResponse, web::Data};
use bearward::Timestamp;
use bearward_testing::endpoint::JwksEndpoint;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{
    body::LenientJson,
    email,
    error::AuthApiError,
    flow::PkceChallenge,
    mail::{Mail, MailKind},
    password,
    service::AuthService,
    state::AuthState,
    token_response::TokenResponse,
    user::User,
};

#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct SignupRequest {
    email: String,
    phone: String,
    password: String,
    data: Map<String, Value>,
    code_challenge: Option<String>,
    code_challenge_method: Option<String>,
}

pub(crate) async fn signup(
    request: HttpRequest,
    auth: Data<AuthService>,
    endpoint: Data<JwksEndpoint>,
    LenientJson(body): LenientJson<SignupRequest>,
) -> Result<HttpResponse, AuthApiError> {
    if auth.options.disable_signup {
        return Err(AuthApiError::new(
            422,
            "signup_disabled",
            "Signups not allowed for this instance",
        ));
    }
    if body.email.is_empty() && body.phone.is_empty() {
        return anonymous(&auth, &endpoint, body.data).await;
    }
    if !body.email.is_empty() && !body.phone.is_empty() {
        return Err(AuthApiError::invalid(
            "Only an email address or phone number should be provided on signup.",
        ));
    }
    if !body.phone.is_empty() {
        return Err(AuthApiError::new(
            400,
            "phone_provider_disabled",
            "Phone signups are disabled",
        ));
    }
    if body.password.is_empty() {
        return Err(AuthApiError::invalid("Signup requires a valid password"));
    }
    let hash = password::hash(body.password).await?;
    let challenge = PkceChallenge::parse(
        body.code_challenge.as_deref(),
        body.code_challenge_method.as_deref(),
    )?;
    let email = email::normalize(&body.email)?;
    let redirect = auth.redirects.select(&request);
    let confirm_email = auth.options.confirm_email;
    auth.update(|state, now| {
        let known = state
            .user_by_email(&email)
            .map(|user| (user.id, user.is_confirmed()));
        match known {
            Some((_, true)) if confirm_email => {
                // The same response as for a new address, so that it does not reveal existing users.
                let mut decoy = User::new(&email, body.data, now);
                decoy.confirmation_sent_at = Some(now.millis());
                let mut decoy = decoy.json();
                decoy["role"] = "".into();
                decoy["app_metadata"] = json!({ "provider": "email", "providers": ["email"] });
                return Ok(HttpResponse::Ok().json(decoy));
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
            || create_unconfirmed_user(state, &email, hash, body.data, now),
            |(id, _)| id,
        );
        if confirm_email {
            let mail = Mail::new(id, &email, MailKind::Signup, &redirect, challenge, now);
            state.send_mail(mail, auth.options.mail_interval, now)?;
            let user = state.user(id).map(User::json);
            return Ok(HttpResponse::Ok().json(user));
        }
        if let Some(user) = state.user_mut(id) {
            user.confirm_email(now);
        }
        let session_id = state.create_session(id, "password", now);
        let response = TokenResponse::new(state, session_id, &auth, &endpoint, now)?;
        Ok(response.with_verified_identities().into_response())
    })
    .await
}

/// Adds a user with an unconfirmed email address.
pub(crate) fn create_unconfirmed_user(
    state: &mut AuthState,
    email: &str,
    hash: String,
    data: Map<String, Value>,
    now: Timestamp,
) -> Uuid {
    let mut user = User::new(email, data.clone(), now);
    let id = user.id.to_string();
    let claims = [
        ("sub".to_owned(), id.clone().into()),
        ("email".to_owned(), email.into()),
        ("email_verified".to_owned(), false.into()),
        ("phone_verified".to_owned(), false.into()),
    ];
    user.password = Some(hash);
    let data: Map<String, Value> = data.into_iter().chain(claims).collect();
    user.user_metadata.clone_from(&data);
    user.upsert_identity("email", &id, data, now);
    state.add_user(user)
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
    auth.update(|state, now| {
        let id = state.add_user(User::new("", data, now));
        let session_id = state.create_session(id, "anonymous", now);
        Ok(TokenResponse::new(state, session_id, auth, endpoint, now)?.into_response())
    })
    .await
}
