//! A status check: who reported, and when.

use serde::Serialize;
use time::OffsetDateTime;
use uuid::Uuid;

use super::validation::{ValidationError, line};

/// One report, as the API shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct StatusCheck {
    /// Its key. Later reports have greater keys.
    pub id: Uuid,
    /// The client that reported.
    #[schema(example = "web")]
    pub client_name: String,
    /// When it was received.
    #[serde(with = "time::serde::rfc3339")]
    pub timestamp: OffsetDateTime,
}

/// The name of a client: one line of 1 to 100 characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientName(String);

impl ClientName {
    /// # Errors
    /// What is wrong with the name.
    pub fn new(name: String) -> Result<Self, ValidationError> {
        line(name, 100).map(Self)
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a client calls a request that it may send again: 1 to 200 visible ASCII characters, unique
/// among the requests of one user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// The longest key, in characters.
    const LONGEST: usize = 200;

    /// # Errors
    /// When it is none.
    pub fn new(key: &[u8]) -> Result<Self, ValidationError> {
        let fits = (1..=Self::LONGEST).contains(&key.len()) && key.iter().all(u8::is_ascii_graphic);
        let text = std::str::from_utf8(key).ok().filter(|_| fits);
        text.map(|key| Self(key.to_owned()))
            .ok_or(ValidationError::NotVisible(Self::LONGEST))
    }

    /// The key.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::{ClientName, IdempotencyKey};

    #[test]
    fn a_client_has_a_name_of_1_to_100_characters() {
        assert!(ClientName::new("n".repeat(100)).is_ok());
        assert!(ClientName::new("n".repeat(101)).is_err());
        assert!(ClientName::new(String::new()).is_err());
    }

    #[test]
    fn an_idempotency_key_has_1_to_200_visible_characters() {
        assert!(IdempotencyKey::new("k".repeat(200).as_bytes()).is_ok());
        assert!(IdempotencyKey::new("k".repeat(201).as_bytes()).is_err());
        for wrong in ["", "a b", "é", "a\tb", " a"] {
            assert!(IdempotencyKey::new(wrong.as_bytes()).is_err(), "{wrong:?}");
        }
    }
}
