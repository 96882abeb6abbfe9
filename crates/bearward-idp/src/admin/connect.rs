//! `GET /admin/connect`: the addresses and names that a server or an app needs to use this IdP.

use actix_web::{HttpResponse, web::Data};
use bearward_testing::{endpoint::JwksEndpoint, signing::KeyRing};
use serde_json::json;

use super::attached_api::AttachedApi;
use crate::auth::google;

/// The `aud` claim of access tokens.
const AUDIENCE: &str = "authenticated";

pub(crate) async fn show(
    endpoint: Data<JwksEndpoint>,
    attached_api: Data<AttachedApi>,
) -> HttpResponse {
    let base = endpoint.base();
    let algorithm = KeyRing::current(&endpoint.ring()).algorithm().name();
    HttpResponse::Ok()
        .insert_header(("cache-control", "no-store"))
        .json(json!({
            "base": base, "issuer": endpoint.issuer(), "jwks_url": endpoint.jwks_url(),
            "audience": AUDIENCE, "algorithm": algorithm,
            "api": attached_api.address(),
            "google": {
                "issuer": google::issuer(base), "jwks_url": google::jwks_url(base),
                "client_id": google::CLIENT_ID,
            },
        }))
}
