//! The hash table of one list.

use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use foldhash::fast::RandomState;

use super::hash::EntryKey;

/// Entries in shards, so that a change blocks few lookups, and those for a short time. Lookups happen
/// only after a change of the list.
#[derive(Debug)]
pub(super) struct Table {
    shards: Vec<RwLock<Shard>>,
}

/// Entries of a new table, to replace all entries of a [`Table`].
#[derive(Debug)]
pub(super) struct TableContents(Vec<Shard>);

const SHARDS: usize = 64;

#[derive(Debug, Default)]
struct Shard {
    entries: HashMap<EntryKey, Entry, RandomState>,
    /// The session that a subject's entry excludes. Few entries have one.
    exemptions: HashMap<EntryKey, Exemption, RandomState>,
}

/// 24 bytes with its key.
#[derive(Debug, Clone, Copy)]
struct Entry {
    /// In seconds since 1970.
    expires_at: u32,
    /// The last second of issue that is revoked; `u32::MAX` for entries without a limit.
    issued_before: u32,
}

/// A session whose tokens are revoked up to another second of issue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Exemption {
    session: EntryKey,
    /// `-1` if none are.
    issued_before: i64,
}

/// Which tokens an entry rejects, and until when.
#[derive(Debug, Clone, Copy)]
pub(super) struct EntryValue {
    pub(super) expires_at: i64,
    /// The last second of issue that is revoked; `None` for all.
    pub(super) issued_before: Option<i64>,
    pub(super) except_session: Option<EntryKey>,
}

/// The effect of adding an entry.
#[derive(Debug, Clone, Copy)]
pub(super) struct Inserted {
    /// The change of the number of entries, negative if expired ones were removed to make room.
    pub(super) len_change: isize,
    /// Whether tokens may be rejected that were not rejected before.
    pub(super) rejects_more: bool,
}

/// What an entry is compared with.
#[derive(Debug, Clone, Copy)]
pub(super) struct TokenFacts {
    /// In seconds since 1970; `None` counts as issued before any time.
    pub(super) issued_at: Option<i64>,
    pub(super) session: Option<EntryKey>,
}

/// The last second of issue that is revoked, for each session. The maximum of two bounds is a bound
/// again, so the order in which entries are added does not matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Bound {
    issued_before: u32,
    exemption: Option<Exemption>,
}

impl Bound {
    fn for_session(&self, session: Option<EntryKey>) -> i64 {
        match self.exemption {
            Some(exemption) if Some(exemption.session) == session => exemption.issued_before,
            _ => i64::from(self.issued_before),
        }
    }

    /// Returns the maximum for each session. At most one session can be below the common bound: the
    /// exemption of the lower bound is covered by the other one.
    fn max(self, other: Self) -> Self {
        let issued_before = self.issued_before.max(other.issued_before);
        let exemption = [self.exemption, other.exemption]
            .into_iter()
            .flatten()
            .map(|Exemption { session, .. }| Exemption {
                session,
                issued_before: self
                    .for_session(Some(session))
                    .max(other.for_session(Some(session))),
            })
            .find(|exemption| exemption.issued_before < i64::from(issued_before));
        Self {
            issued_before,
            exemption,
        }
    }
}

impl Table {
    pub(super) fn new() -> Self {
        let shards = (0..SHARDS).map(|_| RwLock::default());
        Self {
            shards: shards.collect(),
        }
    }

    /// Returns whether the entry with this key rejects a token.
    pub(super) fn rejects(&self, key: EntryKey, token: TokenFacts, now: i64) -> bool {
        let shard = self.read(key);
        let Some(entry) = shard.entries.get(&key) else {
            return false;
        };
        let issued_at = token
            .issued_at
            .map_or(0, |seconds| i64::from(clamp(seconds)));
        now < i64::from(entry.expires_at)
            && issued_at <= shard.bound(key, *entry).for_session(token.session)
    }

    /// Adds an entry, or extends the entry with the same key.
    pub(super) fn insert(&self, key: EntryKey, value: EntryValue, now: i64) -> Inserted {
        self.write(key).insert(key, value, now)
    }

    pub(super) fn contains(&self, key: EntryKey) -> bool {
        self.read(key).entries.contains_key(&key)
    }

    pub(super) fn remove(&self, key: EntryKey) -> bool {
        let mut shard = self.write(key);
        shard.exemptions.remove(&key);
        shard.entries.remove(&key).is_some()
    }

    /// Removes the expired entries and returns their number.
    pub(super) fn purge(&self, now: i64) -> usize {
        let purge = |shard: &RwLock<Shard>| {
            shard
                .write()
                .unwrap_or_else(PoisonError::into_inner)
                .purge(now)
        };
        self.shards.iter().map(purge).sum()
    }

    /// Replaces the entries. A lookup finds either the old or the new entry of a key.
    pub(super) fn replace(&self, contents: TableContents) {
        for (shard, new) in self.shards.iter().zip(contents.0) {
            // The old entries are dropped after the lock is released.
            let _old = std::mem::replace(
                &mut *shard.write().unwrap_or_else(PoisonError::into_inner),
                new,
            );
        }
    }

    fn read(&self, key: EntryKey) -> RwLockReadGuard<'_, Shard> {
        self.shards[key.shard(SHARDS)]
            .read()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, key: EntryKey) -> RwLockWriteGuard<'_, Shard> {
        self.shards[key.shard(SHARDS)]
            .write()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl TableContents {
    pub(super) fn new() -> Self {
        Self((0..SHARDS).map(|_| Shard::default()).collect())
    }

    pub(super) fn insert(&mut self, key: EntryKey, value: EntryValue, now: i64) -> Inserted {
        self.0[key.shard(SHARDS)].insert(key, value, now)
    }

    pub(super) fn contains(&self, key: EntryKey) -> bool {
        self.0[key.shard(SHARDS)].entries.contains_key(&key)
    }
}

impl Shard {
    fn bound(&self, key: EntryKey, entry: Entry) -> Bound {
        Bound {
            issued_before: entry.issued_before,
            exemption: if self.exemptions.is_empty() {
                None
            } else {
                self.exemptions.get(&key).copied()
            },
        }
    }

    fn insert(&mut self, key: EntryKey, value: EntryValue, now: i64) -> Inserted {
        let removed = if self.entries.len() == self.entries.capacity() {
            self.purge(now)
        } else {
            0
        };
        let expires_at = clamp(value.expires_at);
        let bound = Bound {
            issued_before: value.issued_before.map_or(u32::MAX, clamp),
            exemption: value.except_session.map(|session| Exemption {
                session,
                issued_before: -1,
            }),
        };
        let existing = self.entries.get(&key).copied();
        let live = existing.filter(|entry| now < i64::from(entry.expires_at));
        let old = live.map(|entry| self.bound(key, entry));
        let bound = old.map_or(bound, |old| old.max(bound));
        let entry = Entry {
            expires_at: live.map_or(expires_at, |entry| entry.expires_at.max(expires_at)),
            issued_before: bound.issued_before,
        };
        self.entries.insert(key, entry);
        match bound.exemption {
            Some(exemption) => self.exemptions.insert(key, exemption),
            None => self.exemptions.remove(&key),
        };
        Inserted {
            len_change: isize::from(existing.is_none())
                - isize::try_from(removed).unwrap_or(isize::MAX),
            rejects_more: old != Some(bound),
        }
    }

    fn purge(&mut self, now: i64) -> usize {
        let before = self.entries.len();
        self.entries
            .retain(|_, entry| now < i64::from(entry.expires_at));
        let entries = &self.entries;
        self.exemptions.retain(|key, _| entries.contains_key(key));
        before - self.entries.len()
    }
}

/// Converts seconds since 1970 to the range of `u32`, which ends in the year 2106.
fn clamp(seconds: i64) -> u32 {
    u32::try_from(seconds.max(0)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::revocation::{RevocationKind, hash::EntryHasher};

    #[test]
    fn an_entry_has_24_bytes() {
        assert_eq!(size_of::<(EntryKey, Entry)>(), 24);
    }

    /// Each added entry with its bound for a session, computed one by one.
    fn expected(entries: &[(i64, Option<u8>)], session: u8) -> i64 {
        entries
            .iter()
            .map(|(before, except)| {
                if *except == Some(session) {
                    -1
                } else {
                    *before
                }
            })
            .max()
            .unwrap_or(-1)
    }

    proptest! {
        #[test]
        fn merged_entries_reject_what_one_of_them_rejects(
            entries in prop::collection::vec((0_i64..6, prop::option::of(0_u8..3)), 1..6)
        ) {
            let hasher = EntryHasher::default();
            let session = |id: u8| hasher.key(RevocationKind::Session, "i", &id.to_string());
            let key = hasher.key(RevocationKind::Subject, "i", "ada");
            let table = Table::new();
            for (before, except) in &entries {
                let value = EntryValue {
                    expires_at: 100,
                    issued_before: Some(*before),
                    except_session: except.map(session),
                };
                table.insert(key, value, 0);
            }
            for id in 0..4 {
                for issued_at in 0..8 {
                    let token = TokenFacts { issued_at: Some(issued_at), session: Some(session(id)) };
                    prop_assert_eq!(
                        table.rejects(key, token, 0),
                        issued_at <= expected(&entries, id)
                    );
                }
            }
        }
    }
}
