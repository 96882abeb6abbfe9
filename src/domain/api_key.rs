//! Under which names a user may keep an API key.

use super::validation::ValidationError;

/// One of the names that `vault.providers` lists.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Provider(String);

impl Provider {
    /// # Errors
    /// [`ValidationError::NotListed`] for a name that is not listed, letter for letter.
    pub fn listed(name: &str, providers: &[String]) -> Result<Self, ValidationError> {
        let listed = providers.iter().find(|listed| *listed == name);
        listed
            .map(|name| Self(name.clone()))
            .ok_or_else(|| ValidationError::NotListed(providers.join(", ")))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
