//! The audiences of an issuer's tokens.

use std::sync::Arc;

use super::{Issuer, IssuerError};

/// The audiences that are accepted in `aud` (RFC 7519 §4.1.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Audiences {
    /// `aud` must contain at least one of these.
    OneOf(Arc<[Box<str>]>),
    /// `aud` is not checked and may be absent, unless [`TypRule::AtJwt`](crate::TypRule::AtJwt)
    /// requires it.
    ///
    /// # Security
    /// Any other service that trusts the issuer can replay the tokens it receives, unless
    /// [`Issuer::client_ids`] or [`Issuer::require_claim`] restrict them.
    Any,
}

impl Audiences {
    /// Creates a list of accepted audiences.
    pub fn one_of(audiences: impl IntoIterator<Item = impl Into<Box<str>>>) -> Self {
        Self::OneOf(audiences.into_iter().map(Into::into).collect())
    }
}

impl Issuer {
    /// Returns the accepted audiences.
    pub fn accepted_audiences(&self) -> &Audiences {
        &self.audiences
    }

    /// Accepts one more audience.
    ///
    /// # Errors
    /// Returns an error if `audience` is empty.
    pub fn audience(mut self, audience: impl Into<String>) -> Result<Self, IssuerError> {
        let audience = audience.into();
        if audience.is_empty() {
            return Err(IssuerError::EmptyAudience);
        }
        let known: &[Box<str>] = match &self.audiences {
            Audiences::OneOf(known) => known,
            Audiences::Any => &[],
        };
        self.audiences = Audiences::one_of(known.iter().cloned().chain([audience.into()]));
        Ok(self)
    }

    /// Replaces the accepted audiences.
    ///
    /// # Errors
    /// Returns an error if the list or one of the audiences is empty.
    pub fn replace_audiences(mut self, audiences: Audiences) -> Result<Self, IssuerError> {
        if let Audiences::OneOf(listed) = &audiences
            && (listed.is_empty() || listed.iter().any(|audience| audience.is_empty()))
        {
            return Err(IssuerError::EmptyAudience);
        }
        self.audiences = audiences;
        Ok(self)
    }

    /// Accepts tokens with any audience, or none.
    ///
    /// # Security
    /// Any other service that trusts this issuer can replay the tokens it receives.
    #[must_use]
    pub fn dangerous_any_audience(mut self) -> Self {
        self.audiences = Audiences::Any;
        self
    }

    /// Adds audiences that logout tokens may have, besides the audiences and
    /// [client ids](Self::client_ids) of access tokens: `aud` of a logout token is the id of the
    /// client whose session has ended, which is often another one than the audience of this API. See
    /// [`Bearward::verify_logout_token`](crate::Bearward::verify_logout_token).
    ///
    /// ```
    /// use bearward::Issuer;
    ///
    /// # fn main() -> Result<(), bearward::IssuerError> {
    /// let issuer = Issuer::new("https://id.example.com", "https://api.example.com")?
    ///     .logout_audiences(["web", "mobile"])?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Returns an error if one of the audiences is empty.
    pub fn logout_audiences(
        mut self,
        audiences: impl IntoIterator<Item = impl Into<Box<str>>>,
    ) -> Result<Self, IssuerError> {
        self.logout_audiences = audiences.into_iter().map(Into::into).collect();
        if self.logout_audiences.iter().any(|id| id.is_empty()) {
            Err(IssuerError::EmptyAudience)
        } else {
            Ok(self)
        }
    }
}
