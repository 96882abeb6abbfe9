//! Why the vault did not seal or open.

use bearward::SanitizedText;

/// What went wrong, in words for the log and for operators. No variant holds a key or a part of
/// one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VaultError {
    /// No key is configured, so nothing can be kept.
    #[error(
        "no API key can be stored, because vault.keys is empty; put a key there, made with: echo \"k1:$(openssl rand -base64 32)\""
    )]
    NoKey,
    /// The row was sealed with a key that is not configured.
    #[error(
        "a stored API key was sealed with the vault key {id:?}, which is not configured; put it back into vault.keys"
    )]
    UnknownKey {
        /// The id that the row names.
        id: SanitizedText,
    },
    /// The row is not as this vault sealed it for this owner and provider.
    #[error(
        "a stored API key does not open: its row was changed or moved, or vault.keys has other bytes under the same id"
    )]
    NotAuthentic,
    /// The system gave no randomness, or the cipher failed.
    #[error("an API key could not be sealed, because the system gave no randomness")]
    NotSealed,
}
