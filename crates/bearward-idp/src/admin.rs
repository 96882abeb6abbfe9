//! The admin API: mint any token, turn the keys, break the key endpoint.

use actix_web::{
    HttpResponse,
    http::{StatusCode, header::HeaderValue},
    web::{Data, Path},
};
use bearward::{Algorithm, Clock, ErrorBody, SystemClock};
use bearward_testing::{
    Faults, TokenBuilder,
    endpoint::JwksEndpoint,
    signing::{FORGERIES, KeyPair, KeyRing},
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{auth::AuthService, body::StrictJson};

/// What `POST /admin/tokens` takes; every member is optional.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct MintRequest {
    /// Claims over those of a Supabase access token; `null` leaves one out.
    claims: Map<String, Value>,
    /// Members over the usual header; `null` leaves one out.
    header: Map<String, Value>,
    /// Seconds from now; negative for an expired token.
    expires_in: Option<i64>,
    /// One of the forgeries, by name.
    forge: Option<String>,
}

/// What a change of keys takes.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct KeyChange {
    /// What the new key signs with; unless set, the same as the key in use.
    algorithm: Option<String>,
}

/// More than any verifier reads, and nothing that this process cannot hold.
const MAX_PADDING: usize = 16 << 20;

pub(super) async fn mint(
    endpoint: Data<JwksEndpoint>,
    StrictJson(order): StrictJson<MintRequest>,
) -> HttpResponse {
    let MintRequest {
        claims,
        header,
        expires_in,
        forge,
    } = order;
    let now = SystemClock::new().now();
    let key = endpoint.ring().current().clone();
    let mut token = TokenBuilder::new(&endpoint.issuer(), key, now);
    if let Some(seconds) = expires_in {
        let exp = now.unix().saturating_add(seconds);
        token = token.claim("exp", exp).claim("iat", now.unix().min(exp));
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
    let made = match forge.as_deref() {
        None => Some(token.sign()),
        Some(name) => token.forged(name),
    };
    let Some(access_token) = made else {
        let known = json!([{ "field": "forge", "problem": format!("not one of {}", FORGERIES.join(", ")) }]);
        return invalid("there is no forgery of that name", known);
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

pub(super) async fn keys(endpoint: Data<JwksEndpoint>) -> HttpResponse {
    HttpResponse::Ok().json(states(&endpoint.ring()))
}

pub(super) async fn rotate(
    endpoint: Data<JwksEndpoint>,
    auth: Data<AuthService>,
    StrictJson(turn): StrictJson<KeyChange>,
) -> HttpResponse {
    let standby = endpoint
        .ring()
        .states()
        .find(|(_, state)| *state == "standby")
        .map(|(key, _)| key.algorithm().name());
    if let (Some(wanted), Some(standby)) = (&turn.algorithm, standby)
        && wanted != standby
    {
        let problem = format!(
            "the standby key, which signs next, is for {standby}; leave this out, or revoke that key first"
        );
        return invalid(
            "another key waits",
            json!([{ "field": "algorithm", "problem": problem }]),
        );
    }
    change(&endpoint, &auth, &turn, KeyRing::rotate).await
}

pub(super) async fn standby(
    endpoint: Data<JwksEndpoint>,
    auth: Data<AuthService>,
    StrictJson(turn): StrictJson<KeyChange>,
) -> HttpResponse {
    change(&endpoint, &auth, &turn, KeyRing::add_standby).await
}

pub(super) async fn revoke(
    endpoint: Data<JwksEndpoint>,
    auth: Data<AuthService>,
    kid: Path<String>,
) -> HttpResponse {
    let revoked = endpoint.ring().revoke(&kid);
    if revoked {
        return kept(&endpoint, &auth).await;
    }
    problem(
        StatusCode::NOT_FOUND,
        "NOT_FOUND",
        "no published key has this kid; GET /admin/keys lists them",
    )
}

pub(super) async fn faults(endpoint: Data<JwksEndpoint>) -> HttpResponse {
    HttpResponse::Ok().json(endpoint.faults().clone())
}

pub(super) async fn set_faults(
    endpoint: Data<JwksEndpoint>,
    StrictJson(faults): StrictJson<Faults>,
) -> HttpResponse {
    let wrong = impossible(&faults);
    if !wrong.is_empty() {
        return invalid("no endpoint can misbehave so", wrong.into());
    }
    if !faults.hang {
        endpoint.release();
    }
    *endpoint.faults() = faults.clone();
    HttpResponse::Ok().json(faults)
}

pub(super) async fn clear_faults(endpoint: Data<JwksEndpoint>) -> HttpResponse {
    endpoint.release();
    *endpoint.faults() = Faults::default();
    HttpResponse::NoContent().finish()
}

pub(super) async fn not_found() -> HttpResponse {
    problem(
        StatusCode::NOT_FOUND,
        "NOT_FOUND",
        "there is nothing at this path; GET / lists what there is",
    )
}

pub(super) fn problem(status: StatusCode, code: &'static str, message: &str) -> HttpResponse {
    HttpResponse::build(status).json(ErrorBody::new(code, message, None))
}

pub(super) fn invalid(message: &str, details: Value) -> HttpResponse {
    HttpResponse::UnprocessableEntity()
        .json(ErrorBody::new("VALIDATION_FAILED", message, None).with_details(details))
}

async fn change(
    endpoint: &JwksEndpoint,
    auth: &AuthService,
    turn: &KeyChange,
    change: fn(&mut KeyRing, Algorithm) -> &KeyPair,
) -> HttpResponse {
    let algorithm = match turn.algorithm.as_deref().map(str::parse) {
        None => endpoint.ring().current().algorithm(),
        Some(Ok(algorithm)) => algorithm,
        Some(Err(error)) => {
            return invalid(
                "the algorithm is unknown",
                json!([{ "field": "algorithm", "problem": format!("{error}") }]),
            );
        }
    };
    change(&mut endpoint.ring(), algorithm);
    kept(endpoint, auth).await
}

async fn kept(endpoint: &JwksEndpoint, auth: &AuthService) -> HttpResponse {
    if auth.keep_keys(endpoint).await {
        return HttpResponse::Ok().json(states(&endpoint.ring()));
    }
    problem(
        StatusCode::INTERNAL_SERVER_ERROR,
        "INTERNAL",
        "the keys could not be written to the data file",
    )
}

/// What cannot be done over HTTP, or would end this process instead of the request.
fn impossible(faults: &Faults) -> Vec<Value> {
    let header = |value: &Option<String>| {
        value
            .as_deref()
            .is_none_or(|text| HeaderValue::from_str(text).is_ok())
    };
    let rules = [
        (
            "status",
            faults
                .status
                .is_none_or(|status| (200..=599).contains(&status)),
            "write a status from 200 to 599",
        ),
        (
            "redirect_to",
            header(&faults.redirect_to),
            "write an address without control characters",
        ),
        (
            "cache_control",
            header(&faults.cache_control),
            "write a header's value, without control characters",
        ),
        (
            "padding_bytes",
            faults
                .padding_bytes
                .is_none_or(|bytes| bytes <= MAX_PADDING),
            "write 16777216 (16 MiB) at most",
        ),
    ];
    let broken = rules.into_iter().filter(|(_, holds, _)| !holds);
    broken
        .map(|(field, _, problem)| json!({ "field": field, "problem": problem }))
        .collect()
}

fn states(ring: &KeyRing) -> Value {
    let key = |(key, state): (&KeyPair, &str)| json!({ "kid": key.kid(), "algorithm": key.algorithm().name(), "state": state });
    json!({ "keys": ring.states().map(key).collect::<Vec<_>>() })
}
