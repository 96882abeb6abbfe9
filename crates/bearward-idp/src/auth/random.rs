//! Random secrets and constant-time comparison.

use aws_lc_rs::{constant_time, rand};
use bearward_testing::signing::encode;
use data_encoding::HEXLOWER;

/// Returns `BYTES` random bytes as base64url.
pub(crate) fn secret<const BYTES: usize>() -> String {
    encode(&bytes::<BYTES>())
}

/// Returns `BYTES` random bytes in hexadecimal.
pub(crate) fn hexadecimal<const BYTES: usize>() -> String {
    HEXLOWER.encode(&bytes::<BYTES>())
}

/// Returns random bytes.
///
/// # Panics
/// If the system random number generator fails.
pub(crate) fn bytes<const BYTES: usize>() -> [u8; BYTES] {
    let mut bytes = [0; BYTES];
    rand::fill(&mut bytes).expect("the system random number generator works");
    bytes
}

/// Returns a one-time code of six digits.
pub(crate) fn otp_code() -> String {
    // The modulo bias is negligible: 2^64 is much larger than 10^6.
    format!("{:06}", u64::from_le_bytes(bytes()) % 1_000_000)
}

/// Compares two secrets in a time that depends only on their lengths.
pub(crate) fn constant_time_eq(found: &str, expected: &str) -> bool {
    constant_time::verify_slices_are_equal(found.as_bytes(), expected.as_bytes()).is_ok()
}
