use super::checks::{host, mapping, segment};
use crate::{
    algorithm::Algorithm,
    issuer::{Issuer, IssuerError},
};

impl Issuer {
    /// Creates the issuer of a custom authorization server of Okta, for access tokens.
    ///
    /// `server` is the id of the authorization server, `default` for the one that Okta creates, whose
    /// audience is `api://default`. The issuer is `https://DOMAIN/oauth2/SERVER`. Scopes are read from
    /// `scp` and roles from `groups`, which the authorization server adds if a groups claim is
    /// configured.
    ///
    /// ```
    /// use bearward::Issuer;
    ///
    /// # fn main() -> Result<(), bearward::IssuerError> {
    /// let okta = Issuer::okta("acme.okta.com", "default", "api://default")?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Returns an error if `domain` is not a host name, `server` has other characters than letters,
    /// digits, `.`, `-` and `_`, or `audience` is empty.
    ///
    /// # Security
    /// Access tokens of the org authorization server (`https://DOMAIN` without `/oauth2/…`) are for
    /// Okta's own APIs and cannot be verified by others.
    pub fn okta(domain: &str, server: &str, audience: &str) -> Result<Self, IssuerError> {
        let (domain, server) = (host("domain", domain)?, segment("server", server)?);
        Self::new(format!("https://{domain}/oauth2/{server}"), audience)?
            .name("okta")
            .claim_mapping(mapping(&[("scopes", &["scp"]), ("roles", &["groups"])])?)
            .algorithms([Algorithm::RS256])
    }
}
