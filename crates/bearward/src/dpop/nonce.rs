//! Nonces of the server (RFC 9449 §8 and §9), without state: a time slot and its HMAC.

use std::{fmt, time::Duration};

use aws_lc_rs::{
    constant_time, hmac,
    rand::{SecureRandom, SystemRandom},
};

use super::DpopConfig;
use crate::clock::Timestamp;

/// The length of a time slot. A nonce is accepted in its slot and in the next one, so for one to two
/// minutes, and in the previous one, because the clocks of replicas differ.
const SLOT: Duration = Duration::from_secs(60);

const SLOT_BYTES: usize = 8;
const MAC_BYTES: usize = 16;

/// Separates the use of a key from others.
const CONTEXT: &[u8] = b"bearward DPoP nonce\0";

/// A key of nonces.
#[derive(Clone)]
pub(super) struct NonceKey {
    key: hmac::Key,
    length: usize,
}

/// Creates and verifies nonces.
pub(super) struct Nonces {
    /// The first one creates nonces; all of them verify.
    keys: Vec<NonceKey>,
}

impl NonceKey {
    pub(super) fn new(bytes: &[u8]) -> Self {
        Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, bytes),
            length: bytes.len(),
        }
    }

    pub(super) fn random() -> Self {
        let mut bytes = [0; DpopConfig::MIN_NONCE_KEY_BYTES];
        // Without randomness the key is rejected when the verifier is built.
        match SystemRandom::new().fill(&mut bytes) {
            Ok(()) => Self::new(&bytes),
            Err(_) => Self::new(&[]),
        }
    }

    pub(super) fn is_long_enough(&self) -> bool {
        self.length >= DpopConfig::MIN_NONCE_KEY_BYTES
    }

    fn mac(&self, slot: [u8; SLOT_BYTES]) -> [u8; MAC_BYTES] {
        let mut context = hmac::Context::with_key(&self.key);
        context.update(CONTEXT);
        context.update(&slot);
        let tag = context.sign();
        let mut mac = [0; MAC_BYTES];
        mac.copy_from_slice(&tag.as_ref()[..MAC_BYTES]);
        mac
    }
}

impl fmt::Debug for NonceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NonceKey")
    }
}

impl Nonces {
    /// Returns `None` if there is no key: no nonce is required.
    pub(super) fn new(keys: Vec<NonceKey>) -> Option<Self> {
        (!keys.is_empty()).then_some(Self { keys })
    }

    /// Creates the nonce of the current slot.
    pub(super) fn create(&self, now: Timestamp) -> String {
        let slot = slot(now).to_be_bytes();
        let mac = self.keys.first().map(|key| key.mac(slot));
        let bytes = [slot.as_slice(), mac.unwrap_or_default().as_slice()].concat();
        base64_simd::URL_SAFE_NO_PAD.encode_to_string(bytes)
    }

    /// Returns whether a nonce was created with one of the keys and is current.
    pub(super) fn is_valid(&self, nonce: &str, now: Timestamp) -> bool {
        let Some((created, mac)) = decode(nonce) else {
            return false;
        };
        let age = slot(now).saturating_sub(i64::from_be_bytes(created));
        (-1..=1).contains(&age)
            && self
                .keys
                .iter()
                .any(|key| constant_time::verify_slices_are_equal(&key.mac(created), &mac).is_ok())
    }

    /// Returns whether a valid nonce should be replaced: it ends with the current slot, or another
    /// key has become the first one.
    pub(super) fn is_old(&self, nonce: &str, now: Timestamp) -> bool {
        nonce != self.create(now)
    }
}

impl fmt::Debug for Nonces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Nonces")
    }
}

fn slot(now: Timestamp) -> i64 {
    now.unix()
        .div_euclid(i64::try_from(SLOT.as_secs()).unwrap_or(i64::MAX))
}

fn decode(nonce: &str) -> Option<([u8; SLOT_BYTES], [u8; MAC_BYTES])> {
    const ENCODED: usize = (SLOT_BYTES + MAC_BYTES) / 3 * 4;
    if nonce.len() != ENCODED {
        return None;
    }
    let bytes = base64_simd::URL_SAFE_NO_PAD
        .decode_to_vec(nonce.as_bytes())
        .ok()?;
    let (slot, mac) = bytes.split_at_checked(SLOT_BYTES)?;
    Some((slot.try_into().ok()?, mac.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nonces(keys: &[u8]) -> Nonces {
        let keys = keys.iter().map(|&byte| NonceKey::new(&[byte; 32]));
        Nonces::new(keys.collect()).unwrap()
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix(1_700_000_040 + seconds)
    }

    #[test]
    fn a_nonce_is_valid_in_its_slot_and_the_next_one() {
        let nonces = nonces(&[1]);
        // 1,700,000,040 is the start of a slot.
        let nonce = nonces.create(at(0));
        for (seconds, is_valid) in [
            (-61, false),
            (-60, true),
            (0, true),
            (119, true),
            (120, false),
        ] {
            assert_eq!(nonces.is_valid(&nonce, at(seconds)), is_valid, "{seconds}");
        }
        assert!(!nonces.is_old(&nonce, at(59)));
        assert!(nonces.is_old(&nonce, at(60)));
    }

    #[test]
    fn replicas_with_the_same_keys_accept_each_others_nonces() {
        let nonce = nonces(&[1]).create(at(0));
        assert!(nonces(&[1]).is_valid(&nonce, at(30)));
        assert!(!nonces(&[2]).is_valid(&nonce, at(30)));
    }

    #[test]
    fn a_rotated_key_verifies_until_it_is_removed() {
        let old = nonces(&[1]).create(at(0));
        let both = nonces(&[2, 1]);
        assert!(both.is_valid(&old, at(0)) && both.is_old(&old, at(0)));
        let new = both.create(at(0));
        assert!(both.is_valid(&new, at(0)) && !both.is_old(&new, at(0)));
        assert!(nonces(&[1, 2]).is_valid(&new, at(0)));
        assert!(!nonces(&[2]).is_valid(&old, at(0)));
    }

    #[test]
    fn other_texts_are_no_nonces() {
        let nonces = nonces(&[1]);
        let nonce = nonces.create(at(0));
        let mut bytes = base64_simd::URL_SAFE_NO_PAD
            .decode_to_vec(nonce.as_bytes())
            .unwrap();
        for index in 0..bytes.len() {
            bytes[index] ^= 1;
            let changed = base64_simd::URL_SAFE_NO_PAD.encode_to_string(&bytes);
            assert!(!nonces.is_valid(&changed, at(0)), "byte {index}");
            bytes[index] ^= 1;
        }
        for text in [
            "",
            "a",
            &nonce[1..],
            &format!("{nonce}A"),
            &"A".repeat(100_000),
        ] {
            assert!(!nonces.is_valid(text, at(0)));
        }
    }
}
