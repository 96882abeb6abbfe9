use super::checks::{base_url, jwks, mapping};
use crate::{
    algorithm::Algorithm,
    issuer::{Issuer, IssuerError},
};

impl Issuer {
    /// Creates the issuer of the ID tokens of GitLab CI/CD jobs, for projects of one group or user.
    ///
    /// `url` is the URL of the GitLab server, `group` the path of the group or user. Projects in its
    /// subgroups are accepted (`namespace_path` is `GROUP` or begins with `GROUP/`).
    ///
    /// ```
    /// use bearward::Issuer;
    ///
    /// # fn main() -> Result<(), bearward::IssuerError> {
    /// let gitlab = Issuer::gitlab("https://gitlab.com", "https://deploy.acme.example", "acme")?
    ///     .require_claim("ref_protected", "true")?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Returns an error if `url` is not a URL, or if `audience` or `group` is empty or contains `*`.
    ///
    /// # Security
    /// A job requests any audience, so the audience does not restrict who may call; that is why
    /// `group` is required. Without further rules, every pipeline of the group is accepted, also one
    /// on an unprotected branch.
    pub fn gitlab(url: &str, audience: &str, group: &str) -> Result<Self, IssuerError> {
        let url = base_url("url", url)?;
        if group.is_empty() || group.contains('*') || group.ends_with('/') {
            return Err(IssuerError::Parameter {
                name: "group",
                hint: "write the path of a group or user, without a slash at the end",
            });
        }
        Self::new(url, audience)?
            .name("gitlab")
            .keys(jwks("url", &format!("{url}/oauth/discovery/keys"))?)
            .require_claim("namespace_path", [group, &format!("{group}/*")])?
            .claim_mapping(mapping(&[("tenant", &["namespace_path"])])?)
            .algorithms([Algorithm::RS256])
    }
}
