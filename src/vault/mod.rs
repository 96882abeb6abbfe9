//! The vault: users' API keys, sealed under the keys of the configuration and bound to their
//! owners.
//!
//! [`Vault::seal`] makes what a row of the database holds, [`Vault::open`] gives the key back to
//! the same owner under the same provider's name. Who reads the database alone learns how long a
//! key is and no more; who also writes it can take rows away or bring old ones back, but cannot
//! make one user's key another's.

mod api_key_secret;
mod error;
mod sealed;

use aws_lc_rs::aead::Aad;
use bearward::SanitizedText;
use secrecy::SecretString;
use uuid::Uuid;
use zeroize::Zeroizing;

pub use self::{
    api_key_secret::{ApiKeySecret, PlainKeyError},
    error::VaultError,
    sealed::Sealed,
};
use crate::settings::VaultKey;

/// Seals with the first of its keys and opens with all of them; its `Debug` shows their names.
#[derive(Debug, Clone)]
pub struct Vault {
    keys: Vec<VaultKey>,
}

/// What was in a row.
#[derive(Debug)]
pub struct Unsealed {
    /// The user's key.
    pub plain: ApiKeySecret,
    /// Another key than the first one has sealed the row: seal it again, so that the old key can
    /// go.
    pub stale: bool,
}

impl Vault {
    /// A vault with these keys; of two with one id the first counts. Without any it refuses to
    /// seal.
    pub fn new(keys: Vec<VaultKey>) -> Self {
        Self { keys }
    }

    /// Seals a user's key for the row of this owner and provider. Two calls never give the same
    /// bytes.
    ///
    /// # Errors
    /// [`VaultError::NoKey`], and [`VaultError::NotSealed`] where the system has no randomness.
    ///
    /// Not checked: whether the provider is one of the configuration.
    pub fn seal(
        &self,
        owner: &Uuid,
        provider: &str,
        plain: &ApiKeySecret,
    ) -> Result<Sealed, VaultError> {
        let key = self.keys.first().ok_or(VaultError::NoKey)?;
        let salt = sealed::salt().map_err(|_| VaultError::NotSealed)?;
        sealed::seal(key, &salt, owner, provider, plain).map_err(|_| VaultError::NotSealed)
    }

    /// Opens a row as the one of this owner and provider.
    ///
    /// # Errors
    /// - [`VaultError::UnknownKey`]: the row names a key that is not configured (any more).
    /// - [`VaultError::NotAuthentic`]: the row was changed, cut, moved from another owner, provider
    ///   or key, or sealed in another version of the format.
    ///
    /// Not checked: whether the row is the newest one of its owner and provider.
    pub fn open(
        &self,
        owner: &Uuid,
        provider: &str,
        sealed: &Sealed,
    ) -> Result<Unsealed, VaultError> {
        let unknown = || VaultError::UnknownKey {
            id: SanitizedText::new(&sealed.key_id),
        };
        let position = self
            .keys
            .iter()
            .position(|key| key.id() == sealed.key_id)
            .ok_or_else(unknown)?;
        let row = sealed.parts().ok_or(VaultError::NotAuthentic)?;
        let (key, nonce) = sealed::message_key(&self.keys[position], row.salt)
            .map_err(|_| VaultError::NotAuthentic)?;
        let context = sealed::context(&sealed.key_id, owner, provider);
        let mut buffer = Zeroizing::new(row.ciphertext.to_vec());
        let plain = key
            .open_in_place(nonce, Aad::from(context), &mut buffer)
            .map_err(|_| VaultError::NotAuthentic)?;
        let text = std::str::from_utf8(plain).map_err(|_| VaultError::NotAuthentic)?;
        let plain =
            ApiKeySecret::new(SecretString::from(text)).map_err(|_| VaultError::NotAuthentic)?;
        Ok(Unsealed {
            plain,
            stale: position > 0,
        })
    }
}
