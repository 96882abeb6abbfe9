//! The kids that a fresh set was just asked for and did not have.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

/// How long a kid that was not there is refused without asking again.
const LIFETIME: Duration = Duration::from_secs(30);

/// Twenty bytes or so an entry, whatever the length of the kid: entries are keyed hashes. Two kids
/// with one hash would cost the second a refusal for half a minute; the key of the hash is drawn by
/// the process, so nobody can look for such a pair.
#[derive(Debug, Default)]
pub(super) struct NegativeCache {
    until: HashMap<u64, Duration>,
    /// Every entry lives equally long, so the order of insertion is the order of expiry.
    order: VecDeque<u64>,
}

impl NegativeCache {
    /// The most entries at a time; the oldest goes first.
    pub(super) const CAPACITY: usize = 10_000;

    pub(super) fn holds(&self, kid: u64, now: Duration) -> bool {
        self.until.get(&kid).is_some_and(|until| now < *until)
    }

    pub(super) fn insert(&mut self, kid: u64, now: Duration) {
        while let Some(oldest) = self.order.front().copied() {
            let expired = self.until.get(&oldest).is_none_or(|until| *until <= now);
            if !expired && self.order.len() < Self::CAPACITY {
                break;
            }
            self.order.pop_front();
            self.until.remove(&oldest);
        }
        if let std::collections::hash_map::Entry::Vacant(entry) = self.until.entry(kid) {
            entry.insert(now + LIFETIME);
            self.order.push_back(kid);
        }
    }

    pub(super) fn clear(&mut self) {
        self.until.clear();
        self.order.clear();
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.until.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn holds_a_kid_for_thirty_seconds() {
        let mut kids = NegativeCache::default();
        kids.insert(7, at(100));
        assert!(kids.holds(7, at(129)));
        assert!(!kids.holds(7, at(130)));
        assert!(!kids.holds(8, at(100)));
    }

    #[test]
    fn a_second_insert_does_not_prolong_the_first() {
        let mut kids = NegativeCache::default();
        kids.insert(7, at(100));
        kids.insert(7, at(120));
        assert!(!kids.holds(7, at(130)));
        kids.insert(7, at(131));
        assert!(kids.holds(7, at(160)));
    }

    #[test]
    fn stays_bounded_under_a_flood_and_drops_the_oldest() {
        let mut kids = NegativeCache::default();
        let flood = u64::try_from(NegativeCache::CAPACITY).unwrap() + 5;
        for kid in 0..flood {
            kids.insert(kid, at(1));
        }
        assert_eq!(kids.len(), NegativeCache::CAPACITY);
        assert!(!kids.holds(4, at(1)) && kids.holds(5, at(1)));
        kids.insert(flood, at(31));
        assert_eq!(kids.len(), 1, "expired entries go");
    }

    #[test]
    fn clear_forgets_all() {
        let mut kids = NegativeCache::default();
        kids.insert(7, at(100));
        kids.clear();
        assert!(!kids.holds(7, at(101)));
    }
}
