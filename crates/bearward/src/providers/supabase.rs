use url::Url;

use crate::issuer::{Issuer, IssuerError, KeySource};

impl Issuer {
    /// Creates the issuer of a Supabase project: issuer `{project}/auth/v1`, its JWKS, audience
    /// `authenticated`. Tokens of the project's own sign-in are accepted, those of OAuth clients only
    /// if [`client_ids`](Self::client_ids) lists them: see [`first_party`](Self::first_party).
    ///
    /// # Errors
    /// Returns an error if `project` is not an http or https origin, with or without `/auth/v1`.
    /// Plain http to a host other than loopback is rejected later, by
    /// [`Builder::build`](crate::Builder::build).
    pub fn supabase(project: &str) -> Result<Self, IssuerError> {
        let url = Url::parse(project).map_err(|_| IssuerError::NotAProject("it is not a URL"))?;
        if !matches!(url.scheme(), "https" | "http")
            || !url.username().is_empty()
            || url.password().is_some()
        {
            return Err(IssuerError::NotAProject(
                "it must start with https:// (or http:// for a loopback host) and contain no password",
            ));
        }
        if url.query().is_some()
            || url.fragment().is_some()
            || !matches!(url.path().trim_end_matches('/'), "" | "/auth/v1")
        {
            return Err(IssuerError::NotAProject(
                "only /auth/v1 may follow the host",
            ));
        }
        let issuer = format!("{}/auth/v1", url.origin().ascii_serialization());
        let keys = format!("{issuer}/.well-known/jwks.json")
            .parse()
            .map_err(|_| IssuerError::NotAProject("it is not a URL"))?;
        Ok(Self::new(issuer, "authenticated")?
            .name("supabase")
            .first_party(true)
            .keys(KeySource::Url(keys)))
    }
}
