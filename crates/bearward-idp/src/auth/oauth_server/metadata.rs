//! Authorization server metadata (RFC 8414) and `OpenID` Connect discovery: one document, as in the
//! hosted service.

use actix_web::{HttpResponse, web::Data};
use bearward::Algorithm;
use bearward_testing::endpoint::JwksEndpoint;
use serde_json::json;

use super::{
    client::{ClientAuthMethod, GrantType},
    scope,
    token::TOKEN_PATH,
};

/// The paths that clients request, below the host. An issuer with a path has its metadata between
/// host and path (RFC 8414 §3.1) and appended to the path (`OpenID` Connect Discovery §4); some
/// clients look at the root.
pub(crate) const ROOT_PATHS: [&str; 4] = [
    "/.well-known/oauth-authorization-server",
    "/.well-known/oauth-authorization-server/auth/v1",
    "/.well-known/openid-configuration",
    "/.well-known/openid-configuration/auth/v1",
];

/// The paths that clients request, below the issuer.
pub(crate) const ISSUER_PATHS: [&str; 2] = [
    "/.well-known/oauth-authorization-server",
    "/.well-known/openid-configuration",
];

pub(crate) async fn metadata(endpoint: Data<JwksEndpoint>) -> HttpResponse {
    let issuer = endpoint.issuer();
    let algorithm = endpoint.ring().current().algorithm().name();
    endpoint.discovery_response(json!({
        "issuer": issuer,
        "jwks_uri": endpoint.jwks_url(),
        "authorization_endpoint": format!("{issuer}/oauth/authorize"),
        "token_endpoint": format!("{issuer}{TOKEN_PATH}"),
        "registration_endpoint": format!("{issuer}/oauth/clients/register"),
        "userinfo_endpoint": format!("{issuer}/oauth/userinfo"),
        "scopes_supported": scope::SUPPORTED,
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": GrantType::ALL.map(GrantType::name),
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [algorithm],
        "token_endpoint_auth_methods_supported": ClientAuthMethod::ALL.map(ClientAuthMethod::name),
        "code_challenge_methods_supported": ["S256"],
        "dpop_signing_alg_values_supported": Algorithm::ALL.iter().map(|algorithm| algorithm.name()).collect::<Vec<_>>(),
        "backchannel_logout_supported": true,
        "backchannel_logout_session_supported": true,
        "authorization_response_iss_parameter_supported": true,
        "claims_supported": ["sub", "aud", "iss", "exp", "iat", "auth_time", "nonce", "email", "email_verified", "name", "picture", "updated_at"],
    }))
}
