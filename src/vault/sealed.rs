//! Format of a sealed API key, version 1: AES-256-GCM with a separate key for each message.
//!
//! ```text
//! bytes    = version (1 byte: 1) || salt (32 random bytes) || ciphertext || tag (16)
//! material = HKDF-SHA256(secret = vault key, salt, info = "bearward vault v1"), 44 bytes: AES-256 key (32) || nonce (12)
//! context  = for each of version (1 byte), key id, owner (the 16 bytes of its UUID), provider: length (8 bytes, big-endian) || part
//! ```
//! The context is the associated data. Random 96-bit nonces under the vault key itself would be
//! simpler, but NIST SP 800-38D §8.3 limits them to 2^32 messages per key, counted over all
//! replicas and backups. A derived key and nonce only repeat if the 256-bit salt repeats, so a
//! vault key needs neither a counter nor an expiry date. The derivation takes about two
//! microseconds.

use std::fmt;

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    error::Unspecified,
    hkdf::{HKDF_SHA256, KeyType, Salt},
    rand,
};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::ApiKeySecret;
use crate::settings::VaultKey;

const VERSION: u8 = 1;
const INFO: &[u8] = b"bearward vault v1";
const SALT_LENGTH: usize = 32;
const KEY_LENGTH: usize = 32;
const NONCE_LENGTH: usize = 12;
const TAG_LENGTH: usize = 16;

/// A sealed API key. `Debug` shows the id of the vault key and the number of bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed {
    /// Id of the vault key that sealed it.
    pub key_id: String,
    /// Version, salt, ciphertext and tag.
    pub bytes: Vec<u8>,
}

/// The parts of a sealed key whose version and length are valid.
pub(super) struct Parts<'a> {
    pub(super) salt: &'a [u8; SALT_LENGTH],
    /// Ends with the authentication tag.
    pub(super) ciphertext: &'a [u8],
}

impl Sealed {
    pub(super) fn parts(&self) -> Option<Parts<'_>> {
        let (&version, rest) = self.bytes.split_first()?;
        let (salt, ciphertext) = rest.split_first_chunk()?;
        let is_valid_length =
            (TAG_LENGTH + 1..=TAG_LENGTH + ApiKeySecret::MAX_BYTES).contains(&ciphertext.len());
        (version == VERSION && is_valid_length).then_some(Parts { salt, ciphertext })
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Sealed {{ key_id: {:?}, bytes: [{} bytes] }}",
            self.key_id,
            self.bytes.len()
        )
    }
}

pub(super) fn random_salt() -> Result<[u8; SALT_LENGTH], Unspecified> {
    let mut salt = [0; SALT_LENGTH];
    rand::fill(&mut salt)?;
    Ok(salt)
}

/// Seals a key. Deterministic, so a salt must be used only once.
pub(super) fn seal(
    vault_key: &VaultKey,
    salt: &[u8; SALT_LENGTH],
    owner: &Uuid,
    provider: &str,
    api_key: &ApiKeySecret,
) -> Result<Sealed, Unspecified> {
    let plaintext = api_key.expose().as_bytes();
    let (key, nonce) = message_key(vault_key, salt)?;
    // Full capacity from the start: reallocating would leave copies of the plaintext in memory.
    let mut bytes = Zeroizing::new(Vec::with_capacity(
        1 + SALT_LENGTH + plaintext.len() + TAG_LENGTH,
    ));
    bytes.push(VERSION);
    bytes.extend_from_slice(salt);
    bytes.extend_from_slice(plaintext);
    let context = context(vault_key.id(), owner, provider);
    let tag =
        key.seal_in_place_separate_tag(nonce, Aad::from(context), &mut bytes[1 + SALT_LENGTH..])?;
    bytes.extend_from_slice(tag.as_ref());
    Ok(Sealed {
        key_id: vault_key.id().to_owned(),
        bytes: std::mem::take(&mut *bytes),
    })
}

/// Derives the key and the nonce of the message with this salt.
pub(super) fn message_key(
    vault_key: &VaultKey,
    salt: &[u8; SALT_LENGTH],
) -> Result<(LessSafeKey, Nonce), Unspecified> {
    let mut material = Zeroizing::new([0; KEY_LENGTH + NONCE_LENGTH]);
    let secret = Salt::new(HKDF_SHA256, salt).extract(vault_key.expose());
    secret.expand(&[INFO], Material)?.fill(&mut *material)?;
    let (key, nonce) = material.split_at(KEY_LENGTH);
    Ok((
        LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key)?),
        Nonce::try_assume_unique_for_key(nonce)?,
    ))
}

/// Returns the associated data. Each part is preceded by its length, so different parts never
/// encode to the same bytes.
pub(super) fn context(key_id: &str, owner: &Uuid, provider: &str) -> Vec<u8> {
    let mut context = Vec::new();
    for part in [
        &[VERSION],
        key_id.as_bytes(),
        owner.as_bytes(),
        provider.as_bytes(),
    ] {
        context.extend_from_slice(&(part.len() as u64).to_be_bytes());
        context.extend_from_slice(part);
    }
    context
}

/// Length of the derived key material.
struct Material;

impl KeyType for Material {
    fn len(&self) -> usize {
        KEY_LENGTH + NONCE_LENGTH
    }
}
