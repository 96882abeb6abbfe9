//! The proofs that were accepted already.
//!
//! Hand-written because caches forget entries when they are full. This memory refuses new proofs
//! instead, so that no proof is accepted twice.

use std::{
    collections::{HashMap, HashSet},
    hash::{BuildHasher, BuildHasherDefault, Hasher, RandomState},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use super::{KeyThumbprint, ProofError};
use crate::clock::Timestamp;

/// A bounded memory of accepted proofs, shared by all threads.
///
/// A proof is stored as a keyed 64-bit hash (`SipHash` with a random key) of its key's thumbprint and
/// its `jti`: two proofs with the same hash cannot be found without the key, and two of 100,000
/// proofs have the same one with a probability of 1 in 10^9. Entries are grouped by the time at
/// which they end, so that whole groups are removed.
pub(super) struct ReplayMemory {
    shards: [Mutex<Shard>; SHARDS],
    random: RandomState,
    /// The number of entries in all shards.
    entries: AtomicUsize,
    max_entries: usize,
    /// How long a proof is accepted after its `iat`.
    max_age: Duration,
}

const SHARDS: usize = 16;

/// The entries of a shard by time slot.
#[derive(Default)]
struct Shard {
    slots: HashMap<i64, HashSet<u64, BuildHasherDefault<Identity>>>,
}

/// Entries are hashes already.
#[derive(Default)]
struct Identity(u64);

impl Hasher for Identity {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

/// A proof in the memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ProofId(pub(super) u64);

impl ReplayMemory {
    pub(super) fn new(max_entries: usize, max_age: Duration) -> Self {
        Self {
            shards: Default::default(),
            random: RandomState::new(),
            entries: AtomicUsize::new(0),
            max_entries,
            max_age,
        }
    }

    /// Returns the id of a proof.
    pub(super) fn id(&self, key: KeyThumbprint, jti: &str) -> ProofId {
        ProofId(self.random.hash_one((key.as_bytes(), jti)))
    }

    /// Stores a proof until it is too old to be accepted.
    ///
    /// # Errors
    /// [`ProofError::Replayed`] if it is stored already, and [`ProofError::ReplayMemoryFull`] if the
    /// maximum number of proofs is stored.
    pub(super) fn insert(
        &self,
        ProofId(id): ProofId,
        issued_at: Timestamp,
        now: Timestamp,
    ) -> Result<(), ProofError> {
        let current = self.slot(now);
        let index = usize::try_from(id % SHARDS as u64).unwrap_or(0);
        let mut shard = self.lock(index);
        self.remove_ended(&mut shard, current);
        if shard.slots.values().any(|slot| slot.contains(&id)) {
            return Err(ProofError::Replayed);
        }
        if self.entries.fetch_add(1, Ordering::Relaxed) >= self.max_entries {
            self.entries.fetch_sub(1, Ordering::Relaxed);
            drop(shard);
            return self.insert_after_cleanup(ProofId(id), issued_at, current);
        }
        let end = self.slot(issued_at.plus(self.max_age));
        shard.slots.entry(end).or_default().insert(id);
        Ok(())
    }

    /// Removes the ended entries of all shards, and stores the proof if there is space now.
    fn insert_after_cleanup(
        &self,
        ProofId(id): ProofId,
        issued_at: Timestamp,
        current: i64,
    ) -> Result<(), ProofError> {
        for index in 0..SHARDS {
            self.remove_ended(&mut self.lock(index), current);
        }
        let mut shard = self.lock(usize::try_from(id % SHARDS as u64).unwrap_or(0));
        if shard.slots.values().any(|slot| slot.contains(&id)) {
            return Err(ProofError::Replayed);
        }
        if self.entries.fetch_add(1, Ordering::Relaxed) >= self.max_entries {
            self.entries.fetch_sub(1, Ordering::Relaxed);
            return Err(ProofError::ReplayMemoryFull);
        }
        let end = self.slot(issued_at.plus(self.max_age));
        shard.slots.entry(end).or_default().insert(id);
        Ok(())
    }

    /// Returns the number of stored proofs.
    pub(super) fn len(&self) -> usize {
        self.entries.load(Ordering::Relaxed)
    }

    /// Removes the slots before the current one. A proof whose end is in the current slot may still
    /// be accepted.
    fn remove_ended(&self, shard: &mut Shard, current: i64) {
        shard.slots.retain(|&slot, entries| {
            let is_kept = slot >= current;
            if !is_kept {
                self.entries.fetch_sub(entries.len(), Ordering::Relaxed);
            }
            is_kept
        });
    }

    fn lock(&self, index: usize) -> MutexGuard<'_, Shard> {
        self.shards[index]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn slot(&self, at: Timestamp) -> i64 {
        let length = i64::try_from(self.max_age.as_millis()).unwrap_or(i64::MAX);
        at.millis().div_euclid(length.max(1))
    }
}

impl std::fmt::Debug for ReplayMemory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReplayMemory")
            .field("entries", &self.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn key() -> KeyThumbprint {
        KeyThumbprint::parse("0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I").unwrap()
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix(1_700_000_000 + seconds)
    }

    #[test]
    fn a_proof_is_stored_as_long_as_it_is_accepted() {
        for start in 0..60 {
            let memory = ReplayMemory::new(10, MINUTE);
            let id = memory.id(key(), "a");
            // Accepted at the earliest 60 s before `iat`, and at the latest 60 s after it.
            assert_eq!(memory.insert(id, at(start), at(start - 60)), Ok(()));
            for later in [-60, 0, 59, 60] {
                assert_eq!(
                    memory.insert(id, at(start), at(start + later)),
                    Err(ProofError::Replayed),
                    "{start} {later}"
                );
            }
            let other = memory.id(key(), "b");
            let later = at(start + 121);
            assert_eq!(memory.insert(other, later, later), Ok(()));
            assert!(memory.len() <= 2);
        }
    }

    #[test]
    fn keys_and_ids_are_distinguished() {
        let memory = ReplayMemory::new(10, MINUTE);
        let other = KeyThumbprint::parse("NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs").unwrap();
        for id in [
            memory.id(key(), "a"),
            memory.id(key(), "b"),
            memory.id(other, "a"),
        ] {
            assert_eq!(memory.insert(id, at(0), at(0)), Ok(()));
        }
        assert_eq!(memory.len(), 3);
    }

    #[test]
    fn a_full_memory_refuses_and_forgets_nothing() {
        let memory = ReplayMemory::new(3, MINUTE);
        let insert = |jti: &str, now| memory.insert(memory.id(key(), jti), now, now);
        for jti in ["a", "b", "c"] {
            assert_eq!(insert(jti, at(0)), Ok(()));
        }
        assert_eq!(insert("d", at(0)), Err(ProofError::ReplayMemoryFull));
        assert_eq!(insert("a", at(0)), Err(ProofError::Replayed));
        assert_eq!(memory.len(), 3);
        // The others have ended. Those in other shards are removed when space is needed.
        assert_eq!(insert("d", at(121)), Ok(()));
        assert!(memory.len() <= 3);
    }

    #[test]
    fn of_many_threads_one_uses_a_proof() {
        let memory = ReplayMemory::new(1000, MINUTE);
        for round in 0..50 {
            let id = memory.id(key(), &round.to_string());
            let accepted = std::thread::scope(|scope| {
                let insert = || memory.insert(id, at(0), at(0)).is_ok();
                let threads: Vec<_> = (0..8).map(|_| scope.spawn(insert)).collect();
                let results = threads.into_iter().map(|thread| thread.join().unwrap());
                results.filter(|&is_accepted| is_accepted).count()
            });
            assert_eq!(accepted, 1);
        }
        assert_eq!(memory.len(), 50);
    }

    #[test]
    fn a_million_proofs_keep_the_memory_bounded() {
        let memory = ReplayMemory::new(100_000, MINUTE);
        let mut accepted = 0;
        for number in 0..1_000_000_i64 {
            // 10,000 proofs in each second: the memory is full after 10 s.
            let now = at(number / 10_000);
            let id = memory.id(key(), &number.to_string());
            match memory.insert(id, now, now) {
                Ok(()) => accepted += 1,
                error => assert_eq!(error, Err(ProofError::ReplayMemoryFull)),
            }
            assert!(memory.len() <= 100_000);
        }
        assert!(accepted >= 100_000);
        let capacity: usize = memory
            .shards
            .iter()
            .map(|shard| {
                let shard = shard.lock().unwrap();
                shard.slots.values().map(HashSet::capacity).sum::<usize>()
            })
            .sum();
        // Each entry takes 8 bytes and one control byte.
        assert!(capacity * 9 < 4 << 20, "{capacity}");
    }
}
