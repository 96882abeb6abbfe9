use super::checks::{jwks, mapping, non_empty};
use crate::{
    algorithm::Algorithm,
    issuer::{Issuer, IssuerError},
};

const ISS: &str = "https://token.actions.githubusercontent.com";

impl Issuer {
    /// Creates the issuer of the OIDC tokens of GitHub Actions, for workflows of one account.
    ///
    /// `owner` is the user or organization that owns the repositories (`repository_owner`). The
    /// subject names the repository and the ref or environment, such as
    /// `repo:octo-org/deploy:ref:refs/heads/main`.
    ///
    /// ```
    /// use bearward::Issuer;
    ///
    /// # fn main() -> Result<(), bearward::IssuerError> {
    /// let actions = Issuer::github_actions("https://deploy.acme.example", "octo-org")?
    ///     .require_claim("repository", "octo-org/deploy")?
    ///     .require_claim("ref", "refs/heads/main")?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Returns an error if `audience` or `owner` is empty, or `owner` contains `*` before its end.
    ///
    /// # Security
    /// A workflow requests any audience, so the audience does not restrict who may call; that is why
    /// `owner` is required. A name can be reassigned after an account is deleted: require
    /// `repository_owner_id` too. Without rules on `repository` and `ref`, every workflow of the owner
    /// is accepted, also one on a branch or a pull request.
    pub fn github_actions(audience: &str, owner: &str) -> Result<Self, IssuerError> {
        Self::new(ISS, audience)?
            .name("github-actions")
            .keys(jwks("owner", &format!("{ISS}/.well-known/jwks"))?)
            .require_claim("repository_owner", non_empty("owner", owner)?)?
            .claim_mapping(mapping(&[("tenant", &["repository_owner"])])?)
            .algorithms([Algorithm::RS256])
    }
}
