//! Limits concurrent operations per key.

use std::{
    collections::HashMap,
    hash::Hash,
    num::NonZeroU32,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Grants up to a fixed number of permits per key.
///
/// Keys without permits are removed, so the table holds at most one entry per operation in
/// progress.
#[derive(Debug)]
pub struct ConcurrencyLimiter<K> {
    max: NonZeroU32,
    in_use: Arc<Mutex<HashMap<K, u32>>>,
}

/// A permit for one operation of a key. Dropping it releases the permit.
#[derive(Debug)]
pub struct Permit<K: Hash + Eq> {
    key: K,
    in_use: Arc<Mutex<HashMap<K, u32>>>,
}

impl<K: Hash + Eq + Copy> ConcurrencyLimiter<K> {
    /// Creates a limiter that grants `max` permits per key.
    pub fn new(max: NonZeroU32) -> Self {
        Self {
            max,
            in_use: Arc::default(),
        }
    }

    /// Acquires a permit, or returns `None` if `key` already holds the maximum. Does not wait.
    pub fn try_acquire(&self, key: K) -> Option<Permit<K>> {
        let mut in_use = lock(&self.in_use);
        let count = in_use.entry(key).or_insert(0);
        if *count >= self.max.get() {
            return None;
        }
        *count += 1;
        Some(Permit {
            key,
            in_use: Arc::clone(&self.in_use),
        })
    }
}

impl<K: Hash + Eq> Drop for Permit<K> {
    fn drop(&mut self) {
        let mut in_use = lock(&self.in_use);
        if let Some(count) = in_use.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                in_use.remove(&self.key);
            }
        }
    }
}

/// Ignores poisoning: no code panics while it holds the lock, so the map is always consistent.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two_per_key() -> ConcurrencyLimiter<&'static str> {
        ConcurrencyLimiter::new(NonZeroU32::new(2).expect("not zero"))
    }

    #[test]
    fn grants_the_maximum_until_a_permit_is_released() {
        let limiter = two_per_key();
        let (first, second) = (limiter.try_acquire("ada"), limiter.try_acquire("ada"));
        assert!(first.is_some() && second.is_some());
        assert!(limiter.try_acquire("ada").is_none());
        assert!(
            limiter.try_acquire("bob").is_some(),
            "each key has its own permits"
        );
        drop(first);
        let third = limiter.try_acquire("ada");
        assert!(third.is_some() && limiter.try_acquire("ada").is_none());
    }

    #[test]
    fn removes_keys_without_permits() {
        let limiter = two_per_key();
        let permits = [
            limiter.try_acquire("ada"),
            limiter.try_acquire("ada"),
            limiter.try_acquire("ada"),
            limiter.try_acquire("bob"),
        ];
        assert_eq!(lock(&limiter.in_use).len(), 2);
        drop(permits);
        assert!(lock(&limiter.in_use).is_empty());
    }
}
