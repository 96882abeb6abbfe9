//! What operators are told about one issuer's keys.

use std::time::Duration;

use super::jwks::IgnoredKey;

/// Where a key set stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeySetState {
    /// No fetch has succeeded yet: requests wait for one, and are answered with 503.
    Empty,
    /// Younger than what its response granted.
    Fresh,
    /// Older than that, because fetches fail or because it came from disk; it serves.
    Stale,
    /// Older than `max_stale`: requests wait for a fetch, and are answered with 503.
    Expired,
    /// Came with the configuration and never ages.
    Fixed,
}

impl KeySetState {
    /// Every phase.
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
    pub const fn serves(self) -> bool {
        matches!(self, Self::Fresh | Self::Stale | Self::Fixed)
    }
}

/// One issuer's keys, for `/health`, `/metrics` and `check`. Holds nothing secret.
#[derive(Debug, Clone)]
pub struct KeySetStatus {
    /// The issuer's name in the configuration.
    pub issuer: String,
    /// Where the set stands.
    pub state: KeySetState,
    /// The number of the set's content; 0 before the first.
    pub generation: u64,
    /// How many keys are usable.
    pub keys: usize,
    /// Their names, cut to 120 characters and free of control characters; `None` for a key without
    /// one.
    pub kids: Vec<Option<String>>,
    /// The keys of the set that are not used, with the reasons.
    pub skipped: Vec<IgnoredKey>,
    /// The time since the last success, across a restart where the set came from disk. `None`
    /// before the first, and for fixed keys.
    pub age: Option<Duration>,
    /// What the last attempt failed with; `None` when it succeeded.
    pub last_error: Option<String>,
    /// By how many seconds this machine's clock was ahead of the server's at the last success;
    /// negative when it was behind. `None` when the server did not say, and for fixed keys.
    pub clock_ahead_seconds: Option<i64>,
    /// The time to the next attempt; `None` while one is in flight, and for fixed keys.
    pub next_attempt_in: Option<Duration>,
    /// Attempts by outcome, in a fixed order.
    pub fetches: Vec<(&'static str, u64)>,
    /// Requests for unknown keys by outcome, in a fixed order.
    pub unknown_keys: Vec<(&'static str, u64)>,
}

impl KeySetStatus {
    /// `empty`, `fresh`, `stale`, `expired` or `fixed`.
    pub fn state(&self) -> &'static str {
        self.state.name()
    }

    /// Attempts that have finished, whatever their outcome.
    pub fn attempts(&self) -> u64 {
        self.fetches.iter().map(|(_, count)| count).sum()
    }
}
