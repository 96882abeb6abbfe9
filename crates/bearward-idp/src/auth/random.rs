//! What nobody can guess, and comparing it without telling how much of it was right.

use aws_lc_rs::{constant_time, rand};
use bearward_testing::signing::encode;

/// This many bytes of randomness, base64url.
pub(super) fn secret<const BYTES: usize>() -> String {
    encode(&bytes::<BYTES>())
}

/// Bytes from the machine's generator.
///
/// # Panics
/// When the machine gives no randomness: nothing here may go on without.
pub(super) fn bytes<const BYTES: usize>() -> [u8; BYTES] {
    let mut bytes = [0; BYTES];
    rand::fill(&mut bytes).expect("the machine gives randomness");
    bytes
}

/// Six digits for people to type.
pub(super) fn digits() -> String {
    // 2^64 is so much larger than a million that no code is noticeably likelier.
    format!("{:06}", u64::from_le_bytes(bytes()) % 1_000_000)
}

/// Whether two secrets are the same, in a time that depends on their lengths alone.
pub(super) fn same(found: &str, expected: &str) -> bool {
    constant_time::verify_slices_are_equal(found.as_bytes(), expected.as_bytes()).is_ok()
}
