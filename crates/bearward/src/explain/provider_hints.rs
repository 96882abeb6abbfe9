//! Next steps that depend on the identity provider.

use super::ExplainContext;
use crate::{
    client_claims::ClientClaims,
    error::{AuthError, FormatError},
    issuer_template::ENTRA_V2,
};

const ENTRA_V1: &str = "https://sts.windows.net/";

/// What adds an audience to the access tokens of Keycloak.
const AUDIENCE_MAPPER: &str =
    "add an audience mapper for this service to the client or to a client scope, and sign in again";

/// The claims that state the kind of a token: of Amazon Cognito, and of Keycloak and Rauthy.
const KIND_CLAIMS: [&str; 2] = ["token_use", "typ"];

/// Returns the next step for a rejection that is typical of one provider.
pub(super) fn provider_hint(context: &ExplainContext<'_>, error: &AuthError) -> Option<String> {
    let iss = context.claim("iss");
    let is_entra = iss.starts_with(ENTRA_V1) || iss.starts_with(ENTRA_V2);
    match error {
        AuthError::InvalidSignature
        | AuthError::UnknownKey
        | AuthError::UnknownIssuer { .. }
        | AuthError::WrongAudience { .. }
            if is_entra && context.header("nonce") != "absent" =>
        {
            Some(
                "this token is meant for Microsoft Graph (its header has a nonce), and only Graph can verify it; request a token with a scope of \
                 your own API, such as api://CLIENT_ID/.default"
                    .to_owned(),
            )
        }
        AuthError::UnknownIssuer { .. } if is_entra => entra_issuer(context, &iss),
        AuthError::WrongAudience { .. }
            if context.claim("aud") == "account" && iss.contains("/realms/") =>
        {
            Some(format!("Keycloak writes only the audience account by default: {AUDIENCE_MAPPER}"))
        }
        AuthError::Format(FormatError::Encrypted | FormatError::Parts(1))
            if is_auth0_configured(context) =>
        {
            Some(
                "Auth0 issues an opaque or encrypted token if none is requested for an API: request the token with an `audience`, the \
                 identifier of the API in Auth0"
                    .to_owned(),
            )
        }
        AuthError::MissingClaim(name) if &**name == "aud" => Some(missing_audience(context)),
        AuthError::MissingClaim(_) => id_token(context),
        AuthError::UnexpectedClaim { name, .. } if is_id_kind(context, name) => id_token(context),
        AuthError::ClientNotAllowed { found, .. } if found.is_empty() => id_token(context),
        _ => None,
    }
}

/// Returns the next step for an ID token: one that says so, or that has a claim which only ID tokens
/// have (OpenID Connect Core §2, §3.1.3.6).
fn id_token(context: &ExplainContext<'_>) -> Option<String> {
    let sign = if let Some(name) = KIND_CLAIMS.iter().find(|name| is_id_kind(context, name)) {
        format!("its {name} is {}", context.claim(name))
    } else if ["nonce", "at_hash"]
        .iter()
        .any(|name| context.claim(name) != "absent")
    {
        "it has a nonce or an at_hash".to_owned()
    } else {
        return None;
    };
    Some(format!(
        "this is an ID token ({sign}), which is made for the client application: send the access token"
    ))
}

/// Returns whether the claim is one that states the kind of a token, and states that it is an ID token.
fn is_id_kind(context: &ExplainContext<'_>, name: &str) -> bool {
    KIND_CLAIMS.contains(&name) && context.claim(name).eq_ignore_ascii_case("id")
}

fn is_auth0_configured(context: &ExplainContext<'_>) -> bool {
    context
        .bearer_issuers()
        .iter()
        .any(|iss| iss.trim_end_matches('/').ends_with(".auth0.com"))
}

/// Names the difference between a token of Entra ID and the configured issuers of Entra ID.
fn entra_issuer(context: &ExplainContext<'_>, iss: &str) -> Option<String> {
    let configured = context.bearer_issuers();
    if let Some(shared) = configured.iter().find(|iss| is_shared_endpoint(iss)) {
        return Some(format!(
            "{shared} is an endpoint for many tenants and never the issuer of a token: configure issuer = \"{ENTRA_V2}{{tid}}/v2.0\", \
             with `tenants` if only some may sign in"
        ));
    }
    let is_v1 = iss.starts_with(ENTRA_V1);
    if is_v1 && configured.iter().any(|iss| iss.starts_with(ENTRA_V2)) {
        return Some(format!(
            "this is a v1.0 access token and an issuer of v2.0 tokens is configured: set requestedAccessTokenVersion to 2 in the manifest of the \
             API's app registration, or configure issuer = \"{iss}\""
        ));
    }
    if !is_v1 && configured.iter().any(|iss| iss.starts_with(ENTRA_V1)) {
        return Some(format!(
            "this is a v2.0 access token and an issuer of v1.0 tokens is configured: configure issuer = \"{iss}\""
        ));
    }
    None
}

/// Returns whether an issuer is one of Entra's endpoints for several tenants.
fn is_shared_endpoint(iss: &str) -> bool {
    iss.strip_prefix(ENTRA_V2)
        .and_then(|rest| rest.split('/').next())
        .is_some_and(|tenant| matches!(tenant, "common" | "organizations" | "consumers"))
}

fn missing_audience(context: &ExplainContext<'_>) -> String {
    if context.claim("iss").contains("/realms/") {
        return format!(
            "Keycloak writes no audience of this service by default: {AUDIENCE_MAPPER}"
        );
    }
    let client = context
        .payload
        .as_ref()
        .and_then(|payload| ClientClaims::new(payload).found().into_iter().next());
    match client {
        Some((name, client)) if context.claim("token_use") == "access" => format!(
            "this is an access token of Amazon Cognito, which has no aud. If {name} {client} may use this service, set provider = \"cognito\" and \
             client_ids = [\"{client}\"], and omit `audiences`; otherwise send the ID token"
        ),
        Some((name, client)) => format!(
            "the token has no aud. If {name} {client} may use this service, set client_ids = [\"{client}\"] and omit `audiences`; otherwise \
             configure the issuer to add an audience"
        ),
        None => "the token has neither aud nor a client id: send the access token instead of another token, or configure the issuer to add an \
                 audience"
            .to_owned(),
    }
}
