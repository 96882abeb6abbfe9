//! Encrypts users' API keys with the configured vault keys and binds them to their owners.
//!
//! [`Vault::seal`] encrypts a key for a database row; [`Vault::unseal`] decrypts it for the same
//! owner and provider.
//!
//! # Security
//! An attacker who can read the database learns only the length of each key. One who can also write
//! to it can delete rows or restore old ones, but cannot assign one user's key to another user.

mod api_key_secret;
mod error;
mod sealed;

use aws_lc_rs::aead::Aad;
use bearward::SanitizedText;
use secrecy::SecretString;
use uuid::Uuid;
use zeroize::Zeroizing;

pub use self::{
    api_key_secret::{ApiKeySecret, ApiKeySecretError},
    error::VaultError,
    sealed::Sealed,
};
use crate::settings::VaultKey;

/// The vault keys. Seals with the first one, unseals with any of them. `Debug` shows only their
/// ids.
#[derive(Debug, Clone)]
pub struct Vault {
    keys: Vec<VaultKey>,
}

/// The result of [`Vault::unseal`].
#[derive(Debug)]
pub struct Unsealed {
    /// The user's API key.
    pub key: ApiKeySecret,
    /// Whether the row was not sealed with the first vault key. Seal it again, so that the old
    /// vault key can be removed.
    pub needs_reseal: bool,
}

impl Vault {
    /// Creates a vault with these keys. If two have the same id, the first one is used. Without
    /// keys, [`Self::seal`] fails.
    pub fn new(keys: Vec<VaultKey>) -> Self {
        Self { keys }
    }

    /// Seals a user's key for this owner and provider. The result differs on each call. Does not
    /// check whether the provider is configured.
    ///
    /// # Errors
    /// [`VaultError::NoKey`] if no vault key is configured, [`VaultError::SealFailed`] if the
    /// system's random number generator or the cipher fails.
    pub fn seal(
        &self,
        owner: &Uuid,
        provider: &str,
        api_key: &ApiKeySecret,
    ) -> Result<Sealed, VaultError> {
        let key = self.keys.first().ok_or(VaultError::NoKey)?;
        let salt = sealed::random_salt().map_err(|_| VaultError::SealFailed)?;
        sealed::seal(key, &salt, owner, provider, api_key).map_err(|_| VaultError::SealFailed)
    }

    /// Unseals a row of this owner and provider.
    ///
    /// # Errors
    /// - [`VaultError::UnknownKey`] if the row was sealed with a vault key that is not configured.
    /// - [`VaultError::NotAuthentic`] if the row was changed, truncated, moved from another owner,
    ///   provider or vault key, or sealed in another version of the format.
    ///
    /// # Security
    /// Does not detect that an older row of the same owner and provider was restored.
    pub fn unseal(
        &self,
        owner: &Uuid,
        provider: &str,
        sealed: &Sealed,
    ) -> Result<Unsealed, VaultError> {
        let unknown_key = || VaultError::UnknownKey {
            id: SanitizedText::new(&sealed.key_id),
        };
        let position = self
            .keys
            .iter()
            .position(|key| key.id() == sealed.key_id)
            .ok_or_else(unknown_key)?;
        let parts = sealed.parts().ok_or(VaultError::NotAuthentic)?;
        let (key, nonce) = sealed::message_key(&self.keys[position], parts.salt)
            .map_err(|_| VaultError::NotAuthentic)?;
        let context = sealed::context(&sealed.key_id, owner, provider);
        let mut buffer = Zeroizing::new(parts.ciphertext.to_vec());
        let plaintext = key
            .open_in_place(nonce, Aad::from(context), &mut buffer)
            .map_err(|_| VaultError::NotAuthentic)?;
        let text = std::str::from_utf8(plaintext).map_err(|_| VaultError::NotAuthentic)?;
        let key =
            ApiKeySecret::new(SecretString::from(text)).map_err(|_| VaultError::NotAuthentic)?;
        Ok(Unsealed {
            key,
            needs_reseal: position > 0,
        })
    }
}
