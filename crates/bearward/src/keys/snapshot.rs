//! The key set in use at a moment. Every verification reads it without a lock.

use std::{ops::Deref, sync::Arc, time::Duration};

use arc_swap::Guard;

use super::{jwk::IgnoredKey, jwks::ParsedJwks};
#[cfg(feature = "remote")]
use crate::clock::Timestamp;

/// The usable keys of one issuer and their expiry. Immutable; a refresh replaces the snapshot.
#[derive(Debug, Default)]
pub struct Snapshot {
    pub(super) generation: u64,
    /// On the monotonic clock.
    pub(super) expires_at: Duration,
    pub(super) keys: Arc<ParsedJwks>,
    pub(super) ignored: Arc<[IgnoredKey]>,
    /// The wall-clock time of the last success; `None` before the first, and for fixed keys.
    #[cfg(feature = "remote")]
    pub(super) fetched_at: Option<Timestamp>,
    #[cfg(feature = "remote")]
    pub(super) validator: Option<CacheValidator>,
}

/// The ETag for the next conditional request.
#[cfg(feature = "remote")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CacheValidator {
    /// An ETag is valid only for the URL it came from.
    pub(super) url: String,
    pub(super) etag: String,
}

impl Snapshot {
    /// Creates the snapshot before the first success: generation 0, no keys, never usable.
    #[cfg(feature = "remote")]
    pub(super) fn empty() -> Self {
        Self::default()
    }

    /// Creates a snapshot of keys from the configuration, which never expires.
    pub(super) fn fixed(keys: ParsedJwks, ignored: Vec<IgnoredKey>) -> Self {
        Self {
            generation: 1,
            expires_at: Duration::MAX,
            keys: Arc::new(keys),
            ignored: ignored.into(),
            #[cfg(feature = "remote")]
            fetched_at: None,
            #[cfg(feature = "remote")]
            validator: None,
        }
    }

    /// Returns the number of this set's content. It grows only when the usable keys change, so a
    /// cached verification is valid as long as the generation is the same, and a refresh without
    /// changes invalidates nothing.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Whether the keys may be used at this monotonic time: the set is fresh or stale, not empty or
    /// expired.
    pub fn is_usable(&self, now: Duration) -> bool {
        now < self.expires_at
    }

    /// Returns the keys, even if they have expired.
    pub fn keys(&self) -> &ParsedJwks {
        &self.keys
    }

    /// Returns the keys of the set that are not used, with the reasons.
    pub fn ignored(&self) -> &[IgnoredKey] {
        &self.ignored
    }
}

/// Borrows the current [`Snapshot`]. Cheap to obtain; do not hold it across an await point.
#[derive(Debug)]
pub struct SnapshotGuard(Guard<Arc<Snapshot>>);

impl SnapshotGuard {
    pub(super) fn new(guard: Guard<Arc<Snapshot>>) -> Self {
        Self(guard)
    }
}

impl Deref for SnapshotGuard {
    type Target = Snapshot;

    fn deref(&self) -> &Snapshot {
        &self.0
    }
}
