//! The text of a service key: `bwk_`, 40 random characters and a checksum of 6 characters.
//!
//! The prefix lets secret scanners find a leaked key; the checksum lets them, and this server,
//! tell a key from other text without knowing any key.

use std::fmt::Write as _;

use aws_lc_rs::digest::{SHA256, digest as hash};

use super::Digest;

/// The first characters of a key that bearward creates.
pub(crate) const KEY_PREFIX: &str = "bwk_";

/// The first characters of the named secret keys of Supabase, whose checksum is not documented.
const SUPABASE_PREFIX: &str = "sb_secret_";

/// The maximum length of a key with another format, in bytes.
const MAX_BYTES: usize = 256;

/// 62^40 keys: 238 bits.
const RANDOM_CHARS: usize = 40;

/// 62^6 is more than 2^32.
const CHECKSUM_CHARS: usize = 6;

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A new service key. The server needs its [digest](Self::sha256), the caller
/// [the key](Self::expose).
///
/// The key matches `bwk_[0-9A-Za-z]{46}`: 40 random characters (238 bits) and the CRC-32 of these
/// characters in base 62, padded with `0` to 6 characters, as in the tokens of GitHub.
///
/// ```
/// use bearward::{NewServiceKey, ServiceKey};
///
/// # fn main() -> Result<(), bearward::ServiceKeyError> {
/// let key = NewServiceKey::generate();
/// assert!(key.expose().starts_with("bwk_"));
/// let service = ServiceKey::new("cron")?.sha256(&key.sha256())?;
/// # Ok(()) }
/// ```
///
/// # Security
/// Show the key once and do not store it. `Debug` does not print it.
pub struct NewServiceKey(String);

impl NewServiceKey {
    /// Generates a key with the random number generator of the operating system.
    ///
    /// # Panics
    /// If the operating system provides no random numbers.
    #[must_use]
    pub fn generate() -> Self {
        let mut random = String::with_capacity(RANDOM_CHARS);
        while random.len() < RANDOM_CHARS {
            let mut bytes = [0; 64];
            aws_lc_rs::rand::fill(&mut bytes)
                .expect("the operating system provides random numbers");
            // 248 is the largest multiple of 62 in a byte: larger values would favor some
            // characters.
            let characters = bytes
                .iter()
                .filter(|byte| **byte < 248)
                .map(|byte| char::from(ALPHABET[usize::from(byte % 62)]));
            random.extend(characters.take(RANDOM_CHARS - random.len()));
        }
        let checksum = checksum(&random);
        Self(format!("{KEY_PREFIX}{random}{checksum}"))
    }

    /// Returns the key, which the caller sends.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Returns the SHA-256 digest of the key in hexadecimal digits, for
    /// [`ServiceKey::sha256`](super::ServiceKey::sha256).
    #[must_use]
    pub fn sha256(&self) -> String {
        hex(&digest(&self.0))
    }
}

/// Returns whether the text is meant to be a service key. It may be mistyped or unknown.
pub(crate) fn is_service_key(text: &str) -> bool {
    text.starts_with(KEY_PREFIX) || text.starts_with(SUPABASE_PREFIX)
}

/// Returns whether a text can be a service key: a key of bearward has the right length, alphabet and
/// checksum.
pub(super) fn is_well_formed(text: &str) -> bool {
    match text.strip_prefix(KEY_PREFIX) {
        Some(rest) => {
            rest.len() == RANDOM_CHARS + CHECKSUM_CHARS
                && rest.bytes().all(|byte| byte.is_ascii_alphanumeric())
                && checksum(&rest[..RANDOM_CHARS]) == rest[RANDOM_CHARS..]
        }
        None => text.len() <= MAX_BYTES,
    }
}

pub(super) fn digest(key: &str) -> Digest {
    let mut bytes = Digest::default();
    bytes.copy_from_slice(hash(&SHA256, key.as_bytes()).as_ref());
    bytes
}

/// Parses a digest of 64 hexadecimal digits.
pub(super) fn parse_digest(text: &str) -> Option<Digest> {
    let digits: &[u8; 64] = text.as_bytes().try_into().ok()?;
    let mut digest = Digest::default();
    for (byte, pair) in digest.iter_mut().zip(digits.chunks_exact(2)) {
        let pair = str::from_utf8(pair).ok()?;
        // `from_str_radix` would accept a sign.
        if !pair.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        *byte = u8::from_str_radix(pair, 16).ok()?;
    }
    Some(digest)
}

/// Returns the first 8 hexadecimal digits of a digest: they name a key and do not help to guess it.
pub(super) fn key_id(digest: &Digest) -> String {
    hex(&digest[..4])
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Returns the CRC-32 of the random part in base 62.
fn checksum(random: &str) -> String {
    let mut value = crc32(random.as_bytes());
    let mut digits = [b'0'; CHECKSUM_CHARS];
    for digit in digits.iter_mut().rev() {
        *digit = ALPHABET[(value % 62) as usize];
        value /= 62;
    }
    digits.iter().copied().map(char::from).collect()
}

/// Returns the CRC-32 of ISO 3309, as zlib computes it.
fn crc32(bytes: &[u8]) -> u32 {
    let register = bytes.iter().fold(u32::MAX, |register, byte| {
        (0..8).fold(register ^ u32::from(*byte), |register, _| {
            (register >> 1) ^ (0xEDB8_8320 * (register & 1))
        })
    });
    !register
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_the_crc_32_of_zlib() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
        assert_eq!(crc32(b""), 0);
        // 0xCBF43926 = 3 421 780 262 in base 62.
        assert_eq!(checksum("123456789"), "3jZRME");
        assert_eq!(checksum(""), "000000");
    }

    #[test]
    fn generated_keys_are_well_formed_and_different() {
        let keys: std::collections::HashSet<String> = (0..1000)
            .map(|_| NewServiceKey::generate().expose().to_owned())
            .collect();
        assert_eq!(keys.len(), 1000);
        for key in keys {
            assert_eq!(key.len(), 50);
            assert!(is_well_formed(&key), "{key}");
        }
    }

    #[test]
    fn every_single_wrong_character_is_noticed() {
        let key = NewServiceKey::generate();
        let key = key.expose();
        for index in KEY_PREFIX.len()..key.len() {
            for replacement in ['0', 'A', 'z', '-'] {
                let mut mistyped: Vec<char> = key.chars().collect();
                if mistyped[index] == replacement {
                    continue;
                }
                mistyped[index] = replacement;
                let mistyped: String = mistyped.into_iter().collect();
                assert!(!is_well_formed(&mistyped), "{index} {replacement}");
            }
        }
        assert!(!is_well_formed(&key[..49]) && !is_well_formed(&format!("{key}0")));
        assert!(!is_well_formed("bwk_") && !is_well_formed(&format!("bwk_{}", "ä".repeat(23))));
    }

    #[test]
    fn digests_have_64_hexadecimal_digits() {
        assert_eq!(parse_digest(&"0f".repeat(32)), Some([0x0f; 32]));
        assert_eq!(parse_digest(&"0F".repeat(32)), Some([0x0f; 32]));
        for invalid in [
            "",
            &"0f".repeat(31),
            &"0f".repeat(33),
            &"+f".repeat(32),
            &"0g".repeat(32),
        ] {
            assert_eq!(parse_digest(invalid), None, "{invalid}");
        }
    }
}
