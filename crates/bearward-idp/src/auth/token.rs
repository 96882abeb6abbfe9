//! `POST /token`: exchanges a password, refresh token, code or ID token for a session.

use std::borrow::Cow;

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{HeaderName, HeaderValue},
    web::Data,
};
use bearward_testing::endpoint::JwksEndpoint;
use serde::Deserialize;

use super::{
    body::LenientJson,
    email,
    error::AuthApiError,
    flow::{Flow, FlowStage},
    google, password,
    service::AuthService,
    token_response::TokenResponse,
};

/// Why a refresh token that was used before was accepted again.
const REUSE_CAUSE_HEADER: HeaderName = HeaderName::from_static("sb-auth-refresh-token-reuse-cause");

/// The parameters of all grants.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct TokenRequest {
    email: String,
    phone: String,
    password: String,
    refresh_token: String,
    auth_code: String,
    code_verifier: String,
    provider: String,
    id_token: String,
    nonce: String,
    client_id: String,
    issuer: String,
}

pub(crate) async fn token(
    auth: Data<AuthService>,
    endpoint: Data<JwksEndpoint>,
    request: HttpRequest,
    LenientJson(body): LenientJson<TokenRequest>,
) -> Result<HttpResponse, AuthApiError> {
    // As in the hosted service, the first one of several counts.
    let grant_type = url::form_urlencoded::parse(request.query_string().as_bytes())
        .find_map(|(name, value)| (name == "grant_type").then_some(value));
    match grant_type.as_deref() {
        Some("password") => password_grant(&auth, &endpoint, body).await,
        Some("refresh_token") => refresh_token_grant(&auth, &endpoint, &body.refresh_token).await,
        Some("pkce") => pkce_grant(&auth, &endpoint, &body).await,
        Some("id_token") => id_token_grant(&auth, &endpoint, &body).await,
        Some("web3") => Err(AuthApiError::new(
            422,
            "web3_provider_disabled",
            "Web3 provider is disabled",
        )),
        _ => Err(AuthApiError::new(
            400,
            "invalid_credentials",
            "unsupported_grant_type",
        )),
    }
}

async fn password_grant(
    auth: &AuthService,
    endpoint: &JwksEndpoint,
    body: TokenRequest,
) -> Result<HttpResponse, AuthApiError> {
    let invalid_credentials =
        || AuthApiError::new(400, "invalid_credentials", "Invalid login credentials");
    if !body.phone.is_empty() && !body.email.is_empty() {
        return Err(AuthApiError::invalid(
            "Only an email address or phone number should be provided on login.",
        ));
    }
    if !body.phone.is_empty() {
        return Err(AuthApiError::new(
            422,
            "phone_provider_disabled",
            "Phone logins are disabled",
        ));
    }
    if body.email.is_empty() {
        return Err(AuthApiError::invalid("missing email or phone"));
    }
    let email = email::normalize(&body.email).map_err(|_| invalid_credentials())?;
    let found = auth
        .read(|state, _| {
            state
                .user_by_email(&email)
                .map(|user| (user.id, user.password.clone()))
        })
        .await;
    let Some((id, Some(hash))) = found else {
        return Err(invalid_credentials());
    };
    let is_correct = password::verify(body.password, hash.clone()).await;
    auth.update(|state, now| {
        // The password may have changed while the hash was computed.
        let user = state
            .user(id)
            .filter(|user| user.password.as_ref() == Some(&hash))
            .ok_or_else(invalid_credentials)?;
        if user.banned {
            return Err(AuthApiError::new(400, "user_banned", "User is banned"));
        }
        if !is_correct {
            return Err(invalid_credentials());
        }
        if !user.is_confirmed() {
            return Err(AuthApiError::new(
                400,
                "email_not_confirmed",
                "Email not confirmed",
            ));
        }
        let session_id = state.create_session(id, "password", now);
        let response = TokenResponse::new(state, session_id, auth, endpoint, now)?;
        Ok(response.with_password_strength().into_response())
    })
    .await
}

async fn refresh_token_grant(
    auth: &AuthService,
    endpoint: &JwksEndpoint,
    token: &str,
) -> Result<HttpResponse, AuthApiError> {
    auth.update(|state, now| {
        let refreshed = state.refresh_session(token, None, now)?;
        let response = TokenResponse::new(state, refreshed.id, auth, endpoint, now)?;
        let mut response = response.into_response();
        if let Some(cause) = refreshed.reuse_cause {
            response
                .headers_mut()
                .insert(REUSE_CAUSE_HEADER, HeaderValue::from_static(cause));
        }
        Ok(response)
    })
    .await
}

async fn pkce_grant(
    auth: &AuthService,
    endpoint: &JwksEndpoint,
    body: &TokenRequest,
) -> Result<HttpResponse, AuthApiError> {
    if body.auth_code.is_empty() || body.code_verifier.is_empty() {
        let message = "invalid request: both auth code and code verifier should be non-empty";
        return Err(AuthApiError::invalid(message));
    }
    auth.update(|state, now| {
        let unknown = AuthApiError::new(
            404,
            "flow_state_not_found",
            "invalid flow state, no valid flow state found",
        );
        let flow = state.flow_by_code(&body.auth_code).ok_or(unknown.clone())?;
        if flow.is_expired(now) {
            return Err(AuthApiError::new(
                422,
                "flow_state_expired",
                "invalid flow state, flow state has expired",
            ));
        }
        // A wrong verifier does not invalidate the flow.
        if !flow
            .challenge
            .as_ref()
            .is_some_and(|challenge| challenge.verify(&body.code_verifier))
        {
            let message = "code challenge does not match previously saved code verifier";
            return Err(AuthApiError::new(400, "bad_code_verifier", message));
        }
        let id = flow.id;
        let Some(Flow {
            stage:
                FlowStage::CodeIssued {
                    user_id,
                    method,
                    provider_token,
                    provider_refresh_token,
                    ..
                },
            ..
        }) = state.take_flow(id)
        else {
            return Err(unknown);
        };
        if state.user(user_id).is_some_and(|user| user.banned) {
            return Err(AuthApiError::new(400, "user_banned", "User is banned"));
        }
        let session_id = state.create_session(user_id, &method, now);
        let response = TokenResponse::new(state, session_id, auth, endpoint, now)?;
        Ok(response
            .with_provider_tokens(provider_token, provider_refresh_token)
            .into_response())
    })
    .await
}

async fn id_token_grant(
    auth: &AuthService,
    endpoint: &JwksEndpoint,
    body: &TokenRequest,
) -> Result<HttpResponse, AuthApiError> {
    if body.id_token.is_empty() {
        return Err(AuthApiError::oauth("invalid request", "id_token required"));
    }
    check_provider(body)?;
    let profile = google::verify_id_token(auth, endpoint, &body.id_token, &body.nonce).await?;
    auth.update(|state, now| {
        let user_id = auth.sign_in(state, &profile, now)?;
        let session_id = state.create_session(user_id, "oauth", now);
        Ok(TokenResponse::new(state, session_id, auth, endpoint, now)?.into_response())
    })
    .await
}

/// Checks that the request is for an ID token of Google, by name or by client and issuer.
fn check_provider(body: &TokenRequest) -> Result<(), AuthApiError> {
    match body.provider.as_str() {
        "google" => Ok(()),
        "" if body.client_id.is_empty() || body.issuer.is_empty() => Err(AuthApiError::oauth(
            "invalid request",
            "provider or client_id and issuer required",
        )),
        "" if body.client_id == google::CLIENT_ID && body.issuer == google::REAL_ISSUER => Ok(()),
        "apple" => Err(AuthApiError::invalid(
            "Detected ID token issuer is not an Apple ID token issuer",
        )),
        name => {
            let name = if name.is_empty() { &body.issuer } else { name };
            let message = format!("Custom OIDC provider {name:?} not allowed");
            Err(AuthApiError::Plain(
                400,
                "validation_failed",
                Cow::Owned(message),
            ))
        }
    }
}
