//! `/admin/completions`: the stand-in for the completions service, and how it fails.

use actix_web::{HttpResponse, http::StatusCode, web::Data};
use serde::Deserialize;
use serde_json::json;

use crate::{
    body::StrictJson,
    completions::{CompletionFailure, CompletionsStandIn},
    error::error_response,
};

/// The body of `PUT /admin/completions`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct CompletionsRequest {
    /// `null` or absent: it works.
    failure: Option<CompletionFailure>,
}

/// Answers with the state of the stand-in, or `{"completions": null}` if it is not served.
pub(crate) async fn show(stand_in: Data<CompletionsStandIn>) -> HttpResponse {
    let completions = stand_in
        .is_enabled()
        .then(|| json!({ "failure": *stand_in.failure(), "requests": stand_in.requests() }));
    HttpResponse::Ok()
        .insert_header(("cache-control", "no-store"))
        .json(json!({ "completions": completions }))
}

pub(crate) async fn set(
    stand_in: Data<CompletionsStandIn>,
    StrictJson(request): StrictJson<CompletionsRequest>,
) -> HttpResponse {
    if !stand_in.is_enabled() {
        let message = "the stand-in for the completions service is not in use; `bearward dev` uses \
                       it unless generate.base_url is configured";
        return error_response(StatusCode::NOT_FOUND, "NOT_FOUND", message);
    }
    *stand_in.failure() = request.failure;
    show(stand_in).await
}
