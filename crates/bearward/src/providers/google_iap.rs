use super::checks::{jwks, mapping};
use crate::{
    algorithm::Algorithm,
    issuer::{Issuer, IssuerError},
};

impl Issuer {
    /// Creates the issuer of Google's Identity-Aware Proxy (IAP).
    ///
    /// `audience` is the signed header JWT audience of the backend service. The token is in the header
    /// `X-Goog-IAP-JWT-Assertion`: pass its name to
    /// [`Builder::source`](crate::Builder::source) as a [`TokenSource::header`](crate::TokenSource::header). The tenant is the Workspace domain (`hd`).
    ///
    /// ```
    /// use bearward::Issuer;
    ///
    /// # fn main() -> Result<(), bearward::IssuerError> {
    /// let iap = Issuer::google_iap("/projects/123456789012/global/backendServices/4567890123456789012")?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Returns an error if `audience` is empty.
    ///
    /// # Security
    /// The headers `X-Goog-Authenticated-User-*` are not signed and not read.
    pub fn google_iap(audience: &str) -> Result<Self, IssuerError> {
        Self::new("https://cloud.google.com/iap", audience)?
            .name("google-iap")
            .keys(jwks(
                "audience",
                "https://www.gstatic.com/iap/verify/public_key-jwk",
            )?)
            .claim_mapping(mapping(&[("tenant", &["hd"])])?)
            .algorithms([Algorithm::ES256])
    }
}
