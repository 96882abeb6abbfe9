//! `GET` and `POST /verify`: follow the link of a mail, or submit its code.

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Query},
};
use bearward_testing::endpoint::JwksEndpoint;
use serde::Deserialize;
use uuid::Uuid;

use super::{
    body::LenientJson,
    email,
    error::AuthApiError,
    flow::{Flow, FlowStage},
    mail::Mail,
    random, redirect_response,
    service::AuthService,
    token_response::TokenResponse,
};

const TYPES: [&str; 6] = [
    "signup",
    "invite",
    "email",
    "recovery",
    "magiclink",
    "email_change",
];

#[derive(Deserialize)]
pub(crate) struct VerifyQuery {
    token: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct VerifyRequest {
    #[serde(rename = "type")]
    kind: String,
    token: String,
    token_hash: String,
    email: String,
    phone: String,
}

/// Redirects to the app with the session in the fragment, or with a code if the mail was requested
/// with PKCE.
pub(crate) async fn verify_link(
    request: HttpRequest,
    auth: Data<AuthService>,
    endpoint: Data<JwksEndpoint>,
    link: Query<VerifyQuery>,
) -> Result<HttpResponse, AuthApiError> {
    let kind = link.kind.as_deref().unwrap_or_default();
    let token = link.token.as_deref().unwrap_or_default();
    check_type(kind)?;
    if token.is_empty() {
        return Err(AuthApiError::invalid(
            "Verify requires a token or a token hash",
        ));
    }
    let address = auth.redirects.select(&request);
    let used = auth.update(|state, now| {
        let matches = |mail: &mut Mail| {
            mail.kind.matches_type(kind) && random::constant_time_eq(token, &mail.token_hash)
        };
        let mail = state.consume_mail(now, matches).ok_or(AuthApiError::new(
            403,
            "otp_expired",
            "Email link is invalid or has expired",
        ))?;
        let user_id = state.apply_mail(&mail, now)?;
        if mail.challenge.is_none() {
            let session_id = state.create_session(user_id, "otp", now);
            return Ok(
                TokenResponse::new(state, session_id, &auth, &endpoint, now)?
                    .into_redirect_url(address.clone(), Some(kind)),
            );
        }
        let code = Uuid::new_v4().to_string();
        let method = kind.to_owned();
        let stage = FlowStage::CodeIssued {
            code: code.clone(),
            user_id,
            method,
            provider_token: None,
            provider_refresh_token: None,
        };
        state.start_flow(Flow::new(mail.challenge, stage, now), now);
        Ok(redirect_response::with_query(
            address.clone(),
            &[("code", &code)],
        ))
    });
    let is_pkce = token.starts_with("pkce_");
    let address = used
        .await
        .unwrap_or_else(|error| redirect_response::with_error(address.clone(), &error, is_pkce));
    Ok(redirect_response::redirect(
        StatusCode::SEE_OTHER,
        address.as_str(),
    ))
}

/// Verifies a code or token hash and answers with a session.
pub(crate) async fn verify_code(
    auth: Data<AuthService>,
    endpoint: Data<JwksEndpoint>,
    LenientJson(body): LenientJson<VerifyRequest>,
) -> Result<HttpResponse, AuthApiError> {
    check_type(&body.kind)?;
    if body.token.is_empty() == body.token_hash.is_empty() {
        return Err(AuthApiError::invalid(
            "Verify requires either a token or a token hash",
        ));
    }
    if !body.phone.is_empty() || (!body.token.is_empty() && body.email.is_empty()) {
        return Err(AuthApiError::invalid(
            "Only an email address or phone number should be provided on verify",
        ));
    }
    let email = if body.token.is_empty() {
        String::new()
    } else {
        email::normalize(&body.email)?
    };
    auth.update(|state, now| {
        let mail = state.consume_mail(now, |mail| {
            let by_code = !body.token.is_empty();
            mail.kind.matches_type(&body.kind)
                && if by_code {
                    mail.to == email && mail.check_code(&body.token)
                } else {
                    random::constant_time_eq(&body.token_hash, &mail.token_hash)
                }
        });
        let mail = mail.ok_or(AuthApiError::new(
            403,
            "otp_expired",
            "Token has expired or is invalid",
        ))?;
        let user_id = state.apply_mail(&mail, now)?;
        let session_id = state.create_session(user_id, "otp", now);
        Ok(TokenResponse::new(state, session_id, &auth, &endpoint, now)?.into_response())
    })
    .await
}

fn check_type(kind: &str) -> Result<(), AuthApiError> {
    match kind {
        "" => Err(AuthApiError::invalid("Verify requires a verification type")),
        kind if TYPES.contains(&kind) => Ok(()),
        _ => Err(AuthApiError::invalid("Unsupported verification type")),
    }
}
