//! The claims that name the client a token was issued to.

use std::{borrow::Cow, sync::Arc};

use super::{
    error::AuthError,
    strict_object::{StrictObject, parse_string},
    text::SanitizedText,
};

/// The names of the claims, the one of RFC 9068 §2.2 first: `azp` is from OpenID Connect Core §2,
/// `appid` from Entra ID, `cid` from Okta.
pub(crate) const NAMES: [&str; 4] = ["client_id", "azp", "appid", "cid"];

/// The JSON texts of these claims, in the order of [`NAMES`].
pub(crate) struct ClientClaims<'a>([Option<&'a str>; NAMES.len()]);

impl<'a> ClientClaims<'a> {
    pub(crate) fn new(payload: &StrictObject<'a>) -> Self {
        let mut claims = [None; NAMES.len()];
        for (name, json) in payload.members() {
            if let Some(index) = NAMES.iter().position(|known| *known == name) {
                claims[index] = Some(json);
            }
        }
        Self(claims)
    }

    /// Returns the first of the claims that is a string and not empty.
    pub(crate) fn client_id(&self) -> Option<Cow<'a, str>> {
        self.strings().find(|client| !client.is_empty())
    }

    /// Returns whether one of the claims is this text.
    pub(crate) fn contains(&self, text: &str) -> bool {
        self.strings().any(|client| client == text)
    }

    /// Checks that at least one of the claims is present, and that each one is an accepted client.
    ///
    /// # Errors
    /// [`AuthError::ClientNotAllowed`]
    pub(crate) fn check(&self, accepted: &Arc<[Box<str>]>) -> Result<(), AuthError> {
        let mut present = self.0.iter().flatten().peekable();
        if present.peek().is_some() && present.all(|json| is_accepted(json, accepted)) {
            return Ok(());
        }
        Err(self.not_allowed(accepted))
    }

    /// Checks that `client_id` is absent, which means that no third party received the token, or an
    /// accepted client. The other claims may belong to the application.
    ///
    /// # Errors
    /// [`AuthError::ClientNotAllowed`]
    pub(crate) fn check_third_party(&self, accepted: &Arc<[Box<str>]>) -> Result<(), AuthError> {
        let [client_id, ..] = self.0;
        if client_id.is_none_or(|json| is_accepted(json, accepted)) {
            return Ok(());
        }
        Err(self.not_allowed(accepted))
    }

    fn not_allowed(&self, accepted: &Arc<[Box<str>]>) -> AuthError {
        AuthError::ClientNotAllowed {
            found: self.found(),
            expected: Arc::clone(accepted),
        }
    }

    /// Returns names and values, for reports.
    pub(crate) fn found(&self) -> Vec<(&'static str, SanitizedText)> {
        let text = |json: &str| {
            parse_string(json).map_or_else(
                || SanitizedText::new(json),
                |client| SanitizedText::new(&client),
            )
        };
        NAMES
            .into_iter()
            .zip(self.0)
            .filter_map(|(name, json)| Some((name, text(json?))))
            .collect()
    }

    fn strings(&self) -> impl Iterator<Item = Cow<'a, str>> {
        self.0.into_iter().flatten().filter_map(parse_string)
    }
}

fn is_accepted(json: &str, accepted: &[Box<str>]) -> bool {
    parse_string(json).is_some_and(|client| accepted.iter().any(|accepted| **accepted == *client))
}
