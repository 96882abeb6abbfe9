//! The clients to which an issuer's tokens were issued.

use super::{Audiences, Issuer, IssuerError};

/// How the client of a token is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClientRule {
    /// It is not checked.
    Any,
    /// `client_id` is absent, or listed.
    AbsentOrListed,
    /// A client claim is present, and each that is present is listed.
    Listed,
}

impl Issuer {
    /// Returns the accepted client ids; empty if the client is not checked.
    pub fn accepted_client_ids(&self) -> impl ExactSizeIterator<Item = &str> {
        self.client_ids.iter().map(AsRef::as_ref)
    }

    /// Returns whether only first-party tokens and listed clients are accepted, see
    /// [`first_party`](Self::first_party).
    pub fn is_first_party(&self) -> bool {
        self.first_party
    }

    /// Describes which clients' tokens are accepted; `None` if the client is not checked.
    pub fn client_description(&self) -> Option<String> {
        let listed = self.client_ids.join(" or ");
        match self.client_rule() {
            ClientRule::Any => None,
            ClientRule::AbsentOrListed if listed.is_empty() => {
                Some("client_id absent (first-party tokens)".to_owned())
            }
            ClientRule::AbsentOrListed => Some(format!("client_id absent or {listed}")),
            ClientRule::Listed => Some(format!("client {listed}")),
        }
    }

    /// Returns how the client of a token is checked.
    pub(crate) fn client_rule(&self) -> ClientRule {
        // Without an audience the clients are the only restriction.
        let replaces_audience =
            !self.client_ids.is_empty() && matches!(self.audiences, Audiences::Any);
        if self.first_party && !replaces_audience {
            ClientRule::AbsentOrListed
        } else if self.client_ids.is_empty() {
            ClientRule::Any
        } else {
            ClientRule::Listed
        }
    }

    /// Accepts only tokens that were issued to one of these clients (`azp` of OpenID Connect Core
    /// §2, `client_id` of RFC 9068 §2.2).
    ///
    /// At least one of the claims `client_id`, `azp`, `appid` and `cid` must be present, and each
    /// that is present must be a listed client id. The claim `aud` is checked in addition, unless
    /// the issuer was created with [`with_client_ids`](Self::with_client_ids). For issuers with
    /// [`first_party`](Self::first_party), tokens without `client_id` are accepted too.
    ///
    /// ```
    /// use bearward::Issuer;
    ///
    /// # fn main() -> Result<(), bearward::IssuerError> {
    /// let issuer = Issuer::new("https://id.example.com", "https://api.example.com")?
    ///     .client_ids(["web", "mobile"])?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Returns an error if the list or one of the client ids is empty.
    ///
    /// # Security
    /// A client id says who may use a token, not for which service it is meant: without an audience,
    /// every service that accepts the same client can replay the tokens it receives.
    pub fn client_ids(
        mut self,
        client_ids: impl IntoIterator<Item = impl Into<Box<str>>>,
    ) -> Result<Self, IssuerError> {
        self.client_ids = client_ids.into_iter().map(Into::into).collect();
        if self.client_ids.is_empty() || self.client_ids.iter().any(|id| id.is_empty()) {
            Err(IssuerError::EmptyClientId)
        } else {
            Ok(self)
        }
    }

    /// Sets whether the issuer's own applications are distinguished from OAuth clients of third
    /// parties by the claim `client_id`, as Supabase Auth does: tokens without it come from the
    /// project's own sign-in and are accepted, tokens with it are accepted only if
    /// [`client_ids`](Self::client_ids) lists its value. Other claims are not checked.
    ///
    /// The default is `true` for [`supabase`](Self::supabase) and for issuers at
    /// `https://*.supabase.co/auth/v1`, and `false` otherwise. It has no effect if client ids replace
    /// the audience ([`with_client_ids`](Self::with_client_ids)).
    ///
    /// ```
    /// use bearward::Issuer;
    ///
    /// # fn main() -> Result<(), bearward::IssuerError> {
    /// let issuer = Issuer::supabase("https://abc.supabase.co")?.client_ids(["partner-app"])?;
    /// assert!(issuer.is_first_party());
    /// # Ok(()) }
    /// ```
    ///
    /// # Security
    /// With `false` and without client ids, every OAuth client to which a user has consented can use
    /// the whole API as that user.
    #[must_use]
    pub fn first_party(mut self, first_party: bool) -> Self {
        self.first_party = first_party;
        self
    }
}
