//! RFC 9728: what this resource is and whose tokens it takes.

use actix_web::{HttpRequest, HttpResponse, ResponseError, http::StatusCode, web::Data};
use bearward::{Bearward, TokenUse};
use serde::Serialize;
use url::Url;

use super::ApiError;

/// The protected resource metadata, made once.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Metadata {
    #[schema(value_type = String)]
    resource: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    authorization_servers: Vec<String>,
    bearer_methods_supported: Vec<&'static str>,
    resource_name: &'static str,
}

impl Metadata {
    /// The URL stands in `resource` letter for letter as it is configured (RFC 9728 §3.3). Without
    /// one there is no metadata to give.
    pub fn new(resource: Option<String>, auth: &Bearward) -> Self {
        let bearers = auth
            .issuers()
            .filter(|issuer| issuer.has_token_use(TokenUse::AccessToken));
        Self {
            resource,
            authorization_servers: bearers
                .map(|issuer| issuer.iss().to_owned())
                .filter(|iss| is_url(iss))
                .collect(),
            bearer_methods_supported: vec!["header"],
            resource_name: "bearward",
        }
    }

    /// RFC 9728 §3.1: the resource's own path follows the well-known one.
    fn is_at(&self, path: &str) -> bool {
        let Some(resource) = &self.resource else {
            return false;
        };
        let own = Url::parse(resource)
            .map(|url| url.path().trim_matches('/').to_owned())
            .unwrap_or_default();
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
        return HttpResponse::Ok()
            .insert_header(("cache-control", "public, max-age=300"))
            .json(metadata.get_ref());
    }
    let why = match metadata.resource {
        Some(_) => "there is no metadata for a resource of this path",
        None => {
            "the server listens on every address and does not know its own; server.public_url would say it"
        }
    };
    ApiError::new(&request, StatusCode::NOT_FOUND, "NOT_FOUND", why).error_response()
}

/// Authorization servers are named by URLs (RFC 8414 §2).
fn is_url(iss: &str) -> bool {
    Url::parse(iss).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
}
