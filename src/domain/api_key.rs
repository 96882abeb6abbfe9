//! The provider names under which a user can store an API key.

use super::validation::ValidationError;

/// A provider name from the configured list `vault.providers`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Provider(String);

impl Provider {
    /// Accepts a name that is in `providers`. The comparison is case-sensitive.
    ///
    /// # Errors
    /// [`ValidationError::NotListed`] if the name is not in the list.
    pub fn parse(name: &str, providers: &[String]) -> Result<Self, ValidationError> {
        let listed = providers.iter().find(|listed| *listed == name);
        listed
            .map(|name| Self(name.clone()))
            .ok_or_else(|| ValidationError::NotListed(providers.join(", ")))
    }

    /// Returns the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
