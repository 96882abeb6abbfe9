//! A user's API key in the clear, which shows itself to nobody.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};

/// A key shorter than this is masked whole: of any longer one at least half stays hidden beside the
/// 12 characters shown.
const SHORTEST_SHOWN: usize = 24;

/// Stands for a key that is too short to show a part of, whatever its length, which is not told
/// either.
const FULL_MASK: &str = "************";

/// An API key of a user: 1 to 4096 visible ASCII characters, as it goes into an `Authorization`
/// header. `Debug` shows nothing of it, and its memory is overwritten when it is dropped.
pub struct ApiKeySecret(SecretString);

impl ApiKeySecret {
    /// The longest key, in bytes. Google's access tokens may have 2048.
    pub const MAX_BYTES: usize = 4096;

    /// Takes a key as it stands. Nothing is trimmed: a key that was stored differently than it was
    /// sent would be refused far from here.
    ///
    /// # Errors
    /// [`PlainKeyError`]: it is empty or too long, or has a character that no API key has. Whether any service accepts it is not known here.
    pub fn new(key: SecretString) -> Result<Self, PlainKeyError> {
        let text = key.expose_secret();
        match text.len() {
            0 => Err(PlainKeyError::Empty),
            1..=Self::MAX_BYTES if text.bytes().all(|byte| byte.is_ascii_graphic()) => {
                Ok(Self(key))
            }
            1..=Self::MAX_BYTES if text.contains(char::is_whitespace) => Err(PlainKeyError::Space),
            1..=Self::MAX_BYTES => Err(PlainKeyError::NotVisible),
            _ => Err(PlainKeyError::TooLong),
        }
    }

    /// The key itself.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// The first 8 and the last 4 characters, `sk-abc12...wxyz`: enough to know one's own key by. A
    /// key shorter than 24 characters is 12 stars, so that of none more than half is shown, and
    /// of a short one not even its length.
    pub fn masked(&self) -> String {
        let key = self.expose();
        match key.len() {
            ..SHORTEST_SHOWN => Self::hidden(),
            // Every byte is a character: the constructor accepts ASCII alone.
            length => format!("{}...{}", &key[..8], &key[length - 4..]),
        }
    }

    /// What stands for a key of which nothing may be shown.
    pub fn hidden() -> String {
        FULL_MASK.to_owned()
    }
}

impl fmt::Debug for ApiKeySecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PlainKey(***)")
    }
}

/// Why text is no API key. The words are for the user; none of them repeats it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlainKeyError {
    /// No character at all.
    #[error("the key is empty")]
    Empty,
    /// More than [`ApiKeySecret::MAX_BYTES`].
    #[error("the key is longer than {} bytes", ApiKeySecret::MAX_BYTES)]
    TooLong,
    /// A space, a tab or a line end, often copied along.
    #[error("the key has a space or a line end in it; copy it without")]
    Space,
    /// A character that is not visible ASCII.
    #[error(
        "the key has a character in it that is not visible ASCII; copy it again from where it was made"
    )]
    NotVisible,
}
