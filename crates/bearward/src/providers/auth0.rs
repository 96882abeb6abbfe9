use super::checks::{host, mapping};
use crate::{
    algorithm::Algorithm,
    issuer::{Issuer, IssuerError},
};

impl Issuer {
    /// Creates the issuer of an Auth0 tenant, for access tokens of one API.
    ///
    /// `domain` is the tenant's domain or custom domain, `audience` the identifier of the API. The
    /// issuer is `https://DOMAIN/`. Scopes are read from `scope` and `permissions`, the tenant from
    /// `org_id`. Roles are in a claim of your own, which an Action adds:
    /// `set("roles", "https://acme.example/roles")`.
    ///
    /// ```
    /// use bearward::Issuer;
    ///
    /// # fn main() -> Result<(), bearward::IssuerError> {
    /// let auth0 = Issuer::auth0("acme.eu.auth0.com", "https://api.acme.example")?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Returns an error if `domain` is not a host name or `audience` is empty.
    ///
    /// # Security
    /// ID tokens are rejected by their audience, which is the client id. Do not use a client id as
    /// the identifier of an API.
    pub fn auth0(domain: &str, audience: &str) -> Result<Self, IssuerError> {
        let domain = host("domain", domain)?;
        Self::new(format!("https://{domain}/"), audience)?
            .name("auth0")
            .claim_mapping(mapping(&[
                ("scopes", &["scope", "permissions"]),
                ("tenant", &["org_id"]),
            ])?)
            .algorithms([Algorithm::RS256, Algorithm::PS256])
    }
}
