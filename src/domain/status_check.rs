//! Status checks.

use serde::Serialize;
use time::OffsetDateTime;
use uuid::Uuid;

use super::validation::{ValidationError, single_line};

/// A status check, as the API returns it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct StatusCheck {
    /// Id of the status check. Ids increase with time (UUID version 7).
    pub id: Uuid,
    /// Name of the client that sent it.
    #[schema(example = "web")]
    pub client_name: String,
    /// When the server received it.
    #[serde(with = "time::serde::rfc3339")]
    pub timestamp: OffsetDateTime,
}

/// A client's name: one line of 1 to 100 characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientName(String);

impl ClientName {
    /// Validates a name.
    ///
    /// # Errors
    /// [`ValidationError`] if it is empty, too long, or contains control characters, invisible
    /// characters or surrounding whitespace.
    pub fn new(name: String) -> Result<Self, ValidationError> {
        single_line(name, 100).map(Self)
    }

    /// Returns the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The value of an `Idempotency-Key` header: 1 to 200 visible ASCII characters, unique per user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// Maximum length of a key in bytes.
    const MAX_LENGTH: usize = 200;

    /// Validates the bytes of a header value.
    ///
    /// # Errors
    /// [`ValidationError::NotVisibleAscii`] if it is empty, too long, or contains anything but
    /// visible ASCII.
    pub fn new(key: &[u8]) -> Result<Self, ValidationError> {
        let is_valid =
            (1..=Self::MAX_LENGTH).contains(&key.len()) && key.iter().all(u8::is_ascii_graphic);
        let text = std::str::from_utf8(key).ok().filter(|_| is_valid);
        text.map(|key| Self(key.to_owned()))
            .ok_or(ValidationError::NotVisibleAscii(Self::MAX_LENGTH))
    }

    /// Returns the key.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::{ClientName, IdempotencyKey};

    #[test]
    fn client_name_has_1_to_100_characters() {
        assert!(ClientName::new("n".repeat(100)).is_ok());
        assert!(ClientName::new("n".repeat(101)).is_err());
        assert!(ClientName::new(String::new()).is_err());
    }

    #[test]
    fn idempotency_key_has_1_to_200_visible_characters() {
        assert!(IdempotencyKey::new("k".repeat(200).as_bytes()).is_ok());
        assert!(IdempotencyKey::new("k".repeat(201).as_bytes()).is_err());
        for invalid in ["", "a b", "é", "a\tb", " a"] {
            assert!(
                IdempotencyKey::new(invalid.as_bytes()).is_err(),
                "{invalid:?}"
            );
        }
    }
}
