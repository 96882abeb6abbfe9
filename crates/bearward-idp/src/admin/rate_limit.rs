//! `/admin/rate-limit`: simulates that the rate limit of the auth API is reached.

use actix_web::{HttpResponse, web::Data};
use serde::Deserialize;
use serde_json::json;

use crate::{auth::AuthService, body::StrictJson};

/// The body of `PUT /admin/rate-limit`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RateLimitRequest {
    /// Absent: unchanged.
    reached: Option<bool>,
}

pub(crate) async fn show(auth: Data<AuthService>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header(("cache-control", "no-store"))
        .json(json!({ "reached": auth.rate_limit.is_reached() }))
}

pub(crate) async fn set(
    auth: Data<AuthService>,
    StrictJson(request): StrictJson<RateLimitRequest>,
) -> HttpResponse {
    if let Some(reached) = request.reached {
        auth.rate_limit.set_reached(reached);
    }
    show(auth).await
}
