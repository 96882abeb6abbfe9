//! Authenticates the client at the token endpoint (RFC 6749 §2.3).

use actix_web::{HttpRequest, http::header::AUTHORIZATION};
use base64_simd::STANDARD;
use url::form_urlencoded;
use uuid::Uuid;

use super::{
    client::{ClientAuthMethod, OAuthClient},
    error::OAuthError,
    parameters::Parameters,
};
use crate::auth::state::AuthState;

/// The credentials of a request, which are not verified yet.
struct Credentials {
    id: String,
    secret: String,
    method: ClientAuthMethod,
}

/// Returns the authenticated client.
///
/// # Errors
/// 401 `invalid_client` if the client is unknown, the secret is wrong, or the method is not the
/// registered one; 400 `invalid_request` for two methods in one request.
pub(crate) fn authenticate<'s>(
    state: &'s AuthState,
    request: &HttpRequest,
    parameters: &Parameters,
) -> Result<&'s OAuthClient, OAuthError> {
    let credentials = credentials(request, parameters)?;
    let client = Uuid::parse_str(&credentials.id)
        .ok()
        .and_then(|id| state.client(id))
        .ok_or(OAuthError::invalid_client("Unknown client"))?;
    if credentials.method != client.metadata.auth_method {
        return Err(OAuthError::invalid_client(
            "The client is registered for another authentication method",
        ));
    }
    if credentials.method != ClientAuthMethod::None && !client.has_secret(&credentials.secret) {
        return Err(OAuthError::invalid_client("Invalid client credentials"));
    }
    Ok(client)
}

fn credentials(request: &HttpRequest, parameters: &Parameters) -> Result<Credentials, OAuthError> {
    let (id, secret) = (parameters.get("client_id"), parameters.get("client_secret"));
    if let Some(value) = request.headers().get(AUTHORIZATION) {
        let (basic_id, basic_secret) = value
            .to_str()
            .ok()
            .and_then(parse_basic)
            .ok_or(OAuthError::invalid_client("Invalid Basic credentials"))?;
        if secret.is_some() || id.is_some_and(|id| id != basic_id) {
            return Err(OAuthError::invalid_request(
                "The client must use one authentication method",
            ));
        }
        return Ok(Credentials {
            id: basic_id,
            secret: basic_secret,
            method: ClientAuthMethod::ClientSecretBasic,
        });
    }
    let id = id.ok_or(OAuthError::invalid_client("client_id is required"))?;
    Ok(Credentials {
        id: id.to_owned(),
        secret: secret.unwrap_or_default().to_owned(),
        method: if secret.is_some() {
            ClientAuthMethod::ClientSecretPost
        } else {
            ClientAuthMethod::None
        },
    })
}

/// Parses Basic credentials, whose parts are form-encoded (RFC 6749 §2.3.1).
fn parse_basic(field: &str) -> Option<(String, String)> {
    let (scheme, encoded) = field.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = STANDARD.decode_to_vec(encoded.trim().as_bytes()).ok()?;
    let decoded = String::from_utf8(decoded).ok()?;
    let (id, secret) = decoded.split_once(':')?;
    Some((form_decode(id)?, form_decode(secret)?))
}

fn form_decode(text: &str) -> Option<String> {
    let pair = format!("v={text}");
    let mut pairs = form_urlencoded::parse(pair.as_bytes());
    let (_, value) = pairs.next()?;
    pairs.next().is_none().then(|| value.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_credentials_are_form_decoded() {
        let field = format!("Basic {}", STANDARD.encode_to_string("a%2Db:c%5Fd"));
        assert_eq!(
            parse_basic(&field),
            Some(("a-b".to_owned(), "c_d".to_owned()))
        );
        for other in ["Basic", "Basic !", "Bearer YTpi", "Basic YWI="] {
            assert_eq!(parse_basic(other), None, "{other}");
        }
    }
}
