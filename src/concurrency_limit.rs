//! How many things somebody may have under way at once.

use std::{
    collections::HashMap,
    hash::Hash,
    num::NonZeroU32,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// So many places for each key. Who holds none is not remembered, so there are never more keys than
/// things under way.
#[derive(Debug)]
pub struct ConcurrencyLimiter<K> {
    most: NonZeroU32,
    taken: Arc<Mutex<HashMap<K, u32>>>,
}

/// One of the places of a key; it is free again when this is dropped.
#[derive(Debug)]
pub struct Permit<K: Hash + Eq> {
    key: K,
    taken: Arc<Mutex<HashMap<K, u32>>>,
}

impl<K: Hash + Eq + Copy> ConcurrencyLimiter<K> {
    /// `most` places for each key.
    pub fn new(most: NonZeroU32) -> Self {
        Self {
            most,
            taken: Arc::default(),
        }
    }

    /// A place, or None when this key holds all of its places.
    pub fn take(&self, key: K) -> Option<Permit<K>> {
        let mut taken = lock(&self.taken);
        let places = taken.entry(key).or_insert(0);
        if *places >= self.most.get() {
            return None;
        }
        *places += 1;
        Some(Permit {
            key,
            taken: Arc::clone(&self.taken),
        })
    }
}

impl<K: Hash + Eq> Drop for Permit<K> {
    fn drop(&mut self) {
        let mut taken = lock(&self.taken);
        if let Some(places) = taken.get_mut(&self.key) {
            *places -= 1;
            if *places == 0 {
                taken.remove(&self.key);
            }
        }
    }
}

/// Nothing in here panics halfway, so what a panic elsewhere left is whole.
fn lock<T>(taken: &Mutex<T>) -> MutexGuard<'_, T> {
    taken.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two_each() -> ConcurrencyLimiter<&'static str> {
        ConcurrencyLimiter::new(NonZeroU32::new(2).expect("not zero"))
    }

    #[test]
    fn a_key_has_its_places_and_no_more_until_one_is_free() {
        let at_once = two_each();
        let (first, second) = (at_once.take("ada"), at_once.take("ada"));
        assert!(first.is_some() && second.is_some());
        assert!(at_once.take("ada").is_none());
        assert!(at_once.take("bob").is_some(), "another key has its own");
        drop(first);
        let third = at_once.take("ada");
        assert!(third.is_some() && at_once.take("ada").is_none());
    }

    #[test]
    fn who_holds_no_place_is_forgotten_also_after_a_refusal() {
        let at_once = two_each();
        let places = [
            at_once.take("ada"),
            at_once.take("ada"),
            at_once.take("ada"),
            at_once.take("bob"),
        ];
        assert_eq!(lock(&at_once.taken).len(), 2);
        drop(places);
        assert!(lock(&at_once.taken).is_empty());
    }
}
