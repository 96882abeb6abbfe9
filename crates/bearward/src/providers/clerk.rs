use super::checks::{host, jwks, mapping};
use crate::{
    algorithm::Algorithm,
    issuer::{Issuer, IssuerError},
};

impl Issuer {
    /// Creates the issuer of a Clerk instance, for session tokens.
    ///
    /// `domain` is the host of the Frontend API. Session tokens have no `aud`: they are accepted by
    /// their `azp`, the origin of the page that the user signed in at. The role and the tenant are
    /// those of the active organization, of version 2 (`o`) or 1 (`org_role`, `org_id`).
    ///
    /// ```
    /// use bearward::Issuer;
    ///
    /// # fn main() -> Result<(), bearward::IssuerError> {
    /// let clerk = Issuer::clerk("clerk.acme.example", ["https://app.acme.example"])?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Returns an error if `domain` is not a host name, or if the list of origins or one of them is
    /// empty.
    ///
    /// # Security
    /// A token without `azp` is rejected: Clerk omits it if the browser sends no `Origin`. The session
    /// status `sts` is not checked, because tokens of version 1 have none: `require_claim("sts",
    /// "active")` rejects users who have not completed what the instance requires after sign-up.
    pub fn clerk(
        domain: &str,
        origins: impl IntoIterator<Item = impl Into<Box<str>>>,
    ) -> Result<Self, IssuerError> {
        let iss = format!("https://{}", host("domain", domain)?);
        Self::with_client_ids(&*iss, origins)?
            .name("clerk")
            .keys(jwks("domain", &format!("{iss}/.well-known/jwks.json"))?)
            .claim_mapping(mapping(&[
                ("roles", &["/o/rol", "org_role"]),
                ("tenant", &["/o/id", "org_id"]),
                ("session_id", &["sid"]),
            ])?)
            .algorithms([Algorithm::RS256])
    }
}
