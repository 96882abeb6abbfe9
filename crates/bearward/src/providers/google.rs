use super::checks::jwks;
use crate::{
    algorithm::Algorithm,
    issuer::{Issuer, IssuerError, TokenUse},
};

impl Issuer {
    /// Creates the issuer of Google's ID tokens for one OAuth client. Both documented values of
    /// `iss` are accepted, and the tokens are credentials ([`TokenUse::IdToken`]).
    ///
    /// # Errors
    /// Returns an error if `client_id` is empty.
    pub fn google(client_id: &str) -> Result<Self, IssuerError> {
        let google = Self::new("https://accounts.google.com", client_id)?
            .issuer_alias("accounts.google.com");
        Ok(google
            .name("google")
            .algorithms([Algorithm::RS256])?
            .token_use(TokenUse::IdToken)
            .keys(jwks(
                "client_id",
                "https://www.googleapis.com/oauth2/v3/certs",
            )?))
    }
}
