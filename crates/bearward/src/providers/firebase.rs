use super::checks::{jwks, mapping, segment};
use crate::{
    algorithm::Algorithm,
    issuer::{Issuer, IssuerError},
};

const JWKS: &str =
    "https://www.googleapis.com/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com";

impl Issuer {
    /// Creates the issuer of Firebase Authentication and Google Cloud Identity Platform.
    ///
    /// Firebase has one kind of token for APIs, the ID token: its `aud` is the project. Roles are read
    /// from the custom claim `roles`, the tenant from `firebase.tenant`.
    ///
    /// ```
    /// use bearward::Issuer;
    ///
    /// # fn main() -> Result<(), bearward::IssuerError> {
    /// let firebase = Issuer::firebase("acme-shop")?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Returns an error if `project` has other characters than letters, digits, `.`, `-` and `_`.
    ///
    /// # Security
    /// Session cookies of Firebase have another issuer and are rejected. Whether a session was
    /// revoked is not known before the token expires.
    pub fn firebase(project: &str) -> Result<Self, IssuerError> {
        let project = segment("project", project)?;
        Self::new(format!("https://securetoken.google.com/{project}"), project)?
            .name("firebase")
            .keys(jwks("project", JWKS)?)
            .claim_mapping(mapping(&[
                ("roles", &["roles"]),
                ("tenant", &["/firebase/tenant"]),
            ])?)
            .algorithms([Algorithm::RS256])
    }
}
