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
///
/// A key may have at most [`SHARE`] times as many entries as are free (the dynamic thresholds of
/// Choudhury and Hahne, 1998). A key that sends as many proofs as it can then leaves a fifth of the
/// memory to the others, and a second one leaves a fifth of that.
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

/// How many entries a key may have for each free one.
const SHARE: usize = 4;

/// The entries of some keys by time slot.
#[derive(Default)]
struct Shard {
    slots: HashMap<i64, Slot>,
}

#[derive(Default)]
struct Slot {
    proofs: HashSet<u64, BuildHasherDefault<Identity>>,
    /// The number of proofs of each key.
    keys: HashMap<u64, u32, BuildHasherDefault<Identity>>,
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
pub(super) struct ProofId {
    /// A hash of the key and the `jti`.
    pub(super) proof: u64,
    /// A hash of the key. It selects the shard, so that the proofs of a key are counted in one place.
    key: u64,
}

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
        ProofId {
            proof: self.random.hash_one((key.as_bytes(), jti)),
            key: self.random.hash_one(key.as_bytes()),
        }
    }

    /// Stores a proof until it is too old to be accepted.
    ///
    /// # Errors
    /// [`ProofError::Replayed`] if it is stored already, and [`ProofError::ReplayMemoryFull`] if the
    /// maximum number of proofs is stored, or too many of this key for what is free.
    pub(super) fn insert(
        &self,
        id: ProofId,
        issued_at: Timestamp,
        now: Timestamp,
    ) -> Result<(), ProofError> {
        let current = self.slot(now);
        let result = self.try_insert(id, issued_at, current);
        if result != Err(ProofError::ReplayMemoryFull) {
            return result;
        }
        // The ended entries of the other shards are removed only when their memory is needed.
        for index in 0..SHARDS {
            self.remove_ended(&mut self.lock(index), current);
        }
        self.try_insert(id, issued_at, current)
    }

    fn try_insert(
        &self,
        ProofId { proof, key }: ProofId,
        issued_at: Timestamp,
        current: i64,
    ) -> Result<(), ProofError> {
        // The hash tables use the low and the high bits.
        let mut shard = self.lock(usize::try_from((key >> 32) % SHARDS as u64).unwrap_or(0));
        self.remove_ended(&mut shard, current);
        if shard
            .slots
            .values()
            .any(|slot| slot.proofs.contains(&proof))
        {
            return Err(ProofError::Replayed);
        }
        let used = self.entries.fetch_add(1, Ordering::Relaxed);
        let free = self.max_entries.saturating_sub(used);
        if shard.proofs_of(key) >= free.saturating_mul(SHARE) {
            self.entries.fetch_sub(1, Ordering::Relaxed);
            return Err(ProofError::ReplayMemoryFull);
        }
        let end = self.slot(issued_at.plus(self.max_age));
        let slot = shard.slots.entry(end).or_default();
        slot.proofs.insert(proof);
        *slot.keys.entry(key).or_default() += 1;
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
                let ended = entries.proofs.len();
                self.entries.fetch_sub(ended, Ordering::Relaxed);
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

impl Shard {
    /// Returns the number of proofs of a key.
    fn proofs_of(&self, key: u64) -> usize {
        let counts = self.slots.values().filter_map(|slot| slot.keys.get(&key));
        counts.map(|count| *count as usize).sum()
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
        // One key uses at most four fifths.
        assert!(accepted >= 80_000);
        assert!(capacity(&memory) < 4 << 20, "{}", capacity(&memory));
    }

    #[test]
    fn proofs_of_as_many_keys_take_at_most_60_bytes_each() {
        let memory = ReplayMemory::new(100_000, MINUTE);
        for number in 0..100_000_u64 {
            let id = ProofId {
                proof: memory.random.hash_one(("proof", number)),
                key: memory.random.hash_one(("key", number)),
            };
            assert_eq!(memory.insert(id, at(0), at(0)), Ok(()));
        }
        assert!(capacity(&memory) <= 6_000_000, "{}", capacity(&memory));
    }

    #[test]
    fn a_key_that_sends_many_proofs_leaves_room_for_the_others() {
        const MAX: usize = 1000;
        let memory = ReplayMemory::new(MAX, MINUTE);
        let key = |number: u64| memory.random.hash_one(("key", number));
        let insert = |key, proof: u64| {
            let proof = memory.random.hash_one((key, proof));
            memory.insert(ProofId { proof, key }, at(0), at(0))
        };
        let fill = |key| {
            (0..MAX as u64)
                .take_while(|&proof| insert(key, proof).is_ok())
                .count()
        };
        assert_eq!(fill(key(1)), MAX * 4 / 5);
        assert_eq!(insert(key(1), 0), Err(ProofError::Replayed));
        assert_eq!(insert(key(1), 1_000_000), Err(ProofError::ReplayMemoryFull));
        let second = fill(key(2));
        assert_eq!(second, 160, "four fifths of what the first key has left");
        let left = MAX - memory.len();
        assert_eq!(left, 40);
        for other in 0..left as u64 {
            assert_eq!(insert(key(100 + other), 0), Ok(()), "{other}");
        }
        assert_eq!(memory.len(), MAX);
        assert_eq!(insert(key(3), 0), Err(ProofError::ReplayMemoryFull));
        assert_eq!(insert(key(2), 0), Err(ProofError::Replayed));
    }

    /// Returns the memory of the entries, in bytes: a hash has 8 and the count of a key 16, and each
    /// one control byte.
    fn capacity(memory: &ReplayMemory) -> usize {
        let of_slot = |slot: &Slot| slot.proofs.capacity() * 9 + slot.keys.capacity() * 17;
        let of_shard = |shard: &Mutex<Shard>| {
            let shard = shard.lock().unwrap();
            shard.slots.values().map(of_slot).sum::<usize>()
        };
        memory.shards.iter().map(of_shard).sum()
    }
}
