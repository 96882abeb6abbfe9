//! One issuer's keys as they are right now: what every verification reads, without a lock.

use std::{sync::Arc, time::Duration};

use super::jwks::{IgnoredKey, ParsedJwks};
#[cfg(feature = "remote")]
use crate::clock::Timestamp;

/// The usable keys of one issuer, and until when they serve. Never changes; a refresh puts another
/// in its place.
#[derive(Debug, Default)]
pub struct Snapshot {
    pub(super) generation: u64,
    pub(super) hard: Duration,
    pub(super) keys: Arc<ParsedJwks>,
    pub(super) skipped: Arc<[IgnoredKey]>,
    /// The wall clock at the last success; `None` where there was none, and for fixed keys.
    #[cfg(feature = "remote")]
    pub(super) fetched: Option<Timestamp>,
    #[cfg(feature = "remote")]
    pub(super) validator: Option<CacheValidator>,
}

/// What lets the next fetch be answered with 304.
#[cfg(feature = "remote")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CacheValidator {
    /// An ETag says nothing about another address.
    pub(super) url: String,
    pub(super) etag: String,
}

impl Snapshot {
    /// Before the first success: generation 0, no keys, serves never.
    #[cfg(feature = "remote")]
    pub(super) fn empty() -> Self {
        Self::default()
    }

    /// Keys that came with the configuration: they serve for ever.
    pub(super) fn fixed(keys: ParsedJwks, skipped: Vec<IgnoredKey>) -> Self {
        Self {
            generation: 1,
            hard: Duration::MAX,
            keys: Arc::new(keys),
            skipped: skipped.into(),
            #[cfg(feature = "remote")]
            fetched: None,
            #[cfg(feature = "remote")]
            validator: None,
        }
    }

    /// Grows whenever the content of the usable set changes, and only then: what was verified under
    /// this number still holds exactly as long as the number does, and an unchanged refresh
    /// costs nobody anything.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Whether these keys may still be used at this time of the monotonic clock: fresh or stale,
    /// not empty, not expired.
    pub fn serves(&self, now: Duration) -> bool {
        now < self.hard
    }

    /// The keys, also when they do not serve any more.
    pub fn keys(&self) -> &ParsedJwks {
        &self.keys
    }

    /// The keys of the same set that are not used, with the reasons.
    pub fn skipped(&self) -> &[IgnoredKey] {
        &self.skipped
    }
}
