//! `/admin/clock`: moves the clock of the auth API ahead, so that tests can observe expiry.

use actix_web::{HttpResponse, web::Data};
use serde::Deserialize;
use serde_json::json;

use crate::{auth::AuthService, body::StrictJson, error::validation_error};

/// The body of `PUT /admin/clock`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ClockRequest {
    ahead_seconds: i64,
}

/// Ten years; every lifetime of the auth API is shorter.
const MAX_AHEAD_SECONDS: i64 = 10 * 365 * 24 * 3600;

pub(crate) async fn show(auth: Data<AuthService>) -> HttpResponse {
    HttpResponse::Ok().json(json!({
        "ahead_seconds": auth.clock.ahead_seconds(),
        "now": auth.now().to_string(),
    }))
}

pub(crate) async fn set(
    auth: Data<AuthService>,
    StrictJson(request): StrictJson<ClockRequest>,
) -> HttpResponse {
    if !(0..=MAX_AHEAD_SECONDS).contains(&request.ahead_seconds) {
        let problem = format!("must be from 0 to {MAX_AHEAD_SECONDS} (ten years)");
        return validation_error(
            "clock offset out of range",
            json!([{ "field": "ahead_seconds", "problem": problem }]),
        );
    }
    auth.clock.set_ahead_seconds(request.ahead_seconds);
    show(auth).await
}
