//! The admin API: mint any token, turn the keys, break the key endpoint.

use actix_web::{
    HttpRequest, HttpResponse,
    error::{InternalError, JsonPayloadError},
    http::StatusCode,
    web::{Bytes, Data, Json, Path},
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};

use crate::{
    Envelope,
    auth::{
        algorithm::Algorithm,
        clock::{Clock, SystemClock},
    },
    mint::{FORGERIES, KeyPair, KeyRing},
    testing::{Faults, TokenBuilder, endpoint::Endpoint},
};

/// What `POST /admin/tokens` takes; every member is optional.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Order {
    /// Claims over those of a Supabase access token; `null` leaves one out.
    claims: Map<String, Value>,
    /// Members over the usual header; `null` leaves one out.
    header: Map<String, Value>,
    /// Seconds from now; negative for an expired token.
    expires_in: Option<i64>,
    /// One of the forgeries, by name.
    forge: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Turn {
    algorithm: Option<String>,
}

pub(super) async fn mint(endpoint: Data<Endpoint>, order: Json<Order>) -> HttpResponse {
    let Order { claims, header, expires_in, forge } = order.into_inner();
    let now = SystemClock::new().now();
    let key = endpoint.ring().current().clone();
    let mut token = TokenBuilder::new(&endpoint.issuer(), key, now);
    if let Some(seconds) = expires_in {
        let exp = now.unix().saturating_add(seconds);
        token = token.claim("exp", exp).claim("iat", now.unix().min(exp));
    }
    for (name, value) in claims {
        token = if value.is_null() { token.without(&name) } else { token.claim(&name, value) };
    }
    for (name, value) in header {
        token = if value.is_null() { token.without_header(&name) } else { token.header(&name, value) };
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
    HttpResponse::Ok().insert_header(("cache-control", "no-store")).json(json!({
        "access_token": access_token,
        "token_type": "bearer",
        "expires_in": expires_at.map(|exp| exp - now.unix()),
        "expires_at": expires_at,
        "claims": claims,
    }))
}

pub(super) async fn keys(endpoint: Data<Endpoint>) -> HttpResponse {
    HttpResponse::Ok().json(states(&endpoint.ring()))
}

pub(super) async fn rotate(endpoint: Data<Endpoint>, body: Bytes) -> HttpResponse {
    turn(&endpoint, &body, KeyRing::rotate)
}

pub(super) async fn standby(endpoint: Data<Endpoint>, body: Bytes) -> HttpResponse {
    turn(&endpoint, &body, KeyRing::add_standby)
}

pub(super) async fn revoke(endpoint: Data<Endpoint>, kid: Path<String>) -> HttpResponse {
    let mut ring = endpoint.ring();
    if ring.revoke(&kid) {
        return HttpResponse::Ok().json(states(&ring));
    }
    problem(StatusCode::NOT_FOUND, "NOT_FOUND", "no published key has this kid; GET /admin/keys lists them")
}

pub(super) async fn faults(endpoint: Data<Endpoint>) -> HttpResponse {
    HttpResponse::Ok().json(endpoint.faults().clone())
}

pub(super) async fn set_faults(endpoint: Data<Endpoint>, faults: Json<Faults>) -> HttpResponse {
    let faults = faults.into_inner();
    if !faults.hang {
        endpoint.release();
    }
    *endpoint.faults() = faults.clone();
    HttpResponse::Ok().json(faults)
}

pub(super) async fn clear_faults(endpoint: Data<Endpoint>) -> HttpResponse {
    endpoint.release();
    *endpoint.faults() = Faults::default();
    HttpResponse::NoContent().finish()
}

pub(super) async fn not_found() -> HttpResponse {
    problem(StatusCode::NOT_FOUND, "NOT_FOUND", "there is nothing at this path; GET / lists what there is")
}

pub(super) async fn wrong_method() -> HttpResponse {
    problem(
        StatusCode::METHOD_NOT_ALLOWED,
        "METHOD_NOT_ALLOWED",
        "this path does not answer this method; GET / lists what there is",
    )
}

/// A body that is no JSON, or has members that nobody asked for.
pub(super) fn unreadable(error: JsonPayloadError, _request: &HttpRequest) -> actix_web::Error {
    let response = match &error {
        JsonPayloadError::ContentType => problem(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "UNSUPPORTED_MEDIA_TYPE",
            "send JSON, with content-type: application/json",
        ),
        JsonPayloadError::Deserialize(cause) if cause.is_data() => {
            invalid("the body does not have the form that is asked for", json!([{ "field": null, "problem": cause.to_string() }]))
        }
        _ => problem(StatusCode::BAD_REQUEST, "INVALID_REQUEST", "the body is not readable JSON"),
    };
    InternalError::from_response(error, response).into()
}

pub(super) fn problem(status: StatusCode, code: &'static str, message: &str) -> HttpResponse {
    HttpResponse::build(status).json(Envelope::new(code, message, None))
}

fn invalid(message: &str, details: Value) -> HttpResponse {
    HttpResponse::UnprocessableEntity().json(Envelope::new("VALIDATION_FAILED", message, None).with_details(details))
}

/// A change of keys whose body may be absent.
fn turn(endpoint: &Endpoint, body: &[u8], change: fn(&mut KeyRing, Algorithm) -> &KeyPair) -> HttpResponse {
    let Turn { algorithm } = match optional(body) {
        Ok(turn) => turn,
        Err(response) => return response,
    };
    let mut ring = endpoint.ring();
    let algorithm = match algorithm.map(|name| name.parse()) {
        None => ring.current().algorithm(),
        Some(Ok(algorithm)) => algorithm,
        Some(Err(error)) => {
            return invalid("the algorithm is unknown", json!([{ "field": "algorithm", "problem": format!("{error}") }]));
        }
    };
    change(&mut ring, algorithm);
    HttpResponse::Ok().json(states(&ring))
}

fn optional<T: DeserializeOwned + Default>(body: &[u8]) -> Result<T, HttpResponse> {
    if body.is_empty() {
        return Ok(T::default());
    }
    serde_json::from_slice(body).map_err(|error| {
        invalid("the body does not have the form that is asked for", json!([{ "field": null, "problem": error.to_string() }]))
    })
}

fn states(ring: &KeyRing) -> Value {
    let key = |(key, state): (&KeyPair, &str)| json!({ "kid": key.kid(), "algorithm": key.algorithm().name(), "state": state });
    json!({ "keys": ring.states().map(key).collect::<Vec<_>>() })
}
