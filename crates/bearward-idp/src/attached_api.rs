//! The API that runs beside the development IdP: how its keys stand, and what it says of a token.

use std::sync::OnceLock;

use actix_web::{HttpResponse, http::StatusCode, web::Data};
use bearward::{Bearward, keys::KeySetStatus};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    admin::{invalid, problem},
    body::StrictJson,
};

/// A handle in this process, and never an address to call: an IdP that asked wherever a page told
/// it to could be sent anywhere.
#[derive(Debug, Default)]
pub(super) struct AttachedApi(OnceLock<(String, Bearward)>);

/// What `POST /admin/explain` takes.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Question {
    token: Option<String>,
}

impl AttachedApi {
    /// The first stays.
    pub(super) fn set(&self, address: String, api: Bearward) {
        let _ = self.0.set((address, api));
    }
}

/// `{"api": null}` where the IdP runs alone.
pub(super) async fn show(attached_api: Data<AttachedApi>) -> HttpResponse {
    let api = attached_api.0.get().map(|(address, api)| {
        let issuers: Vec<Value> = api.key_set_statuses().iter().map(described).collect();
        json!({ "address": address, "issuers": issuers })
    });
    HttpResponse::Ok()
        .insert_header(("cache-control", "no-store"))
        .json(json!({ "api": api }))
}

/// The report of `bearward explain`, by the verifier that answers the API's requests.
pub(super) async fn explain(
    attached_api: Data<AttachedApi>,
    StrictJson(question): StrictJson<Question>,
) -> HttpResponse {
    let Some((_, api)) = attached_api.0.get() else {
        let message = "no API runs in this process: start both with `bearward dev`, or ask `bearward explain -`";
        return problem(StatusCode::NOT_FOUND, "NOT_FOUND", message);
    };
    let Some(token) = question
        .token
        .as_deref()
        .map(str::trim)
        .filter(|token| !token.is_empty())
    else {
        return invalid(
            "there is no token to explain",
            json!([{ "field": "token", "problem": "write the token, as text" }]),
        );
    };
    HttpResponse::Ok()
        .insert_header(("cache-control", "no-store"))
        .json(api.explain(token).await.to_json())
}

fn described(set: &KeySetStatus) -> Value {
    json!({
        "name": set.issuer,
        "state": set.state(),
        "serves": set.state.is_usable(),
        "kids": set.kids,
        "skipped": set.ignored.len(),
        "age_seconds": set.age.map(|age| age.as_secs()),
        "next_attempt_in_seconds": set.next_attempt_in.map(|wait| wait.as_secs()),
        "attempts": set.attempts(),
        "last_error": set.last_error.as_ref().map(ToString::to_string),
    })
}
