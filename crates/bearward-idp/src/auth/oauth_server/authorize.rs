//! `GET /oauth/authorize`: validates the request and redirects to the consent page.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web::Data};
use bearward::{Timestamp, dpop::KeyThumbprint};
use bearward_testing::endpoint::JwksEndpoint;
use maud::html;
use url::Url;
use uuid::Uuid;

use super::{
    approval::APPROVAL_PATH, authorization::Authorization, error::OAuthError,
    parameters::Parameters, scope,
};
use crate::auth::{
    flow::PkceChallenge, html::page, random, redirect_response, service::AuthService,
    state::AuthState,
};

/// Longest `state` and `nonce`, in bytes.
const MAX_OPAQUE_BYTES: usize = 4096;

/// Starts an authorization.
///
/// An unknown client or redirect URI is reported to the user and not to the redirect URI (RFC 6749
/// §4.1.2.1).
pub(crate) async fn authorize(
    request: HttpRequest,
    auth: Data<AuthService>,
    endpoint: Data<JwksEndpoint>,
) -> HttpResponse {
    let outcome = auth.update(|state, now| {
        let parameters = match Parameters::parse_form(request.query_string().as_bytes()) {
            Ok(parameters) => parameters,
            Err(error) => return Ok(error_page(&error)),
        };
        let (client_id, redirect) = match client_and_redirect(state, &parameters) {
            Ok(found) => found,
            Err(error) => return Ok(error_page(&error)),
        };
        Ok(match start(&parameters, client_id, &redirect, now) {
            Ok(authorization) => {
                let id = authorization.id;
                state.authorizations.insert(authorization, now);
                // A relative address keeps the host name that the browser used.
                redirect_response::redirect(StatusCode::FOUND, &format!("{APPROVAL_PATH}/{id}"))
            }
            Err(error) => {
                let issuer = endpoint.issuer();
                let back = error_redirect(redirect, &error, parameters.get("state"), &issuer);
                redirect_response::redirect(StatusCode::FOUND, back.as_str())
            }
        })
    });
    outcome
        .await
        .unwrap_or_else(|error| error_page(&OAuthError::from(error)))
}

/// Returns the registered client and the redirect target.
fn client_and_redirect(
    state: &AuthState,
    parameters: &Parameters,
) -> Result<(Uuid, Url), OAuthError> {
    let client = parameters
        .get("client_id")
        .and_then(|id| Uuid::parse_str(id).ok())
        .and_then(|id| state.client(id))
        .ok_or(OAuthError::invalid_request(
            "The client_id is missing or not registered.",
        ))?;
    let redirect = parameters
        .get("redirect_uri")
        .and_then(|uri| client.redirect(uri))
        .ok_or(OAuthError::invalid_request(
            "The redirect_uri is missing or not registered for this client.",
        ))?;
    Ok((client.id, redirect))
}

fn start(
    parameters: &Parameters,
    client_id: Uuid,
    redirect: &Url,
    now: Timestamp,
) -> Result<Authorization, OAuthError> {
    match parameters.get("response_type") {
        Some("code") => {}
        None => return Err(OAuthError::invalid_request("response_type is required")),
        Some(_) => {
            return Err(OAuthError::new(
                "unsupported_response_type",
                "Only response_type=code is supported",
            ));
        }
    }
    let challenge = match (
        parameters.get("code_challenge"),
        parameters.get("code_challenge_method"),
    ) {
        (Some(challenge), Some("S256")) => PkceChallenge::parse(Some(challenge), Some("s256")),
        _ => Ok(None),
    };
    let challenge = challenge
        .ok()
        .flatten()
        .ok_or(OAuthError::invalid_request(
            "PKCE is required: a code_challenge of 43 to 128 characters, with code_challenge_method=S256",
        ))?;
    let opaque = |name| {
        let value = parameters.get(name);
        if value.is_some_and(|value: &str| value.len() > MAX_OPAQUE_BYTES) {
            return Err(OAuthError::invalid_request(
                "state and nonce must have at most 4096 bytes",
            ));
        }
        Ok(value.map(ToOwned::to_owned))
    };
    Ok(Authorization {
        id: Uuid::new_v4(),
        created_at: now.millis(),
        client_id,
        redirect: redirect.clone(),
        redirect_uri: parameters
            .get("redirect_uri")
            .unwrap_or_default()
            .to_owned(),
        scope: scope::parse(parameters.get("scope").unwrap_or(scope::DEFAULT))?,
        state: opaque("state")?,
        resource: parameters.resource()?.map(ToOwned::to_owned),
        nonce: opaque("nonce")?,
        challenge,
        key: bound_key(parameters)?,
        csrf_token: random::secret::<32>(),
        code: None,
    })
}

/// Returns the key that the client binds its code to (RFC 9449 §10).
///
/// # Errors
/// `invalid_request` if `dpop_jkt` is not a thumbprint.
fn bound_key(parameters: &Parameters) -> Result<Option<KeyThumbprint>, OAuthError> {
    let Some(text) = parameters.get("dpop_jkt") else {
        return Ok(None);
    };
    KeyThumbprint::parse(text)
        .map(Some)
        .ok_or(OAuthError::invalid_request(
            "dpop_jkt must be the SHA-256 thumbprint of a key in base64url: 43 characters (RFC 7638)",
        ))
}

/// Returns the redirect target with an error (RFC 6749 §4.1.2.1, RFC 9207 §2).
pub(crate) fn error_redirect(
    redirect: Url,
    error: &OAuthError,
    state: Option<&str>,
    issuer: &str,
) -> Url {
    let mut members = vec![
        ("error", error.error),
        ("error_description", &*error.description),
    ];
    members.extend(state.map(|state| ("state", state)));
    members.push(("iss", issuer));
    redirect_response::with_query(redirect, &members)
}

fn error_page(error: &OAuthError) -> HttpResponse {
    let body = html! {
        p #problem { (error.description) }
        p { "The application must correct its request; it was not redirected back." }
    };
    page(
        StatusCode::BAD_REQUEST,
        "Invalid authorization request",
        &body,
        "'none'",
    )
}
