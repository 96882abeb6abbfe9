//! `GET` and `POST /verify`: follow the link of a mail, or submit its code.

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Query},
};
use bearward_testing::endpoint::JwksEndpoint;
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::{
    body::LenientJson,
    email,
    error::AuthApiError,
    flow::{Flow, FlowStage},
    mail::Mail,
    random, redirect_response,
    service::AuthService,
    state::AppliedMail,
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

/// The answer to the first of two confirmations of a change of the address.
const HALF_CONFIRMED: &str =
    "Confirmation link accepted. Please proceed to confirm link sent to the other email";

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
    redirect_to: String,
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
    if kind.is_empty() {
        return Err(AuthApiError::invalid("Verify requires a verification type"));
    }
    if token.is_empty() {
        return Err(AuthApiError::invalid(
            "Verify requires a token or a token hash",
        ));
    }
    let is_pkce = token.starts_with("pkce_");
    let address = auth.redirects.select(&request);
    let used = auth.update(|state, now| {
        check_type(kind)?;
        let matches = |mail: &mut Mail| {
            mail.kind.matches_type(kind) && random::constant_time_eq(token, &mail.token_hash)
        };
        let mail = state.consume_mail(now, matches).ok_or(LINK_EXPIRED)?;
        let user_id = match state.apply_mail(&mail, auth.options.confirm_email, now)? {
            AppliedMail::SignedIn(user_id) => user_id,
            AppliedMail::HalfConfirmed => {
                let address = address.clone();
                return Ok(redirect_response::with_message(
                    address,
                    HALF_CONFIRMED,
                    is_pkce,
                ));
            }
        };
        // `email` selects the type of the mail.
        let kind = if kind == "email" {
            mail.kind.name()
        } else {
            kind
        };
        if mail.challenge.is_none() {
            let session_id = state.create_session(user_id, "otp", now);
            return Ok(
                TokenResponse::new(state, session_id, &auth, &endpoint, now)?
                    .into_redirect_url(address.clone(), Some(kind)),
            );
        }
        let code = Uuid::new_v4().to_string();
        let method = if kind == "signup" {
            "email/signup"
        } else {
            kind
        };
        let stage = FlowStage::CodeIssued {
            code: code.clone(),
            user_id,
            method: method.to_owned(),
            provider_token: None,
            provider_refresh_token: None,
        };
        state.start_flow(Flow::new(mail.challenge, stage, now), now);
        Ok(redirect_response::with_query(
            address.clone(),
            &[("code", &code)],
        ))
    });
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
    if body.kind.is_empty() {
        return Err(AuthApiError::invalid("Verify requires a verification type"));
    }
    if body.token.is_empty() == body.token_hash.is_empty() {
        return Err(AuthApiError::invalid(
            "Verify requires either a token or a token hash",
        ));
    }
    let email = match (
        body.token.is_empty(),
        body.email.is_empty(),
        body.phone.is_empty(),
    ) {
        (true, true, true) if body.redirect_to.is_empty() => {
            check_type(&body.kind)?;
            None
        }
        (true, ..) => {
            return Err(AuthApiError::invalid(
                "Only the token_hash and type should be provided",
            ));
        }
        // No user has a phone number.
        (false, true, false) => return Err(CODE_EXPIRED),
        (false, false, true) => Some(
            email::normalize(&body.email)
                .map_err(|_| AuthApiError::new(422, "validation_failed", "Invalid email format"))?,
        ),
        (false, ..) => {
            return Err(AuthApiError::invalid(
                "Only an email address or phone number should be provided on verify",
            ));
        }
    };
    auth.update(|state, now| {
        let mail = state.consume_mail(now, |mail| {
            mail.kind.matches_type(&body.kind)
                && match &email {
                    Some(email) => mail.to == *email && mail.check_code(&body.token),
                    None => random::constant_time_eq(&body.token_hash, &mail.token_hash),
                }
        });
        let expired = if email.is_some() {
            CODE_EXPIRED
        } else {
            LINK_EXPIRED
        };
        let mail = mail.ok_or(expired)?;
        match state.apply_mail(&mail, auth.options.confirm_email, now)? {
            AppliedMail::SignedIn(user_id) => {
                let session_id = state.create_session(user_id, "otp", now);
                Ok(TokenResponse::new(state, session_id, &auth, &endpoint, now)?.into_response())
            }
            AppliedMail::HalfConfirmed => {
                Ok(HttpResponse::Ok().json(json!({ "msg": HALF_CONFIRMED, "code": "200" })))
            }
        }
    })
    .await
}

const LINK_EXPIRED: AuthApiError =
    AuthApiError::new(403, "otp_expired", "Email link is invalid or has expired");

const CODE_EXPIRED: AuthApiError =
    AuthApiError::new(403, "otp_expired", "Token has expired or is invalid");

fn check_type(kind: &str) -> Result<(), AuthApiError> {
    if TYPES.contains(&kind) {
        Ok(())
    } else {
        Err(AuthApiError::invalid("Invalid email verification type"))
    }
}
