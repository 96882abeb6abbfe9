//! `POST /oauth/token`: exchanges an authorization code or a refresh token for an access token.

use actix_web::{
    HttpMessage, HttpRequest, HttpResponse,
    web::{Bytes, Data},
};
use bearward::{Timestamp, dpop::KeyThumbprint};
use bearward_testing::endpoint::JwksEndpoint;
use serde_json::json;
use uuid::Uuid;

use super::{
    authorization::{Authorization, IssuedCode},
    client::{GrantType, OAuthClient},
    client_authentication::authenticate,
    error::OAuthError,
    id_token::{IdTokenRequest, id_token},
    parameters::Parameters,
    proof::{check_code_key, check_refresh, proven_key},
    scope,
};
use crate::auth::{
    service::AuthService, session::ClientGrant, state::AuthState, token_response::access_token,
};

/// The `amr` entry of a session of an OAuth client, as in the hosted service.
const METHOD: &str = "oauth_provider/authorization_code";

/// Path of the token endpoint, below the issuer.
pub(crate) const TOKEN_PATH: &str = "/oauth/token";

/// What the client requests, and what applies to the whole request.
struct TokenRequest<'r> {
    auth: &'r AuthService,
    endpoint: &'r JwksEndpoint,
    parameters: &'r Parameters,
    now: Timestamp,
    /// The key that the client has proven to hold (RFC 9449 §5).
    key: Option<KeyThumbprint>,
}

/// Issues tokens (RFC 6749 §4.1.3 and §6).
///
/// # Errors
/// `invalid_request`, `invalid_client`, `invalid_grant`, `invalid_scope`, `invalid_target`,
/// `unauthorized_client` and `unsupported_grant_type`, as RFC 6749 §5.2 and RFC 8707 §2 define them;
/// `invalid_dpop_proof` (RFC 9449 §5).
pub(crate) async fn token(
    request: HttpRequest,
    auth: Data<AuthService>,
    endpoint: Data<JwksEndpoint>,
    body: Bytes,
) -> Result<HttpResponse, OAuthError> {
    let content_type = request.content_type().to_ascii_lowercase();
    let parameters = match content_type.as_str() {
        "application/json" => Parameters::parse_json(&body)?,
        "application/x-www-form-urlencoded" => Parameters::parse_form(&body)?,
        _ => {
            return Err(OAuthError::invalid_request(
                "The content type must be application/x-www-form-urlencoded",
            ));
        }
    };
    let grant = match parameters.get("grant_type") {
        None => return Err(OAuthError::invalid_request("grant_type is required")),
        Some(name) => GrantType::parse(name).ok_or(OAuthError::new(
            "unsupported_grant_type",
            "grant_type must be authorization_code or refresh_token",
        ))?,
    };
    let token_endpoint = format!("{}{TOKEN_PATH}", endpoint.issuer());
    let key = proven_key(&auth.proofs, &request, &token_endpoint)?;
    // The inner result is a rejection; the outer one is a failure of the data file.
    let issued = auth.update(|state, now| {
        let issue = |state: &mut AuthState| {
            let client = authenticate(state, &request, &parameters)?.clone();
            if !client.has_grant(grant) {
                return Err(OAuthError::new(
                    "unauthorized_client",
                    "The client is not registered for this grant_type",
                ));
            }
            let token_request = TokenRequest {
                auth: &auth,
                endpoint: &endpoint,
                parameters: &parameters,
                now,
                key,
            };
            match grant {
                GrantType::AuthorizationCode => exchange_code(state, &client, &token_request),
                GrantType::RefreshToken => refresh(state, &client, &token_request),
            }
        };
        Ok(issue(state))
    });
    issued.await?
}

fn exchange_code(
    state: &mut AuthState,
    client: &OAuthClient,
    request: &TokenRequest<'_>,
) -> Result<HttpResponse, OAuthError> {
    let parameters = request.parameters;
    let code = parameters
        .get("code")
        .ok_or(OAuthError::invalid_request("code is required"))?;
    let authorization = state
        .authorizations
        .by_code(code)
        .filter(|authorization| authorization.client_id == client.id)
        .ok_or(OAuthError::invalid_grant("Invalid authorization code"))?;
    check_exchange(authorization, request)?;
    let Some(IssuedCode {
        user_id,
        session_id: exchanged,
        ..
    }) = &authorization.code
    else {
        return Err(OAuthError::invalid_grant("Invalid authorization code"));
    };
    let user_id = *user_id;
    if let Some(session_id) = *exchanged {
        // A second use may be by an attacker (RFC 6749 §4.1.2).
        state.revoke_sessions(|session| session.id == session_id);
        return Err(OAuthError::invalid_grant(
            "The authorization code has already been used",
        ));
    }
    let grant = ClientGrant {
        client_id: client.id,
        scope: authorization.scope.clone(),
        resource: authorization.resource.clone(),
        jkt: request.key.map(|key| key.to_string()),
    };
    let nonce = authorization.nonce.clone();
    if state.user(user_id).is_none_or(|user| user.banned) {
        return Err(OAuthError::invalid_grant(
            "The user is banned or was deleted",
        ));
    }
    let session_id = state.create_client_session(user_id, METHOD, grant, request.now);
    if let Some(code) = state
        .authorizations
        .by_code(code)
        .and_then(|authorization| authorization.code.as_mut())
    {
        code.session_id = Some(session_id);
    }
    respond(state, session_id, client, None, nonce.as_deref(), request)
}

/// Checks the parameters of the exchange against the authorization.
fn check_exchange(
    authorization: &Authorization,
    request: &TokenRequest<'_>,
) -> Result<(), OAuthError> {
    let parameters = request.parameters;
    if authorization.is_expired(request.now) {
        return Err(OAuthError::invalid_grant(
            "The authorization code has expired",
        ));
    }
    if parameters
        .get("redirect_uri")
        .is_some_and(|uri| uri != authorization.redirect_uri)
    {
        return Err(OAuthError::invalid_grant(
            "The redirect_uri is not that of the authorization request",
        ));
    }
    let verifier = parameters.get("code_verifier").unwrap_or_default();
    if !authorization.challenge.verify(verifier) {
        return Err(OAuthError::invalid_grant(
            "The code_verifier does not match the code_challenge",
        ));
    }
    check_code_key(authorization, request.key)?;
    check_resource(parameters, authorization.resource.as_deref())
}

/// A token is only issued for the resource that the user consented to.
fn check_resource(parameters: &Parameters, granted: Option<&str>) -> Result<(), OAuthError> {
    match parameters.resource()? {
        Some(resource) if Some(resource) != granted => Err(OAuthError::new(
            "invalid_target",
            "The resource is not that of the authorization request",
        )),
        _ => Ok(()),
    }
}

fn refresh(
    state: &mut AuthState,
    client: &OAuthClient,
    request: &TokenRequest<'_>,
) -> Result<HttpResponse, OAuthError> {
    let parameters = request.parameters;
    let token = parameters
        .get("refresh_token")
        .ok_or(OAuthError::invalid_request("refresh_token is required"))?;
    let grant = state.client_grant(token, client.id)?;
    check_resource(parameters, grant.resource.as_deref())?;
    check_refresh(client, &grant, request.key)?;
    let narrowed = parameters.get("scope").map(scope::parse).transpose()?;
    if narrowed
        .as_deref()
        .is_some_and(|scopes| !scope::is_subset(scopes, &grant.scope))
    {
        return Err(OAuthError::new(
            "invalid_scope",
            "The scope is more than was granted; start a new authorization",
        ));
    }
    let session_id = state
        .refresh_session(token, Some(client.id), request.now)?
        .id;
    respond(
        state,
        session_id,
        client,
        narrowed.as_deref(),
        None,
        request,
    )
}

/// Builds the response (RFC 6749 §5.1). `narrowed` is the requested part of the granted scope.
fn respond(
    state: &AuthState,
    session_id: Uuid,
    client: &OAuthClient,
    narrowed: Option<&str>,
    nonce: Option<&str>,
    request: &TokenRequest<'_>,
) -> Result<HttpResponse, OAuthError> {
    let both = state
        .session(session_id)
        .and_then(|session| Some((session, state.user(session.user_id)?)));
    let (session, user) = both.ok_or(OAuthError::invalid_grant("The session does not exist"))?;
    let granted = session.client.as_ref().map_or("", |grant| &grant.scope);
    let scope = narrowed.unwrap_or(granted);
    let lifetime = request.auth.options.token_lifetime;
    let expires_at = request.now.plus(lifetime).unix();
    let mut body = json!({
        "access_token": access_token(user, session, Some(scope), request.key, request.endpoint, request.now, expires_at),
        "token_type": if request.key.is_some() { "DPoP" } else { "bearer" },
        "expires_in": lifetime.as_secs(),
        "scope": scope,
    });
    if client.has_grant(GrantType::RefreshToken) {
        body["refresh_token"] = session.refresh_token().into();
    }
    if scope::contains(scope, "openid") {
        let id_token_request = IdTokenRequest {
            user,
            session,
            client_id: client.id,
            scope,
            nonce,
        };
        body["id_token"] =
            id_token(&id_token_request, request.endpoint, request.now, expires_at).into();
    }
    Ok(HttpResponse::Ok()
        .insert_header(("cache-control", "no-store"))
        .json(body))
}
