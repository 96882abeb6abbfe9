//! Why a verifier cannot be built, and what is probably wrong with one.

use std::{fmt, io};

#[cfg(feature = "remote")]
use crate::keys::{HttpFetchError, RemoteJwksError};
use crate::{
    cookie::CookieError, issuer::KeySourceError, issuer_template::TemplateError, keys::JwksError,
    service_key::ServiceKeyError,
};

/// The reason why [`Builder::build`](crate::Builder::build) fails.
///
/// `Debug` prints the message too, because a `main` that returns an error prints its `Debug` form.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// There is no issuer, so no token would be accepted.
    #[error(
        "no issuer: add one with .issuer(Issuer::supabase(\"https://YOUR-PROJECT.supabase.co\")?)"
    )]
    NoIssuer,
    /// Two issuers accept the same `iss`.
    #[error("two issuers accept the same \"iss\" {0:?}; each \"iss\" selects one issuer")]
    DoubledIssuer(String),
    /// Two issuers have the same name, so logs and metrics could not distinguish them.
    #[error("two issuers have the name {0:?}; set another one with .name(..)")]
    DoubledName(String),
    /// An issuer with a placeholder has another accepted `iss`.
    #[error("issuer {issuer:?}: {source}")]
    Template {
        /// The issuer's name.
        issuer: String,
        /// What is wrong with the issuer.
        source: TemplateError,
    },
    /// An issuer has a placeholder and no tenants, so there is no discovery document.
    #[cfg(feature = "remote")]
    #[error(
        "issuer {issuer:?}: with a placeholder and no list of tenants, the JWKS URL cannot be discovered; set it, or list the tenants"
    )]
    NoKeysOfTemplate {
        /// The issuer's name.
        issuer: String,
    },
    /// The session cookie is invalid.
    #[error(transparent)]
    Cookie(#[from] CookieError),
    /// A [`TokenSource`](crate::TokenSource) is invalid. The text says why.
    #[error("invalid token source: {0}")]
    Source(String),
    /// The authentication scheme is not a token (RFC 9110 §11.1).
    #[error("invalid authentication scheme {0:?}: use letters, digits and \"-\"")]
    Scheme(String),
    /// A service has no digest, or two services share a name or a digest.
    #[error(transparent)]
    ServiceKey(#[from] ServiceKeyError),
    /// The keys of an issuer were not loaded within the time of
    /// [`Builder::require_keys_at_start`](crate::Builder::require_keys_at_start).
    #[error("issuer {issuer:?}: its keys cannot be loaded: {reason}")]
    KeysNotLoaded {
        /// The issuer's name.
        issuer: String,
        /// The failure of the last attempt.
        reason: String,
    },
    /// An issuer's fixed key set is invalid or has no usable key.
    #[error("issuer {issuer:?}: invalid fixed key set: {source}")]
    FixedKeys {
        /// The issuer's name.
        issuer: String,
        /// What is wrong with the key set.
        source: JwksError,
    },
    /// The source of an issuer's keys and the credentials for it do not fit together.
    #[error("issuer {issuer:?}: {source}")]
    KeySource {
        /// The issuer's name.
        issuer: String,
        /// What is wrong.
        source: KeySourceError,
    },
    /// An issuer's keys cannot be fetched as configured.
    #[cfg(feature = "remote")]
    #[error("issuer {issuer:?}: {source}")]
    RemoteJwks {
        /// The issuer's name.
        issuer: String,
        /// What is wrong with the URL or the cache settings.
        source: RemoteJwksError,
    },
    /// A setting of [`DpopConfig`](crate::DpopConfig) is out of range.
    #[error(transparent)]
    Dpop(#[from] crate::DpopConfigError),
    /// The HTTP client cannot be created, for example because the CA file or proxy is invalid.
    #[cfg(feature = "remote")]
    #[error(transparent)]
    Http(#[from] HttpFetchError),
    /// The issuer's keys must be fetched, and the feature `remote` is disabled.
    #[cfg(not(feature = "remote"))]
    #[error(
        "issuer {issuer:?}: fetching keys requires the feature \"remote\"; enable it or use KeySource::Fixed"
    )]
    NoRemote {
        /// The issuer's name.
        issuer: String,
    },
}

impl fmt::Debug for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Converts to an [`io::Error`] of kind `InvalidInput`, so that `?` works in
/// `fn main() -> io::Result<()>`.
impl From<BuildError> for io::Error {
    fn from(error: BuildError) -> Self {
        Self::new(io::ErrorKind::InvalidInput, error)
    }
}

/// A configuration that is accepted and probably a mistake. Returned by
/// [`Bearward::warnings`](crate::Bearward::warnings).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildWarning {
    /// An issuer accepts every audience.
    #[error(
        "issuer {issuer:?} accepts tokens for any audience; other services that trust it can replay the tokens they receive"
    )]
    AnyAudience {
        /// The issuer's name.
        issuer: String,
    },
    /// Every issuer is one of credentials, so every bearer token is rejected.
    #[error(
        "no issuer of access tokens: every bearer token is rejected; add an issuer with TokenUse::AccessToken"
    )]
    NoAccessTokenIssuer,
    /// A session cookie has no origins, so every unsafe request with it is rejected.
    #[error("the cookie {name:?} has no origins: unsafe requests with it are rejected")]
    CookieWithoutOrigins {
        /// The cookie's name.
        name: String,
    },
    /// An issuer accepts `DPoP`, and the URL of requests is not configured.
    #[error(
        "the URL that DPoP proofs are compared with is taken from the Host header, which clients choose; set the base URL of the service"
    )]
    DpopWithoutBaseUrl,
    /// The keys of an issuer are fetched without TLS from another machine.
    #[error(
        "issuer {issuer:?}: its keys are fetched over plain http; an attacker on the network can replace them"
    )]
    PlainHttp {
        /// The issuer's name.
        issuer: String,
    },
}
