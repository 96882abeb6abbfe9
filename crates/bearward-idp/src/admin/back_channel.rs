//! `/admin/backchannel-logout`: where logout tokens are sent, and whether they are.

use actix_web::{HttpResponse, web::Data};
use serde::Deserialize;

use crate::{auth::AuthService, body::StrictJson};

/// The body of `PUT /admin/backchannel-logout`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BackChannelRequest {
    enabled: bool,
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
    auth.back_channel.set_enabled(request.enabled);
    show(auth).await
}
