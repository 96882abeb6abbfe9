//! `/admin/backchannel-logout`: where logout tokens are sent, and whether they are.

use actix_web::{HttpResponse, web::Data};
use serde::Deserialize;

use crate::{auth::AuthService, body::StrictJson};

/// The body of `PUT /admin/backchannel-logout`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct BackChannelRequest {
    /// Absent: unchanged.
    enabled: Option<bool>,
}

pub(crate) async fn show(auth: Data<AuthService>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header(("cache-control", "no-store"))
        .json(auth.back_channel.json())
}

pub(crate) async fn set(
    auth: Data<AuthService>,
    StrictJson(request): StrictJson<BackChannelRequest>,
) -> HttpResponse {
    if let Some(enabled) = request.enabled {
        auth.back_channel.set_enabled(enabled);
    }
    show(auth).await
}
