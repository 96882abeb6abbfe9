//! `/admin/faults`: makes the JWKS endpoint fail, stall or misbehave.

use actix_web::{HttpResponse, http::header::HeaderValue, web::Data};
use bearward_testing::{Faults, endpoint::JwksEndpoint};
use serde_json::{Value, json};

use crate::{body::StrictJson, error::validation_error};

/// Larger than any verifier reads, and small enough for this process to allocate.
const MAX_PADDING: usize = 16 << 20;

pub(crate) async fn show(endpoint: Data<JwksEndpoint>) -> HttpResponse {
    HttpResponse::Ok().json(endpoint.faults().clone())
}

pub(crate) async fn set(
    endpoint: Data<JwksEndpoint>,
    StrictJson(faults): StrictJson<Faults>,
) -> HttpResponse {
    let problems = validate_faults(&faults);
    if !problems.is_empty() {
        return validation_error("invalid faults", problems.into());
    }
    if !faults.hang {
        endpoint.release();
    }
    *endpoint.faults() = faults.clone();
    HttpResponse::Ok().json(faults)
}

pub(crate) async fn clear(endpoint: Data<JwksEndpoint>) -> HttpResponse {
    endpoint.release();
    *endpoint.faults() = Faults::default();
    HttpResponse::NoContent().finish()
}

/// Returns the values that HTTP cannot express or that would abort the process, as
/// `{field, problem}`.
fn validate_faults(faults: &Faults) -> Vec<Value> {
    let is_header = |value: &Option<String>| {
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
            "must be a status from 200 to 599",
        ),
        (
            "redirect_to",
            is_header(&faults.redirect_to),
            "must be an address without control characters",
        ),
        (
            "cache_control",
            is_header(&faults.cache_control),
            "must be a header value without control characters",
        ),
        (
            "padding_bytes",
            faults
                .padding_bytes
                .is_none_or(|bytes| bytes <= MAX_PADDING),
            "must be at most 16777216 (16 MiB)",
        ),
    ];
    rules
        .into_iter()
        .filter(|(_, is_valid, _)| !is_valid)
        .map(|(field, _, problem)| json!({ "field": field, "problem": problem }))
        .collect()
}
