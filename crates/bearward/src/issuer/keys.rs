//! The source of an issuer's keys, and the credentials for it.

use std::path::PathBuf;

use super::{Issuer, KeySource, KeySourceError};
use crate::keys::FetchCredentials;

impl Issuer {
    /// The maximum number of [`KeySource::Urls`]. A token that matches keys of every set costs up to
    /// three signature checks per set.
    pub const MAX_JWKS_URLS: usize = 8;

    /// Returns the source of the keys.
    pub fn key_source(&self) -> &KeySource {
        &self.keys
    }

    /// Checks that the source of the keys and the credentials for it fit together.
    /// [`Builder::build`](crate::Builder::build) calls it.
    ///
    /// # Errors
    /// Returns the first rule that is violated. The scheme of the URLs is not checked.
    pub fn check_key_source(&self) -> Result<(), KeySourceError> {
        let urls = match &self.keys {
            KeySource::Urls(urls) => urls.as_slice(),
            KeySource::Fixed(_) if !self.key_credentials.is_empty() => {
                return Err(KeySourceError::UnusedCredentials);
            }
            KeySource::Discovery
            | KeySource::DiscoveryUrl(_)
            | KeySource::Url(_)
            | KeySource::Fixed(_) => return Ok(()),
        };
        let Some((first, others)) = urls.split_first() else {
            return Err(KeySourceError::NoUrl);
        };
        if urls.len() > Self::MAX_JWKS_URLS {
            return Err(KeySourceError::TooManyUrls);
        }
        if (1..urls.len()).any(|index| urls[..index].contains(&urls[index])) {
            return Err(KeySourceError::DuplicateUrl);
        }
        let is_same_origin = others.iter().all(|url| url.origin() == first.origin());
        if !self.key_credentials.is_empty() && !is_same_origin {
            return Err(KeySourceError::SeveralOrigins);
        }
        Ok(())
    }

    /// Sets the source of the keys. The default is [`KeySource::Discovery`].
    ///
    /// ```
    /// use bearward::{Issuer, KeySource};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let issuer = Issuer::new("https://id.example.com/", "https://api.example.com")?.keys(KeySource::Urls(vec![
    ///     "https://id.example.com/sign-in/keys".parse()?,
    ///     "https://id.example.com/sign-up/keys".parse()?,
    /// ]));
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn keys(mut self, keys: KeySource) -> Self {
        self.keys = keys;
        self
    }

    /// Sends the token in this file as `Authorization: Bearer` when the issuer's keys are fetched,
    /// for example the service account token of a Kubernetes pod. The file is read at each fetch,
    /// so it may be replaced at any time; a file that cannot be read is a failed fetch.
    ///
    /// ```
    /// use bearward::Issuer;
    ///
    /// # fn main() -> Result<(), bearward::IssuerError> {
    /// let issuer = Issuer::new("https://kubernetes.default.svc", "my-api")?
    ///     .jwks_token_file("/var/run/secrets/kubernetes.io/serviceaccount/token");
    /// # Ok(()) }
    /// ```
    ///
    /// # Security
    /// The token is sent to the origin of the configured URL only: of the JWKS, or of the metadata
    /// document. It is not sent to a `jwks_uri` with another origin, and redirects are not followed.
    #[must_use]
    pub fn jwks_token_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.key_credentials.token_file = Some(path.into());
        self
    }

    /// Sends the header fields in this file when the issuer's keys are fetched: one `Name: value` on
    /// each line. Empty lines and lines that begin with `#` are ignored. The file is read at each
    /// fetch.
    ///
    /// ```
    /// use bearward::Issuer;
    ///
    /// # fn main() -> Result<(), bearward::IssuerError> {
    /// let issuer = Issuer::new("https://id.example.com/", "https://api.example.com")?
    ///     .jwks_headers_file("/run/secrets/jwks-headers");
    /// # Ok(()) }
    /// ```
    ///
    /// # Security
    /// The fields are sent to the same origin as the token of
    /// [`jwks_token_file`](Self::jwks_token_file), and never logged.
    #[must_use]
    pub fn jwks_headers_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.key_credentials.headers_file = Some(path.into());
        self
    }

    /// Returns the files with the credentials for the key fetch.
    pub fn key_credentials(&self) -> &FetchCredentials {
        &self.key_credentials
    }
}
