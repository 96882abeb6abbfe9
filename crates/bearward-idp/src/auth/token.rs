//! `POST /token`: a password, a refresh token, a code or an ID token for a session.

use actix_web::{
    HttpResponse,
    web::{Data, Query},
};
use bearward_testing::endpoint::JwksEndpoint;
use serde::Deserialize;

use super::{
    asked::LenientJson,
    email,
    error::AuthApiError,
    flow::{Flow, Stage},
    google, password,
    service::AuthService,
    token_response::TokenResponse,
};

#[derive(Deserialize)]
pub(super) struct Grant {
    grant_type: Option<String>,
}

/// The members of every grant; each reads its own.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Credentials {
    email: String,
    phone: String,
    password: String,
    refresh_token: String,
    auth_code: String,
    code_verifier: String,
    provider: String,
    id_token: String,
    nonce: String,
}

pub(super) async fn token(
    auth: Data<AuthService>,
    endpoint: Data<JwksEndpoint>,
    grant: Query<Grant>,
    LenientJson(sent): LenientJson<Credentials>,
) -> Result<HttpResponse, AuthApiError> {
    match grant.grant_type.as_deref() {
        Some("password") => by_password(&auth, &endpoint, sent).await,
        Some("refresh_token") => by_refresh_token(&auth, &endpoint, &sent.refresh_token).await,
        Some("pkce") => by_code(&auth, &endpoint, &sent).await,
        Some("id_token") => by_id_token(&auth, &endpoint, &sent).await,
        _ => Err(AuthApiError::new(
            400,
            "invalid_credentials",
            "unsupported_grant_type",
        )),
    }
}

async fn by_password(
    auth: &AuthService,
    endpoint: &JwksEndpoint,
    sent: Credentials,
) -> Result<HttpResponse, AuthApiError> {
    let wrong = || AuthApiError::new(400, "invalid_credentials", "Invalid login credentials");
    if !sent.phone.is_empty() {
        return Err(AuthApiError::new(
            422,
            "phone_provider_disabled",
            "Phone logins are disabled",
        ));
    }
    if sent.email.is_empty() {
        return Err(AuthApiError::invalid("missing email or phone"));
    }
    let email = email::checked(&sent.email).map_err(|_| wrong())?;
    let found = auth
        .read(|world, _| {
            world
                .by_email(&email)
                .map(|person| (person.id, person.password.clone()))
        })
        .await;
    let Some((id, Some(hash))) = found else {
        return Err(wrong());
    };
    let fits = password::fits(sent.password, hash.clone()).await;
    auth.change(|world, now| {
        // Asked again: it may have been changed while the hash was computed.
        let person = world
            .person(id)
            .filter(|person| person.password.as_ref() == Some(&hash))
            .ok_or_else(wrong)?;
        if person.banned {
            return Err(AuthApiError::new(400, "user_banned", "User is banned"));
        }
        if !fits {
            return Err(wrong());
        }
        if !person.is_confirmed() {
            return Err(AuthApiError::new(
                400,
                "email_not_confirmed",
                "Email not confirmed",
            ));
        }
        let session = world.open_session(id, "password", now);
        Ok(TokenResponse::of(world, session, auth, endpoint, now)?.response())
    })
    .await
}

async fn by_refresh_token(
    auth: &AuthService,
    endpoint: &JwksEndpoint,
    token: &str,
) -> Result<HttpResponse, AuthApiError> {
    if token.is_empty() {
        return Err(AuthApiError::OAuth(
            "invalid_request",
            "refresh_token required",
        ));
    }
    auth.change(|world, now| {
        let session = world.refresh(token, now)?;
        Ok(TokenResponse::of(world, session, auth, endpoint, now)?.response())
    })
    .await
}

async fn by_code(
    auth: &AuthService,
    endpoint: &JwksEndpoint,
    sent: &Credentials,
) -> Result<HttpResponse, AuthApiError> {
    if sent.auth_code.is_empty() || sent.code_verifier.is_empty() {
        let message = "invalid request: both auth code and code verifier should be non-empty";
        return Err(AuthApiError::invalid(message));
    }
    auth.change(|world, now| {
        let unknown = AuthApiError::new(
            404,
            "flow_state_not_found",
            "invalid flow state, no valid flow state found",
        );
        let flow = world.flow_of_code(&sent.auth_code).ok_or(unknown.clone())?;
        if flow.is_expired(now) {
            return Err(AuthApiError::new(
                422,
                "flow_state_expired",
                "invalid flow state, flow state has expired",
            ));
        }
        // A wrong verifier does not end the sign-in of whoever has the right one.
        if !flow
            .challenge
            .as_ref()
            .is_some_and(|challenge| challenge.is_met_by(&sent.code_verifier))
        {
            let message = "code challenge does not match previously saved code verifier";
            return Err(AuthApiError::new(400, "bad_code_verifier", message));
        }
        let id = flow.id;
        let Some(Flow {
            stage:
                Stage::Code {
                    person,
                    method,
                    provider_token,
                    provider_refresh_token,
                    ..
                },
            ..
        }) = world.take_flow(id)
        else {
            return Err(unknown);
        };
        if world.person(person).is_some_and(|person| person.banned) {
            return Err(AuthApiError::new(400, "user_banned", "User is banned"));
        }
        let session = world.open_session(person, &method, now);
        let answer = TokenResponse::of(world, session, auth, endpoint, now)?;
        Ok(answer
            .with_provider_tokens(provider_token, provider_refresh_token)
            .response())
    })
    .await
}

async fn by_id_token(
    auth: &AuthService,
    endpoint: &JwksEndpoint,
    sent: &Credentials,
) -> Result<HttpResponse, AuthApiError> {
    if sent.id_token.is_empty() {
        return Err(AuthApiError::OAuth("invalid request", "id_token required"));
    }
    if sent.provider != "google" {
        return Err(AuthApiError::OAuth(
            "invalid request",
            "this IdP takes ID tokens of the provider google alone",
        ));
    }
    let profile = google::read(auth, endpoint, &sent.id_token, &sent.nonce).await?;
    auth.change(|world, now| {
        let person = world.arrive(
            &profile,
            profile.metadata(),
            !auth.options.disable_signup,
            now,
        )?;
        let session = world.open_session(person, "oauth", now);
        Ok(TokenResponse::of(world, session, auth, endpoint, now)?.response())
    })
    .await
}
