//! Keys that a recent key set did not contain.

use std::{
    collections::{HashMap, VecDeque, hash_map},
    time::Duration,
};

/// How long requests for a missing key are rejected without a fetch.
const TTL: Duration = Duration::from_secs(30);

/// Entries are keyed hashes of `kid` and algorithm, so an entry takes about twenty bytes whatever
/// the length of the `kid`. If two keys have the same hash, the second is rejected for up to
/// [`TTL`]; the hash key is random per process, so such a pair cannot be constructed.
#[derive(Debug, Default)]
pub(super) struct NegativeCache {
    expires_at: HashMap<u64, Duration>,
    /// All entries have the same lifetime, so the order of insertion is the order of expiry.
    order: VecDeque<u64>,
}

impl NegativeCache {
    /// The maximum number of entries; the oldest is evicted first.
    pub(super) const CAPACITY: usize = 10_000;

    pub(super) fn contains(&self, key_hash: u64, now: Duration) -> bool {
        self.expires_at
            .get(&key_hash)
            .is_some_and(|expires_at| now < *expires_at)
    }

    /// Inserts an entry. An existing entry keeps its expiry.
    pub(super) fn insert(&mut self, key_hash: u64, now: Duration) {
        while let Some(oldest) = self.order.front().copied() {
            let has_expired = self
                .expires_at
                .get(&oldest)
                .is_none_or(|expires_at| *expires_at <= now);
            if !has_expired && self.order.len() < Self::CAPACITY {
                break;
            }
            self.order.pop_front();
            self.expires_at.remove(&oldest);
        }
        if let hash_map::Entry::Vacant(entry) = self.expires_at.entry(key_hash) {
            entry.insert(now + TTL);
            self.order.push_back(key_hash);
        }
    }

    pub(super) fn clear(&mut self) {
        self.expires_at.clear();
        self.order.clear();
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.expires_at.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn entry_expires_after_30_seconds() {
        let mut cache = NegativeCache::default();
        cache.insert(7, at(100));
        assert!(cache.contains(7, at(129)));
        assert!(!cache.contains(7, at(130)));
        assert!(!cache.contains(8, at(100)));
    }

    #[test]
    fn second_insert_does_not_extend_the_first() {
        let mut cache = NegativeCache::default();
        cache.insert(7, at(100));
        cache.insert(7, at(120));
        assert!(!cache.contains(7, at(130)));
        cache.insert(7, at(131));
        assert!(cache.contains(7, at(160)));
    }

    #[test]
    fn capacity_is_bounded_and_the_oldest_is_evicted() {
        let mut cache = NegativeCache::default();
        let flood = u64::try_from(NegativeCache::CAPACITY).unwrap() + 5;
        for key_hash in 0..flood {
            cache.insert(key_hash, at(1));
        }
        assert_eq!(cache.len(), NegativeCache::CAPACITY);
        assert!(!cache.contains(4, at(1)) && cache.contains(5, at(1)));
        cache.insert(flood, at(31));
        assert_eq!(cache.len(), 1, "expired entries are removed");
    }

    #[test]
    fn clear_removes_all_entries() {
        let mut cache = NegativeCache::default();
        cache.insert(7, at(100));
        cache.clear();
        assert!(!cache.contains(7, at(101)));
    }
}
