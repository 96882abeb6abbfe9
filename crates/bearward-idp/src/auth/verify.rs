//! `GET` and `POST /verify`: a link that was followed, a code that was typed.

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Query},
};
use bearward_testing::endpoint::JwksEndpoint;
use serde::Deserialize;
use uuid::Uuid;

use super::{
    asked::LenientJson,
    email,
    error::AuthApiError,
    flow::{Flow, Stage},
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
pub(super) struct Link {
    token: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct VerifyRequest {
    #[serde(rename = "type")]
    kind: String,
    token: String,
    token_hash: String,
    email: String,
    phone: String,
}

/// Leads back to the app: with a session behind the `#`, or with a code where the mail was asked
/// for by PKCE.
pub(super) async fn followed(
    request: HttpRequest,
    auth: Data<AuthService>,
    endpoint: Data<JwksEndpoint>,
    link: Query<Link>,
) -> Result<HttpResponse, AuthApiError> {
    let kind = link.kind.as_deref().unwrap_or_default();
    let token = link.token.as_deref().unwrap_or_default();
    check_type(kind)?;
    if token.is_empty() {
        return Err(AuthApiError::invalid(
            "Verify requires a token or a token hash",
        ));
    }
    let address = auth.redirects.chosen(&request);
    let used = auth.change(|world, now| {
        let fits = |mail: &mut super::mail::Mail| {
            mail.kind.answers_to(kind) && random::same(token, &mail.token_hash)
        };
        let mail = world.spend(now, fits).ok_or(AuthApiError::new(
            403,
            "otp_expired",
            "Email link is invalid or has expired",
        ))?;
        let person = world.follow(&mail, now)?;
        if mail.challenge.is_none() {
            let session = world.open_session(person, "otp", now);
            return Ok(TokenResponse::of(world, session, &auth, &endpoint, now)?
                .address(address.clone(), Some(kind)));
        }
        let code = Uuid::new_v4().to_string();
        let method = kind.to_owned();
        let stage = Stage::Code {
            code: code.clone(),
            person,
            method,
            provider_token: None,
            provider_refresh_token: None,
        };
        world.begin(Flow::new(mail.challenge, stage, now), now);
        Ok(redirect_response::with_query(
            address.clone(),
            &[("code", &code)],
        ))
    });
    let asked_by_pkce = token.starts_with("pkce_");
    let address = used.await.unwrap_or_else(|fault| {
        redirect_response::with_fault(address.clone(), &fault, asked_by_pkce)
    });
    Ok(redirect_response::to(
        StatusCode::SEE_OTHER,
        address.as_str(),
    ))
}

/// Answers with a session.
pub(super) async fn typed(
    auth: Data<AuthService>,
    endpoint: Data<JwksEndpoint>,
    LenientJson(typed): LenientJson<VerifyRequest>,
) -> Result<HttpResponse, AuthApiError> {
    check_type(&typed.kind)?;
    if typed.token.is_empty() == typed.token_hash.is_empty() {
        return Err(AuthApiError::invalid(
            "Verify requires either a token or a token hash",
        ));
    }
    if !typed.phone.is_empty() || (!typed.token.is_empty() && typed.email.is_empty()) {
        return Err(AuthApiError::invalid(
            "Only an email address or phone number should be provided on verify",
        ));
    }
    let email = if typed.token.is_empty() {
        String::new()
    } else {
        email::checked(&typed.email)?
    };
    auth.change(|world, now| {
        let mail = world.spend(now, |mail| {
            let by_code = !typed.token.is_empty();
            mail.kind.answers_to(&typed.kind)
                && if by_code {
                    mail.to == email && mail.is_answered_by(&typed.token)
                } else {
                    random::same(&typed.token_hash, &mail.token_hash)
                }
        });
        let mail = mail.ok_or(AuthApiError::new(
            403,
            "otp_expired",
            "Token has expired or is invalid",
        ))?;
        let person = world.follow(&mail, now)?;
        let session = world.open_session(person, "otp", now);
        Ok(TokenResponse::of(world, session, &auth, &endpoint, now)?.response())
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
