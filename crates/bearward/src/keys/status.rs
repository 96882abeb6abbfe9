//! The state of one issuer's keys, for operators.

use std::time::Duration;

use super::{
    fetch_error::FetchError, jwks::IgnoredKey, metrics::KeySetMetrics, snapshot::Snapshot,
};
use crate::error::SanitizedText;

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

/// The state of one issuer's keys, for `/health`, `/metrics` and `check`. Contains no secrets.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct KeySetStatus {
    /// The issuer's name in the configuration.
    pub issuer: String,
    /// The state of the set.
    pub state: KeySetState,
    /// The generation of the set; 0 before the first.
    pub generation: u64,
    /// The number of usable keys.
    pub keys: usize,
    /// The key ids of the usable keys, cut to 120 characters and free of control characters; `None`
    /// for a key without `kid`.
    pub kids: Vec<Option<String>>,
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
        let kids = snapshot.keys.kids();
        Self {
            issuer: issuer.to_owned(),
            state,
            generation: snapshot.generation,
            keys: snapshot.keys.len(),
            kids: kids
                .map(|kid| kid.map(|kid| SanitizedText::new(kid).to_string()))
                .collect(),
            ignored: snapshot.ignored.to_vec(),
            age: None,
            last_error: None,
            clock_ahead_seconds: None,
            next_attempt_in: None,
            fetches: metrics.fetches(),
            unknown_keys: metrics.unknown_keys(),
        }
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
