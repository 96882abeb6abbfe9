//! A user's API key in plain text, redacted in `Debug`.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};

/// Shorter keys are masked completely, so that the 12 visible characters are at most half of a key.
const MIN_PARTIAL_MASK: usize = 24;

/// The mask of a key that is too short to be partly shown. It does not reveal the length.
const FULL_MASK: &str = "************";

/// A user's API key: 1 to 4096 visible ASCII characters, so it is valid in an `Authorization`
/// header. `Debug` is redacted, and the memory is overwritten on drop.
pub struct ApiKeySecret(SecretString);

impl ApiKeySecret {
    /// Maximum length in bytes. Google's access tokens can have 2048.
    pub const MAX_BYTES: usize = 4096;

    /// Validates a key. Whitespace is rejected, not trimmed, so the stored key is exactly what the
    /// user sent. Does not check whether a service accepts the key.
    ///
    /// # Errors
    /// [`ApiKeySecretError`] if the key is empty, too long, or contains anything but visible ASCII.
    pub fn new(key: SecretString) -> Result<Self, ApiKeySecretError> {
        let text = key.expose_secret();
        match text.len() {
            0 => Err(ApiKeySecretError::Empty),
            1..=Self::MAX_BYTES if text.bytes().all(|byte| byte.is_ascii_graphic()) => {
                Ok(Self(key))
            }
            1..=Self::MAX_BYTES if text.contains(char::is_whitespace) => {
                Err(ApiKeySecretError::Whitespace)
            }
            1..=Self::MAX_BYTES => Err(ApiKeySecretError::NotVisibleAscii),
            _ => Err(ApiKeySecretError::TooLong),
        }
    }

    /// Returns the plain-text key.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// Returns the first 8 and the last 4 characters, such as `sk-abc12...wxyz`, so that users can
    /// recognize their key. A key of fewer than 24 characters becomes 12 stars.
    pub fn masked(&self) -> String {
        let key = self.expose();
        match key.len() {
            ..MIN_PARTIAL_MASK => Self::full_mask(),
            // Byte indices are character boundaries: the constructor only accepts ASCII.
            length => format!("{}...{}", &key[..8], &key[length - 4..]),
        }
    }

    /// Returns the mask of a key of which no part is shown.
    pub fn full_mask() -> String {
        FULL_MASK.to_owned()
    }
}

impl fmt::Debug for ApiKeySecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKeySecret(***)")
    }
}

/// Why a text is not a valid API key. The messages are for users and never contain the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ApiKeySecretError {
    /// The text is empty.
    #[error("the key is empty")]
    Empty,
    /// The text is longer than [`ApiKeySecret::MAX_BYTES`].
    #[error("the key is longer than {} bytes", ApiKeySecret::MAX_BYTES)]
    TooLong,
    /// The text contains whitespace, often copied by accident.
    #[error("the key contains whitespace or a line break; copy it without")]
    Whitespace,
    /// The text contains a character that is not visible ASCII.
    #[error(
        "the key contains a character that is not visible ASCII; copy it again from the provider"
    )]
    NotVisibleAscii,
}
