//! Admin API for the signing keys: list, rotate, publish a standby key, revoke.

use actix_web::{
    HttpResponse,
    http::StatusCode,
    web::{Data, Path},
};
use bearward::Algorithm;
use bearward_testing::{
    endpoint::JwksEndpoint,
    signing::{KeyPair, KeyRing},
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    auth::AuthService,
    body::StrictJson,
    error::{error_response, storage_error, validation_error},
};

/// The body of a rotation and of a standby key.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct KeyChange {
    /// Algorithm of the new key; defaults to that of the current key.
    algorithm: Option<String>,
}

pub(crate) async fn list(endpoint: Data<JwksEndpoint>) -> HttpResponse {
    HttpResponse::Ok().json(key_states(&endpoint.ring()))
}

pub(crate) async fn rotate(
    endpoint: Data<JwksEndpoint>,
    auth: Data<AuthService>,
    StrictJson(request): StrictJson<KeyChange>,
) -> HttpResponse {
    let standby = endpoint
        .ring()
        .states()
        .find(|(_, state)| *state == "standby")
        .map(|(key, _)| key.algorithm().name());
    if let (Some(requested), Some(standby)) = (&request.algorithm, standby)
        && requested != standby
    {
        let problem = format!(
            "the standby key uses {standby} and becomes the signing key; omit the algorithm, or \
             revoke the standby key first"
        );
        return validation_error(
            "the standby key has a different algorithm",
            json!([{ "field": "algorithm", "problem": problem }]),
        );
    }
    change_keys(&endpoint, &auth, &request, KeyRing::rotate).await
}

pub(crate) async fn add_standby(
    endpoint: Data<JwksEndpoint>,
    auth: Data<AuthService>,
    StrictJson(request): StrictJson<KeyChange>,
) -> HttpResponse {
    change_keys(&endpoint, &auth, &request, KeyRing::add_standby).await
}

pub(crate) async fn revoke(
    endpoint: Data<JwksEndpoint>,
    auth: Data<AuthService>,
    kid: Path<String>,
) -> HttpResponse {
    let is_revoked = endpoint.ring().revoke(&kid);
    if is_revoked {
        return persist_keys(&endpoint, &auth).await;
    }
    error_response(
        StatusCode::NOT_FOUND,
        "NOT_FOUND",
        "no published key has this kid; GET /admin/keys lists the keys",
    )
}

async fn change_keys(
    endpoint: &JwksEndpoint,
    auth: &AuthService,
    request: &KeyChange,
    change: fn(&mut KeyRing, Algorithm) -> &KeyPair,
) -> HttpResponse {
    let algorithm = match request.algorithm.as_deref().map(str::parse) {
        None => endpoint.ring().current().algorithm(),
        Some(Ok(algorithm)) => algorithm,
        Some(Err(error)) => {
            return validation_error(
                "unknown algorithm",
                json!([{ "field": "algorithm", "problem": format!("{error}") }]),
            );
        }
    };
    change(&mut endpoint.ring(), algorithm);
    persist_keys(endpoint, auth).await
}

/// Writes the keys to the data file, if there is one, and answers with their states.
async fn persist_keys(endpoint: &JwksEndpoint, auth: &AuthService) -> HttpResponse {
    if auth.persist_keys(endpoint).await {
        return HttpResponse::Ok().json(key_states(&endpoint.ring()));
    }
    storage_error("the keys could not be written to the data file")
}

fn key_states(ring: &KeyRing) -> Value {
    let key = |(key, state): (&KeyPair, &str)| json!({ "kid": key.kid(), "algorithm": key.algorithm().name(), "state": state });
    json!({ "keys": ring.states().map(key).collect::<Vec<_>>() })
}
