use super::checks::{host, jwks, mapping};
use crate::{
    algorithm::Algorithm,
    issuer::{Issuer, IssuerError, TypRule},
};

impl Issuer {
    /// Creates the issuer of a Logto tenant, for access tokens of one API resource.
    ///
    /// `domain` is the host of the tenant, `audience` the identifier of the API resource. The issuer
    /// is `https://DOMAIN/oidc`. The tokens are RFC 9068 access tokens ([`TypRule::AtJwt`]), signed with
    /// ES384 unless the tenant uses RSA keys. Roles are read from the custom claim `roles`, the tenant
    /// from `organization_id`.
    ///
    /// ```
    /// use bearward::Issuer;
    ///
    /// # fn main() -> Result<(), bearward::IssuerError> {
    /// let logto = Issuer::logto("acme.logto.app", "https://api.acme.example")?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Returns an error if `domain` is not a host name or `audience` is empty.
    ///
    /// # Security
    /// Tokens without an API resource are opaque and cannot be verified here.
    pub fn logto(domain: &str, audience: &str) -> Result<Self, IssuerError> {
        let domain = host("domain", domain)?;
        Self::new(format!("https://{domain}/oidc"), audience)?
            .name("logto")
            .keys(jwks("domain", &format!("https://{domain}/oidc/jwks"))?)
            .token_type(TypRule::AtJwt)
            .claim_mapping(mapping(&[
                ("roles", &["roles"]),
                ("tenant", &["organization_id"]),
            ])?)
            .algorithms([Algorithm::ES384, Algorithm::RS256])
    }
}
