//! The API that runs in the same process: its key cache, and its verdict on a token.

use std::sync::OnceLock;

use actix_web::{HttpResponse, http::StatusCode, web::Data};
use bearward::{
    Bearward,
    keys::{KeySetStatus, is_loopback},
};
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use crate::{
    body::StrictJson,
    error::{error_response, validation_error},
};

/// The address and the verifier of the API in this process.
///
/// It holds a handle and not a URL: if requests could choose an address to call, they could use
/// the IdP to reach any host (SSRF).
#[derive(Debug, Default)]
pub(crate) struct AttachedApi(OnceLock<(String, Bearward)>);

/// The body of `POST /admin/explain`.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ExplainRequest {
    token: Option<String>,
}

impl AttachedApi {
    /// Attaches the API; later calls have no effect.
    pub(crate) fn set(&self, address: String, api: Bearward) {
        let _ = self.0.set((address, api));
    }

    /// Returns the base URL of the API.
    pub(crate) fn address(&self) -> Option<&str> {
        self.0.get().map(|(address, _)| address.as_str())
    }

    /// Whether this is the origin of the API, under any loopback name.
    pub(crate) fn has_origin(&self, origin: &str) -> bool {
        let api = self.address().and_then(|address| Url::parse(address).ok());
        let origin = Url::parse(origin).ok().filter(is_loopback);
        api.zip(origin).is_some_and(|(api, origin)| {
            api.scheme() == origin.scheme()
                && api.port_or_known_default() == origin.port_or_known_default()
        })
    }
}

/// Answers with the state of the API's key sets, or `{"api": null}` if no API is attached.
pub(crate) async fn show(attached_api: Data<AttachedApi>) -> HttpResponse {
    let api = attached_api.0.get().map(|(address, api)| {
        let issuers: Vec<Value> = api.key_set_statuses().iter().map(status_json).collect();
        json!({ "address": address, "issuers": issuers })
    });
    HttpResponse::Ok()
        .insert_header(("cache-control", "no-store"))
        .json(json!({ "api": api }))
}

/// Answers with the report of `bearward explain`, made by the verifier of the attached API.
pub(crate) async fn explain(
    attached_api: Data<AttachedApi>,
    StrictJson(request): StrictJson<ExplainRequest>,
) -> HttpResponse {
    let Some((_, api)) = attached_api.0.get() else {
        let message = "no API runs in this process; start both with `bearward dev`, or run \
                       `bearward explain -`";
        return error_response(StatusCode::NOT_FOUND, "NOT_FOUND", message);
    };
    let Some(token) = request
        .token
        .as_deref()
        .map(str::trim)
        .filter(|token| !token.is_empty())
    else {
        return validation_error(
            "missing token",
            json!([{ "field": "token", "problem": "must be a non-empty string" }]),
        );
    };
    HttpResponse::Ok()
        .insert_header(("cache-control", "no-store"))
        .json(api.explain(token).await.to_json())
}

fn status_json(set: &KeySetStatus) -> Value {
    let name = match &set.label {
        Some(label) => format!("{} ({label})", set.issuer),
        None => set.issuer.clone(),
    };
    json!({
        "name": name,
        "state": set.state(),
        "serves": set.state.is_usable(),
        "kids": set.kids().collect::<Vec<_>>(),
        "skipped": set.ignored.len(),
        "age_seconds": set.age.map(|age| age.as_secs()),
        "next_attempt_in_seconds": set.next_attempt_in.map(|wait| wait.as_secs()),
        "attempts": set.attempts(),
        "last_error": set.last_error.as_ref().map(ToString::to_string),
    })
}
