//! A fake Google: issues ID tokens with Google's claims, under its own issuer and keys.

use std::{borrow::Cow, time::Duration};

use actix_web::{HttpResponse, web::Data};
use aws_lc_rs::digest::{SHA256, digest};
use bearward::{Bearward, Issuer, KeySource, TokenUse};
use bearward_testing::{endpoint::JwksEndpoint, signing::Token};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{
    body::LenientJson,
    email,
    error::AuthApiError,
    profile::{Profile, Provider},
    random,
    service::AuthService,
};

/// The default `aud` claim of its tokens.
pub(crate) const CLIENT_ID: &str = "bearward-dev.apps.googleusercontent.com";

/// The issuer of Google's own tokens, which requests name.
pub(crate) const REAL_ISSUER: &str = "https://accounts.google.com";

/// Path prefix of its documents.
pub(crate) const PATH: &str = "/google";

/// Returns the `iss` claim of its tokens.
pub(crate) fn issuer(base: &str) -> String {
    format!("{base}{PATH}")
}

/// Returns the URL of its JWKS, which has the same path as Google's.
pub(crate) fn jwks_url(base: &str) -> String {
    format!("{base}{PATH}/oauth2/v3/certs")
}

/// The body of `POST /google/credential`.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct CredentialRequest {
    email: String,
    name: String,
    sub: String,
    picture: String,
    /// The Google Workspace domain.
    hd: String,
    email_verified: Option<bool>,
    /// Copied into the token. supabase-js expects the SHA-256 of its nonce in hexadecimal here.
    nonce: String,
    audience: String,
    /// Lifetime in seconds; a negative value creates an expired token.
    expires_in: Option<i64>,
}

/// Issues an ID token, in the form that Google's sign-in button passes to a page.
pub(crate) async fn credential(
    auth: Data<AuthService>,
    endpoint: Data<JwksEndpoint>,
    LenientJson(request): LenientJson<CredentialRequest>,
) -> Result<HttpResponse, AuthApiError> {
    let email = email::normalize(&request.email)?;
    let profile = Profile::new(Provider::Google, endpoint.base(), &email, &request.name);
    let now = auth.now().unix();
    let exp = now.saturating_add(request.expires_in.unwrap_or(3600));
    let or = |given: String, default: &str| {
        if given.is_empty() {
            default.to_owned()
        } else {
            given
        }
    };
    let audience = or(request.audience, CLIENT_ID);
    let (given_name, family_name) = profile.name.split_once(' ').unwrap_or((&profile.name, ""));
    let mut claims = json!({
        "iss": issuer(endpoint.base()), "azp": audience, "aud": audience, "sub": or(request.sub, &profile.subject), "email": email,
        "email_verified": request.email_verified.unwrap_or(true), "name": profile.name, "picture": or(request.picture, &profile.picture),
        "given_name": given_name, "family_name": family_name, "iat": now.min(exp), "nbf": now.min(exp).saturating_sub(300),
        "exp": exp, "jti": Uuid::new_v4().simple().to_string(),
    });
    if let Value::Object(claims) = &mut claims {
        let optional = [("hd", request.hd), ("nonce", request.nonce)]
            .into_iter()
            .filter(|(_, value)| !value.is_empty());
        claims.extend(optional.map(|(name, value)| (name.to_owned(), value.into())));
    }
    let members = claims.as_object().cloned().unwrap_or_default();
    let credential = Token::new(&Token::header_for(&auth.google), &members).sign(&auth.google);
    let body = json!({ "credential": credential, "client_id": audience, "claims": claims });
    Ok(HttpResponse::Ok()
        .insert_header(("cache-control", "no-store"))
        .json(body))
}

pub(crate) async fn certs(auth: Data<AuthService>) -> HttpResponse {
    let set = jwks(&auth);
    HttpResponse::Ok()
        .insert_header(("cache-control", "public, max-age=600"))
        .json(set)
}

pub(crate) async fn discovery(endpoint: Data<JwksEndpoint>) -> HttpResponse {
    HttpResponse::Ok().json(json!({
        "issuer": issuer(endpoint.base()), "jwks_uri": jwks_url(endpoint.base()), "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"], "id_token_signing_alg_values_supported": ["RS256"],
    }))
}

/// Verifies an ID token of the fake Google for the default client, and returns its profile.
///
/// # Errors
/// An OAuth error (RFC 6749 §5.2), as in the hosted service.
pub(crate) async fn verify_id_token(
    auth: &AuthService,
    endpoint: &JwksEndpoint,
    token: &str,
    nonce: &str,
) -> Result<Profile, AuthApiError> {
    let bad_token = || AuthApiError::oauth("invalid request", "Bad ID token");
    let issuer = Issuer::new(issuer(endpoint.base()), CLIENT_ID).map_err(|_| bad_token())?;
    let issuer = issuer
        .token_use(TokenUse::IdToken)
        .keys(KeySource::Fixed(jwks(auth).to_string()));
    let issuer = issuer.leeway(Duration::ZERO).map_err(|_| bad_token())?;
    let verifier = Bearward::builder()
        .issuer(issuer)
        .clock(auth.clock())
        .token_cache(0)
        .build()
        .await
        .map_err(|_| bad_token())?;
    verifier
        .verify_credential(token)
        .await
        .map_err(|failure| match failure.error.code() {
            "INVALID_AUDIENCE" => {
                let claims = payload(token).unwrap_or_default();
                let audience = claims.get("aud").and_then(Value::as_str);
                let message = format!(
                    "Unacceptable audience in id_token: [{}]",
                    audience.unwrap_or_default()
                );
                AuthApiError::OAuth("invalid request", Cow::Owned(message))
            }
            _ => bad_token(),
        })?;
    let claims = payload(token).ok_or_else(bad_token)?;
    let text = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or_default();
    match (text("nonce"), nonce) {
        ("", "") => {}
        ("", _) | (_, "") => {
            let message = "Passed nonce and nonce in id_token should either both exist or not.";
            return Err(AuthApiError::oauth("invalid request", message));
        }
        (expected, nonce)
            if !random::constant_time_eq(
                &hexadecimal(digest(&SHA256, nonce.as_bytes()).as_ref()),
                expected,
            ) =>
        {
            return Err(AuthApiError::oauth("invalid nonce", "Nonces mismatch"));
        }
        _ => {}
    }
    let mut profile = Profile::new(
        Provider::Google,
        endpoint.base(),
        &text("email").to_lowercase(),
        text("name"),
    );
    text("sub").clone_into(&mut profile.subject);
    text("picture").clone_into(&mut profile.picture);
    profile.email_verified = claims
        .get("email_verified")
        .and_then(Value::as_bool)
        .unwrap_or(false);
    Ok(profile)
}

fn jwks(auth: &AuthService) -> Value {
    json!({ "keys": [auth.google.jwk()] })
}

/// Decodes the claims of a token that has been verified.
fn payload(token: &str) -> Option<Map<String, Value>> {
    let payload = base64_simd::URL_SAFE_NO_PAD
        .decode_to_vec(token.split('.').nth(1)?.as_bytes())
        .ok()?;
    serde_json::from_slice(&payload).ok()
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}
