//! Where an issuer's keys are.

use url::Url;

use super::Issuer;

/// The source of an issuer's public keys.
///
/// `Debug` prints the output of [`describe`](Self::describe), which contains neither the query of a
/// URL nor key material.
#[derive(Clone, PartialEq, Eq)]
pub enum KeySource {
    /// The `jwks_uri` in the issuer's metadata: `{issuer}/.well-known/openid-configuration` (OpenID
    /// Connect Discovery §4.1), or else `oauth-authorization-server` (RFC 8414 §3), before or after
    /// the path of the issuer. The `issuer` in that document must equal the configured one.
    Discovery,
    /// The `jwks_uri` in the metadata document at this URL, for issuers whose metadata is not at a
    /// well-known URL. The `issuer` in that document must equal the configured one.
    DiscoveryUrl(Url),
    /// A JWK Set at this URL.
    Url(Url),
    /// A JWK Set at each of these URLs, at most [`Issuer::MAX_JWKS_URLS`]. Each is fetched and
    /// cached independently, and the keys of all of them are tried.
    ///
    /// # Security
    /// An attacker who controls one of the URLs can sign tokens as this issuer.
    Urls(Vec<Url>),
    /// A fixed JWK Set, as JSON text.
    Fixed(String),
}

/// The reason why the keys of an issuer cannot be obtained as configured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeySourceError {
    /// The list of JWKS URLs is empty.
    #[error("the list of JWKS URLs is empty")]
    NoUrl,
    /// The list has more than [`Issuer::MAX_JWKS_URLS`] JWKS URLs.
    #[error("an issuer has at most {} JWKS URLs", Issuer::MAX_JWKS_URLS)]
    TooManyUrls,
    /// The list contains a JWKS URL more than once.
    #[error("the list of JWKS URLs contains a URL more than once")]
    DuplicateUrl,
    /// Credentials are configured, and the JWKS URLs have different origins.
    #[error(
        "the JWKS URLs have different origins, but credentials (jwks_token_file, jwks_headers_file) are sent to one origin only"
    )]
    SeveralOrigins,
    /// Credentials are configured, and the keys are fixed.
    #[error(
        "fixed keys are not fetched, so remove the credentials (jwks_token_file, jwks_headers_file)"
    )]
    UnusedCredentials,
}
