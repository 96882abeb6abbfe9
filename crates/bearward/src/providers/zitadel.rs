use super::checks::{host, jwks, mapping, segment};
use crate::{
    algorithm::Algorithm,
    issuer::{Issuer, IssuerError},
};

impl Issuer {
    /// Creates the issuer of a Zitadel instance, for JWT access tokens of one project.
    ///
    /// `project` is the id of the project, which is in `aud`. The claim `jti` is required, which ID
    /// tokens do not have: their `aud` also contains the project. Roles are the keys of the project's
    /// role object.
    ///
    /// ```
    /// use bearward::Issuer;
    ///
    /// # fn main() -> Result<(), bearward::IssuerError> {
    /// let zitadel = Issuer::zitadel("acme-x1y2z3.zitadel.cloud", "281030457891234567")?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Returns an error if `domain` is not a host name, or `project` has other characters than
    /// letters, digits, `.`, `-` and `_`.
    ///
    /// # Security
    /// A role is accepted whichever organization granted it.
    pub fn zitadel(domain: &str, project: &str) -> Result<Self, IssuerError> {
        let (domain, project) = (host("domain", domain)?, segment("project", project)?);
        let of_project = format!("urn:zitadel:iam:org:project:{project}:roles");
        Self::new(format!("https://{domain}"), project)?
            .name("zitadel")
            .keys(jwks("domain", &format!("https://{domain}/oauth/v2/keys"))?)
            .require_claim_present("jti")
            .claim_mapping(mapping(&[
                ("roles", &[&of_project, "urn:zitadel:iam:org:project:roles"]),
                ("tenant", &["urn:zitadel:iam:user:resourceowner:id"]),
            ])?)
            .algorithms([Algorithm::RS256])
    }
}
