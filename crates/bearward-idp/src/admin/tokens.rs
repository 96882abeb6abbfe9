//! `POST /admin/tokens`: issues a token with arbitrary claims and headers.

use actix_web::{HttpResponse, web::Data};
use bearward::{Clock, SystemClock};
use bearward_testing::{TokenBuilder, endpoint::JwksEndpoint, signing::FORGERIES};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{body::StrictJson, error::validation_error};

/// The body of `POST /admin/tokens`; every member is optional.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct MintRequest {
    /// Claims that replace or extend those of a Supabase access token; `null` removes a claim.
    claims: Map<String, Value>,
    /// Members that replace or extend the usual header; `null` removes a member.
    header: Map<String, Value>,
    /// Whether `claims` and `header` are complete: members that they do not have are removed.
    replace: bool,
    /// Lifetime in seconds; a negative value creates an expired token.
    expires_in: Option<i64>,
    /// The name of a forgery to apply.
    forge: Option<String>,
}

pub(crate) async fn mint(
    endpoint: Data<JwksEndpoint>,
    StrictJson(request): StrictJson<MintRequest>,
) -> HttpResponse {
    let MintRequest {
        claims,
        header,
        replace,
        expires_in,
        forge,
    } = request;
    let now = SystemClock::new().now();
    let key = endpoint.ring().current().clone();
    let mut token = TokenBuilder::new(&endpoint.issuer(), key, now);
    if let Some(seconds) = expires_in {
        let exp = now.unix().saturating_add(seconds);
        token = token.claim("exp", exp).claim("iat", now.unix().min(exp));
    }
    if replace {
        let names: Vec<String> = token.claims().keys().cloned().collect();
        token = names
            .iter()
            .fold(token, |token, name| token.without(name))
            .without_header("kid")
            .without_header("typ");
    }
    for (name, value) in claims {
        token = if value.is_null() {
            token.without(&name)
        } else {
            token.claim(&name, value)
        };
    }
    for (name, value) in header {
        token = if value.is_null() {
            token.without_header(&name)
        } else {
            token.header(&name, value)
        };
    }
    let claims = token.claims().clone();
    let signed = match forge.as_deref() {
        None => Some(token.sign()),
        Some(name) => token.forged(name),
    };
    let Some(access_token) = signed else {
        let problem = format!("must be one of {}", FORGERIES.join(", "));
        return validation_error(
            "unknown forgery",
            json!([{ "field": "forge", "problem": problem }]),
        );
    };
    let expires_at = claims.get("exp").and_then(Value::as_i64);
    HttpResponse::Ok()
        .insert_header(("cache-control", "no-store"))
        .json(json!({
            "access_token": access_token,
            "token_type": "bearer",
            "expires_in": expires_at.map(|exp| exp.saturating_sub(now.unix())),
            "expires_at": expires_at,
            "claims": claims,
        }))
}
