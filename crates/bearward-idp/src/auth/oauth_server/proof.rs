//! Proofs of possession in token requests (RFC 9449 §5): the key that the tokens are bound to.

use actix_web::HttpRequest;
use bearward::{
    ProofError,
    dpop::{KeyThumbprint, ProofRequest, ProofVerifier},
};

use super::{
    authorization::Authorization, client::ClientAuthMethod, client::OAuthClient, error::OAuthError,
};
use crate::auth::session::ClientGrant;

/// Verifies the proof of a token request and returns its key; `None` if the request has none: the
/// token is then a bearer token.
///
/// # Errors
/// `invalid_dpop_proof` if the proof is invalid, or if there is more than one.
pub(crate) fn proven_key(
    proofs: &ProofVerifier,
    request: &HttpRequest,
    token_endpoint: &str,
) -> Result<Option<KeyThumbprint>, OAuthError> {
    if !request.headers().contains_key("dpop") {
        return Ok(None);
    }
    let fields = request.headers().get_all("dpop");
    let proof = ProofRequest::new(fields, request.method().as_str(), token_endpoint);
    proofs.verify(&proof).map(Some).map_err(invalid_proof)
}

/// Checks the key of a refresh. The refresh tokens of a public client are bound to its key, because
/// it has no other credential (RFC 9449 §5).
///
/// # Errors
/// `invalid_dpop_proof` if the key is missing or another one.
pub(crate) fn check_refresh(
    client: &OAuthClient,
    grant: &ClientGrant,
    key: Option<KeyThumbprint>,
) -> Result<(), OAuthError> {
    let is_public = client.metadata.auth_method == ClientAuthMethod::None;
    let proven = key.map(|key| key.to_string());
    if is_public && grant.jkt.is_some() && grant.jkt != proven {
        Err(OAuthError::new(
            "invalid_dpop_proof",
            "The refresh token is bound to a key; send a proof of that key",
        ))
    } else {
        Ok(())
    }
}

/// Checks the key of an exchange. A code whose authorization request named a key is of use only to
/// the holder of that key (RFC 9449 §10).
///
/// # Errors
/// `invalid_grant` if the key is missing or another one.
pub(crate) fn check_code_key(
    authorization: &Authorization,
    key: Option<KeyThumbprint>,
) -> Result<(), OAuthError> {
    if authorization.key.is_none() || authorization.key == key {
        Ok(())
    } else {
        Err(OAuthError::invalid_grant(
            "The authorization code is bound to a key (dpop_jkt); send a proof of that key",
        ))
    }
}

fn invalid_proof(error: ProofError) -> OAuthError {
    OAuthError::new("invalid_dpop_proof", "").describe(format!("Invalid DPoP proof: {error}"))
}
