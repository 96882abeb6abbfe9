use super::checks::jwks;
use crate::{
    algorithm::Algorithm,
    issuer::{Issuer, IssuerError, TokenUse},
};

impl Issuer {
    /// Creates the issuer of Sign in with Apple, for identity tokens of one app or website.
    ///
    /// `client_id` is the bundle id of the app or the Services ID of the website. The tokens are
    /// credentials ([`TokenUse::IdToken`]).
    ///
    /// ```
    /// use bearward::Issuer;
    ///
    /// # fn main() -> Result<(), bearward::IssuerError> {
    /// let apple = Issuer::apple("com.example.shop")?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Returns an error if `client_id` is empty.
    ///
    /// # Security
    /// The `nonce` is not checked. The email may be a relay address, and Apple writes `email_verified`
    /// as a boolean or as a string.
    pub fn apple(client_id: &str) -> Result<Self, IssuerError> {
        Self::new("https://appleid.apple.com", client_id)?
            .name("apple")
            .keys(jwks("client_id", "https://appleid.apple.com/auth/keys")?)
            .token_use(TokenUse::IdToken)
            .algorithms([Algorithm::RS256])
    }
}
