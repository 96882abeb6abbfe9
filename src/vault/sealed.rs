//! The format of a sealed row, version 1: AES-256-GCM under a key of its own for each message.
//!
//! ```text
//! bytes    = version (1 byte: 1) || salt (32 random bytes) || ciphertext || tag (16)
//! material = HKDF-SHA256(secret = vault key, salt, info = "bearward vault v1"), 44 bytes: AES-256 key (32) || nonce (12)
//! context  = for each of version (1 byte), key id, owner (the 16 bytes of its UUID), provider: length (8 bytes, big-endian) || part
//! ```
//! The context is the associated data. Random 96-bit nonces under the vault key itself would be
//! simpler, but NIST SP 800-38D §8.3 ends them at 2^32 messages for each key, counted over every
//! replica and every backup. A derived key with its nonce repeats only where 256 random bits do, so
//! a vault key needs no counter and no deadline; it costs two microseconds.

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
const SALT: usize = 32;
const KEY: usize = 32;
const NONCE: usize = 12;
const TAG: usize = 16;

/// What a row of the database holds of a key. `Debug` shows the vault key's name and how many bytes
/// there are.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed {
    /// The name of the vault key that sealed it.
    pub key_id: String,
    /// Version, salt, ciphertext and tag.
    pub bytes: Vec<u8>,
}

/// The parts of a row whose version and length are right.
pub(super) struct Parts<'a> {
    pub(super) salt: &'a [u8; SALT],
    /// With the tag at its end.
    pub(super) ciphertext: &'a [u8],
}

impl Sealed {
    pub(super) fn parts(&self) -> Option<Parts<'_>> {
        let (&version, rest) = self.bytes.split_first()?;
        let (salt, ciphertext) = rest.split_first_chunk()?;
        let fits = (TAG + 1..=TAG + ApiKeySecret::MAX_BYTES).contains(&ciphertext.len());
        (version == VERSION && fits).then_some(Parts { salt, ciphertext })
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Sealed {{ key_id: {:?}, bytes: {} of them }}",
            self.key_id,
            self.bytes.len()
        )
    }
}

pub(super) fn salt() -> Result<[u8; SALT], Unspecified> {
    let mut salt = [0; SALT];
    rand::fill(&mut salt)?;
    Ok(salt)
}

/// Deterministic: a salt is used once.
pub(super) fn seal(
    vault_key: &VaultKey,
    salt: &[u8; SALT],
    owner: &Uuid,
    provider: &str,
    plain: &ApiKeySecret,
) -> Result<Sealed, Unspecified> {
    let plain = plain.expose().as_bytes();
    let (key, nonce) = message_key(vault_key, salt)?;
    // Its room is made at once, so that growing leaves no copy of the plain text behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(1 + SALT + plain.len() + TAG));
    bytes.push(VERSION);
    bytes.extend_from_slice(salt);
    bytes.extend_from_slice(plain);
    let context = context(vault_key.id(), owner, provider);
    let tag = key.seal_in_place_separate_tag(nonce, Aad::from(context), &mut bytes[1 + SALT..])?;
    bytes.extend_from_slice(tag.as_ref());
    Ok(Sealed {
        key_id: vault_key.id().to_owned(),
        bytes: std::mem::take(&mut *bytes),
    })
}

/// The key and the nonce of the one message that has this salt.
pub(super) fn message_key(
    vault_key: &VaultKey,
    salt: &[u8; SALT],
) -> Result<(LessSafeKey, Nonce), Unspecified> {
    let mut material = Zeroizing::new([0; KEY + NONCE]);
    let secret = Salt::new(HKDF_SHA256, salt).extract(vault_key.expose());
    secret.expand(&[INFO], Material)?.fill(&mut *material)?;
    let (key, nonce) = material.split_at(KEY);
    Ok((
        LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key)?),
        Nonce::try_assume_unique_for_key(nonce)?,
    ))
}

/// What a row is bound to. The lengths keep a provider's name from taking over what belongs to its
/// neighbour.
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

/// How much is derived.
struct Material;

impl KeyType for Material {
    fn len(&self) -> usize {
        KEY + NONCE
    }
}
