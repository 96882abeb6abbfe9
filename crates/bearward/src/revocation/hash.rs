//! Keyed hashes of the values of entries.

use std::hash::{BuildHasher, Hash, Hasher, RandomState};

use super::RevocationKind;

/// A hash of 128 bits with a random key: an entry does not store its issuer and id, and other values
/// with the same hash cannot be constructed without the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct EntryKey([u32; 4]);

/// Computes [`EntryKey`]s: `SipHash` with two keys of the process.
#[derive(Debug, Clone, Default)]
pub(super) struct EntryHasher([RandomState; 2]);

impl EntryHasher {
    pub(super) fn key(&self, kind: RevocationKind, issuer: &str, id: &str) -> EntryKey {
        let [first, second] = &self.0;
        let value = (kind, issuer, id);
        let (first, second) = (first.hash_one(value), second.hash_one(value));
        EntryKey([low(first), high(first), low(second), high(second)])
    }
}

impl EntryKey {
    /// Selects one of `count` shards, with bits that the hash table of a shard does not use.
    pub(super) fn shard(self, count: usize) -> usize {
        self.0[3] as usize % count
    }
}

impl Hash for EntryKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(u64::from(self.0[0]) | u64::from(self.0[1]) << 32);
    }
}

#[expect(clippy::cast_possible_truncation, reason = "takes the low bits")]
fn low(value: u64) -> u32 {
    value as u32
}

fn high(value: u64) -> u32 {
    low(value >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kind_issuer_and_id_are_separate() {
        let hasher = EntryHasher::default();
        let keys = [
            hasher.key(RevocationKind::Session, "ab", "c"),
            hasher.key(RevocationKind::Session, "a", "bc"),
            hasher.key(RevocationKind::Session, "abc", ""),
            hasher.key(RevocationKind::Subject, "ab", "c"),
            hasher.key(RevocationKind::Token, "ab", "c"),
            hasher.key(RevocationKind::Key, "ab", "c"),
        ];
        for (index, key) in keys.iter().enumerate() {
            assert!(!keys[..index].contains(key), "{index}");
        }
        assert_eq!(hasher.key(RevocationKind::Session, "ab", "c"), keys[0]);
    }
}
