use super::checks::{jwks, segment};
use crate::{
    algorithm::Algorithm,
    issuer::{Issuer, IssuerError},
};

impl Issuer {
    /// Creates the issuer of Cloudflare Access, for the tokens of one application.
    ///
    /// `team` is the team name in `TEAM.cloudflareaccess.com`, `audience` the AUD tag of the
    /// application. The claim `type` must be `app`. The subject of a service token is its client id
    /// (`common_name`). The token is in the header `Cf-Access-Jwt-Assertion`: pass its name to
    /// [`Builder::source`](crate::Builder::source) as a [`TokenSource::header`](crate::TokenSource::header).
    ///
    /// ```
    /// use bearward::Issuer;
    ///
    /// # fn main() -> Result<(), bearward::IssuerError> {
    /// let aud = "32eafc7626e974616deaf0dc3ce63d7bcbed58a2731e84d06bc3cdf1b53c4228";
    /// let access = Issuer::cloudflare_access("acme", aud)?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Returns an error if `team` has other characters than letters, digits, `.`, `-` and `_`, or if
    /// `audience` is empty.
    ///
    /// # Security
    /// Clients that can reach the service directly need a valid token as well, but are not subject to
    /// the other rules of Access.
    pub fn cloudflare_access(team: &str, audience: &str) -> Result<Self, IssuerError> {
        let iss = format!("https://{}.cloudflareaccess.com", segment("team", team)?);
        Self::new(&*iss, audience)?
            .name("cloudflare-access")
            .keys(jwks("team", &format!("{iss}/cdn-cgi/access/certs"))?)
            .require_claim("type", "app")?
            .subject_from(["sub", "common_name"])?
            .algorithms([Algorithm::RS256])
    }
}
