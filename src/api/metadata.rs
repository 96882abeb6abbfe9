//! RFC 9728: what this resource is and whose tokens it takes.

use actix_web::{HttpRequest, HttpResponse, ResponseError, http::StatusCode, web::Data};
use serde::Serialize;
use url::Url;

use super::Problem;
use crate::{Bearward, Usage};

/// The protected resource metadata, made once.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Metadata {
    resource: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    authorization_servers: Vec<String>,
    bearer_methods_supported: Vec<&'static str>,
    resource_name: &'static str,
}

impl Metadata {
    /// `public_url` stands in `resource` letter for letter as it is configured (RFC 9728 §3.3).
    pub fn new(public_url: &str, auth: &Bearward) -> Self {
        let bearers = auth.issuers().filter(|issuer| issuer.usage_is(Usage::Bearer));
        Self {
            resource: public_url.to_owned(),
            authorization_servers: bearers.map(|issuer| issuer.iss().to_owned()).filter(|iss| is_url(iss)).collect(),
            bearer_methods_supported: vec!["header"],
            resource_name: "bearward",
        }
    }

    /// RFC 9728 §3.1: the resource's own path follows the well-known one.
    fn is_at(&self, path: &str) -> bool {
        let own = Url::parse(&self.resource).map(|url| url.path().trim_matches('/').to_owned()).unwrap_or_default();
        path.trim_matches('/') == own || path.is_empty()
    }
}

/// Protected resource metadata (RFC 9728)
#[utoipa::path(
    get, path = "/.well-known/oauth-protected-resource", operation_id = "protectedResourceMetadata", tag = "operation", security(()),
    responses((status = 200, description = "What this resource is, and whose tokens it takes", body = Metadata))
)]
pub(super) async fn metadata(metadata: Data<Metadata>, request: HttpRequest) -> HttpResponse {
    if metadata.is_at(request.match_info().query("resource")) {
        return HttpResponse::Ok().insert_header(("cache-control", "public, max-age=300")).json(metadata.get_ref());
    }
    Problem::new(&request, StatusCode::NOT_FOUND, "NOT_FOUND", "there is no metadata for a resource of this path")
        .error_response()
}

/// Authorization servers are named by URLs (RFC 8414 §2).
fn is_url(iss: &str) -> bool {
    Url::parse(iss).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
}
