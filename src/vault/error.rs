//! Errors of sealing and unsealing.

use bearward::SanitizedText;

/// Why an API key could not be sealed or unsealed. The messages are for logs and operators; none
/// contains a key or part of one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VaultError {
    /// No vault key is configured.
    #[error(
        "API keys cannot be stored because vault.keys is empty; add a key, generated with: echo \"k1:$(openssl rand -base64 32)\""
    )]
    NoKey,
    /// The row was sealed with a vault key that is not configured.
    #[error(
        "a stored API key was sealed with the vault key {id:?}, which is not configured; add it to vault.keys again"
    )]
    UnknownKey {
        /// The vault key id in the row.
        id: SanitizedText,
    },
    /// Authenticated decryption failed for this owner and provider.
    #[error(
        "a stored API key cannot be unsealed: its row was changed or moved, or vault.keys has a different key with the same id"
    )]
    NotAuthentic,
    /// The system's random number generator or the cipher failed.
    #[error("an API key could not be sealed: the random number generator or the cipher failed")]
    SealFailed,
}
