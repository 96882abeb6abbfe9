//! `POST /oauth/clients/register`: registers a client (RFC 7591).

use actix_web::{
    HttpMessage, HttpRequest, HttpResponse,
    web::{Bytes, Data},
};
use bearward::keys::is_loopback;
use serde::Deserialize;
use url::Url;

use super::{
    client::{ClientAuthMethod, ClientMetadata, GrantType, OAuthClient},
    error::OAuthError,
    scope,
};
use crate::auth::{redirect_policy::FORBIDDEN_SCHEMES, service::AuthService};

/// Redirect URIs of a client.
const MAX_REDIRECT_URIS: usize = 10;

/// Longest URI in the metadata, in bytes.
const MAX_URI_BYTES: usize = 2048;

/// Longest client name, in bytes.
const MAX_NAME_BYTES: usize = 1024;

/// Client metadata. Unknown members are ignored (RFC 7591 §2).
#[derive(Deserialize, Default)]
#[serde(default)]
struct RegistrationRequest {
    redirect_uris: Vec<String>,
    token_endpoint_auth_method: Option<String>,
    client_type: Option<String>,
    grant_types: Option<Vec<String>>,
    response_types: Option<Vec<String>>,
    client_name: Option<String>,
    client_uri: Option<String>,
    logo_uri: Option<String>,
    scope: Option<String>,
}

/// Registers a client.
///
/// # Errors
/// 400 `invalid_redirect_uri` or `invalid_client_metadata`.
pub(crate) async fn register(
    request: HttpRequest,
    auth: Data<AuthService>,
    body: Bytes,
) -> Result<HttpResponse, OAuthError> {
    // A form of another site can send other types without a CORS preflight.
    if !request
        .content_type()
        .eq_ignore_ascii_case("application/json")
    {
        return Err(invalid("The content type must be application/json"));
    }
    let request: RegistrationRequest = serde_json::from_slice(&body)
        .map_err(|_| invalid("The body must be a JSON object with client metadata"))?;
    let metadata = validate(request)?;
    let (client, secret) = auth
        .update(|state, now| {
            let (client, secret) = OAuthClient::new(metadata, now);
            state.add_client(client.clone());
            Ok((client, secret))
        })
        .await?;
    let mut response = client.json();
    if let Some(secret) = secret {
        response["client_secret"] = secret.into();
        response["client_secret_expires_at"] = 0.into();
    }
    Ok(HttpResponse::Created()
        .insert_header(("cache-control", "no-store"))
        .json(response))
}

fn validate(request: RegistrationRequest) -> Result<ClientMetadata, OAuthError> {
    if !(1..=MAX_REDIRECT_URIS).contains(&request.redirect_uris.len()) {
        return Err(OAuthError::new(
            "invalid_redirect_uri",
            "redirect_uris must have 1 to 10 entries",
        ));
    }
    for uri in &request.redirect_uris {
        validate_redirect_uri(uri)?;
    }
    let grant_types = match request.grant_types.filter(|grants| !grants.is_empty()) {
        None => GrantType::ALL.to_vec(),
        Some(names) => {
            let grants: Option<Vec<GrantType>> =
                names.iter().map(|name| GrantType::parse(name)).collect();
            grants.ok_or(invalid(
                "grant_types may contain authorization_code and refresh_token",
            ))?
        }
    };
    if request
        .response_types
        .is_some_and(|types| types.iter().any(|name| name != "code"))
    {
        return Err(invalid("response_types may contain only code"));
    }
    let is_too_long =
        |text: &Option<String>, max| text.as_ref().is_some_and(|text| text.len() > max);
    if is_too_long(&request.client_name, MAX_NAME_BYTES) {
        return Err(invalid("client_name is longer than 1024 bytes"));
    }
    for uri in [&request.client_uri, &request.logo_uri] {
        let is_invalid = |uri: &String| !uri.is_empty() && Url::parse(uri).is_err();
        if is_too_long(uri, MAX_URI_BYTES) || uri.as_ref().is_some_and(is_invalid) {
            return Err(invalid(
                "client_uri and logo_uri must be URLs of at most 2048 bytes",
            ));
        }
    }
    let scope = match request.scope.as_deref() {
        None => None,
        Some(text) => Some(
            scope::parse(text)
                .map_err(|_| invalid("scope must be a list of scopes with spaces"))?,
        ),
    };
    let is_present = |text: &String| !text.is_empty();
    Ok(ClientMetadata {
        redirect_uris: request.redirect_uris,
        auth_method: auth_method(
            request.client_type.as_deref(),
            request.token_endpoint_auth_method.as_deref(),
        )?,
        grant_types,
        name: request.client_name.filter(is_present),
        client_uri: request.client_uri.filter(is_present),
        logo_uri: request.logo_uri.filter(is_present),
        scope,
    })
}

/// Determines the authentication method. The default is `client_secret_basic` (RFC 7591 §2), and
/// `none` for a client with `client_type` `public`, a member of the hosted service.
fn auth_method(
    client_type: Option<&str>,
    method: Option<&str>,
) -> Result<ClientAuthMethod, OAuthError> {
    let method = match (method.filter(|name| !name.is_empty()), client_type) {
        (Some(name), _) => ClientAuthMethod::parse(name).ok_or(invalid(
            "token_endpoint_auth_method must be none, client_secret_basic or client_secret_post",
        ))?,
        (None, Some("public")) => ClientAuthMethod::None,
        (None, _) => ClientAuthMethod::ClientSecretBasic,
    };
    let is_consistent = match client_type {
        None | Some("") => true,
        Some("public") => method == ClientAuthMethod::None,
        Some("confidential") => method != ClientAuthMethod::None,
        Some(_) => false,
    };
    if is_consistent {
        Ok(method)
    } else {
        Err(invalid(
            "client_type must be public or confidential, and match token_endpoint_auth_method",
        ))
    }
}

/// Accepts `https`, `http` at a loopback host, and private schemes with a host; never a fragment
/// (RFC 6749 §3.1.2) or a scheme that a browser executes.
fn validate_redirect_uri(uri: &str) -> Result<(), OAuthError> {
    let invalid = |description| Err(OAuthError::new("invalid_redirect_uri", description));
    let Ok(url) = Url::parse(uri) else {
        return invalid("A redirect URI must be an absolute URI");
    };
    if uri.len() > MAX_URI_BYTES {
        return invalid("A redirect URI is longer than 2048 bytes");
    }
    if FORBIDDEN_SCHEMES.contains(&url.scheme()) || !url.has_host() {
        return invalid(
            "A redirect URI must have a host, and a scheme that browsers do not execute",
        );
    }
    if !url.username().is_empty() || url.password().is_some() {
        return invalid("A redirect URI must have no user name and password");
    }
    if url.fragment().is_some() {
        return invalid("A redirect URI must have no fragment");
    }
    if url.scheme() == "http" && !is_loopback(&url) {
        return invalid("http is allowed only for loopback hosts");
    }
    Ok(())
}

const fn invalid(description: &'static str) -> OAuthError {
    OAuthError::new("invalid_client_metadata", description)
}
