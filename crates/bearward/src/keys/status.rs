//! The state of a key set, for operators.

use std::time::Duration;

use super::{
    fetch_error::FetchError, jwk::IgnoredKey, key::VerificationKey, metrics::KeySetMetrics,
    snapshot::Snapshot,
};
use crate::{algorithm::Algorithm, error::SanitizedText};

/// The state of a key set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeySetState {
    /// No fetch has succeeded yet. Requests wait for the fetch, else they receive 503.
    Empty,
    /// Younger than its freshness lifetime.
    Fresh,
    /// Past its freshness lifetime, because fetches fail or because the set came from disk. Still
    /// usable.
    Stale,
    /// Older than `max_stale`. Requests wait for the fetch, else they receive 503.
    Expired,
    /// From the configuration; never expires.
    Fixed,
}

impl KeySetState {
    /// Every state.
    pub const ALL: [Self; 5] = [
        Self::Empty,
        Self::Fresh,
        Self::Stale,
        Self::Expired,
        Self::Fixed,
    ];

    /// The label in `/health`, metrics and logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Fresh => "fresh",
            Self::Stale => "stale",
            Self::Expired => "expired",
            Self::Fixed => "fixed",
        }
    }

    /// Whether tokens can be verified.
    pub const fn is_usable(self) -> bool {
        matches!(self, Self::Fresh | Self::Stale | Self::Fixed)
    }
}

/// A usable key of a [`KeySetStatus`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct UsableKey {
    /// The key id, cut to 120 characters and free of control characters; `None` for a key without
    /// `kid`.
    pub kid: Option<String>,
    /// The algorithms whose signatures the key verifies.
    pub algorithms: Vec<Algorithm>,
    /// Whether the key has the fingerprint of keys that a vulnerable library generated, see
    /// [`VerificationKey::has_roca_fingerprint`]. Such a key is used, because it may be a false
    /// alarm.
    pub has_roca_fingerprint: bool,
}

impl UsableKey {
    fn new(key: &VerificationKey) -> Self {
        Self {
            kid: key.kid().map(|kid| SanitizedText::new(kid).to_string()),
            algorithms: key.algorithms().collect(),
            has_roca_fingerprint: key.has_roca_fingerprint(),
        }
    }
}

/// The state of one key set, for `/health`, `/metrics` and `check`. Contains no secrets.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct KeySetStatus {
    /// The issuer's name in the configuration.
    pub issuer: String,
    /// The URL of the key set without its query, if the issuer has several.
    pub label: Option<String>,
    /// The state of the set.
    pub state: KeySetState,
    /// The generation of the set; 0 before the first.
    pub generation: u64,
    /// The number of usable keys.
    pub keys: usize,
    /// The usable keys, in the order of the document.
    pub usable: Vec<UsableKey>,
    /// The keys of the set that are not used, with the reasons.
    pub ignored: Vec<IgnoredKey>,
    /// The time since the last success, across a restart if the set came from disk. `None` before
    /// the first success, and for fixed keys.
    pub age: Option<Duration>,
    /// The failure of the last attempt; `None` if it succeeded.
    pub last_error: Option<FetchError>,
    /// How many seconds this machine's clock was ahead of the server's at the last success;
    /// negative if it was behind. `None` if the server sent no `Date`, and for fixed keys.
    pub clock_ahead_seconds: Option<i64>,
    /// The time to the next attempt; `None` while one is in flight, and for fixed keys.
    pub next_attempt_in: Option<Duration>,
    /// Finished attempts by outcome, in a fixed order.
    pub fetches: Vec<(&'static str, u64)>,
    /// Requests for unknown keys by outcome, in a fixed order.
    pub unknown_keys: Vec<(&'static str, u64)>,
}

impl KeySetStatus {
    /// The state of a set that is not fetched. A remote set fills in the other fields.
    pub(super) fn new(
        issuer: &str,
        state: KeySetState,
        snapshot: &Snapshot,
        metrics: &KeySetMetrics,
    ) -> Self {
        Self {
            issuer: issuer.to_owned(),
            label: None,
            state,
            generation: snapshot.generation,
            keys: snapshot.keys.len(),
            usable: snapshot.keys.iter().map(UsableKey::new).collect(),
            ignored: snapshot.ignored.to_vec(),
            age: None,
            last_error: None,
            clock_ahead_seconds: None,
            next_attempt_in: None,
            fetches: metrics.fetches(),
            unknown_keys: metrics.unknown_keys(),
        }
    }

    /// Iterates over the key ids of the usable keys.
    pub fn kids(&self) -> impl Iterator<Item = Option<&str>> {
        self.usable.iter().map(|key| key.kid.as_deref())
    }

    /// Returns `empty`, `fresh`, `stale`, `expired` or `fixed`.
    pub fn state(&self) -> &'static str {
        self.state.name()
    }

    /// Returns the number of finished attempts, successful or not.
    pub fn attempts(&self) -> u64 {
        self.fetches.iter().map(|(_, count)| count).sum()
    }
}
