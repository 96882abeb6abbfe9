//! Protected resource metadata (RFC 9728).

use actix_web::{HttpRequest, HttpResponse, ResponseError, http::StatusCode, web::Data};
use bearward::{Bearward, DpopMode, Issuer, TokenUse};
use serde::Serialize;
use url::Url;

use super::ApiError;

/// The metadata of this resource, built once.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Metadata {
    #[schema(value_type = String)]
    resource: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    authorization_servers: Vec<String>,
    bearer_methods_supported: Vec<&'static str>,
    /// Whether tokens that are bound to a client certificate are accepted (RFC 8705).
    tls_client_certificate_bound_access_tokens: bool,
    resource_name: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    dpop_signing_alg_values_supported: Vec<&'static str>,
    /// Whether bearer tokens are rejected (RFC 9449).
    dpop_bound_access_tokens_required: bool,
}

impl Metadata {
    /// Builds the metadata. `resource` is used without normalization, as clients compare it exactly
    /// (RFC 9728 §3.3). Without it the route answers 404. `accepts_client_certificates` says whether
    /// the certificates of clients reach the server.
    pub fn new(
        resource: Option<String>,
        auth: &Bearward,
        accepts_client_certificates: bool,
    ) -> Self {
        let access_issuers: Vec<Issuer> = auth
            .issuers()
            .into_iter()
            .filter(|issuer| issuer.has_token_use(TokenUse::AccessToken))
            .collect();
        let is_mode = |mode| move |issuer: &Issuer| issuer.dpop_mode() == mode;
        let accepts_dpop = !access_issuers.iter().all(is_mode(DpopMode::Off));
        let requires_dpop = accepts_dpop && access_issuers.iter().all(is_mode(DpopMode::Required));
        Self {
            resource,
            authorization_servers: auth.authorization_servers(),
            bearer_methods_supported: vec!["header"],
            tls_client_certificate_bound_access_tokens: accepts_client_certificates,
            resource_name: "bearward",
            dpop_signing_alg_values_supported: if accepts_dpop {
                auth.dpop_algorithms()
            } else {
                Vec::new()
            },
            dpop_bound_access_tokens_required: requires_dpop,
        }
    }

    /// Returns whether `path` is the path of the resource, which follows the well-known path
    /// (RFC 9728 §3.1).
    fn has_path(&self, path: &str) -> bool {
        let Some(resource) = &self.resource else {
            return false;
        };
        let resource_path = Url::parse(resource)
            .map(|url| url.path().trim_matches('/').to_owned())
            .unwrap_or_default();
        path.trim_matches('/') == resource_path || path.is_empty()
    }
}

/// Get the protected resource metadata (RFC 9728)
#[utoipa::path(
    get, path = "/.well-known/oauth-protected-resource", operation_id = "protectedResourceMetadata", tag = "operation", security(()),
    responses((status = 200, description = "The resource and its authorization servers", body = Metadata))
)]
pub(super) async fn metadata(metadata: Data<Metadata>, request: HttpRequest) -> HttpResponse {
    if metadata.has_path(request.match_info().query("resource")) {
        return HttpResponse::Ok()
            .insert_header(("cache-control", "public, max-age=300"))
            // The metadata is public, and clients of any origin read it (RFC 9728 §3).
            .insert_header(("access-control-allow-origin", "*"))
            .json(metadata.get_ref());
    }
    let message = match metadata.resource {
        Some(_) => "no resource with this path",
        None => {
            "the server listens on all addresses and does not know its URL; set server.public_url"
        }
    };
    ApiError::new(&request, StatusCode::NOT_FOUND, "NOT_FOUND", message).error_response()
}
