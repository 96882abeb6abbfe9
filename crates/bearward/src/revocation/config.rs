//! The limits of the revocation list.

use std::time::Duration;

use crate::setting::Setting;

/// Configures the [`Revocations`](crate::Revocations) of a verifier.
///
/// ```
/// use std::time::Duration;
///
/// use bearward::{Bearward, RevocationConfig};
///
/// let config = RevocationConfig::default().retention(Duration::from_secs(24 * 60 * 60));
/// let builder = Bearward::builder().revocation(config);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RevocationConfig {
    pub(super) max_entries: usize,
    pub(super) retention: Duration,
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl RevocationConfig {
    /// [`max_entries`](Self::max_entries): 1,000,000; 1 to 100,000,000.
    pub const MAX_ENTRIES: Setting<usize> = Setting::new(1_000_000, 1, 100_000_000);

    /// [`retention`](Self::retention): 7 days; 1 minute to 1 year of 365.25 days.
    pub const RETENTION: Setting<Duration> = Setting::new(
        Duration::from_secs(7 * DAY.as_secs()),
        Duration::from_secs(60),
        Duration::from_secs(DAY.as_secs() * 1461 / 4),
    );

    /// Sets how many entries the lists of a verifier have together
    /// ([`MAX_ENTRIES`](Self::MAX_ENTRIES)). Values outside of the range are clamped.
    ///
    /// An entry takes less than 64 bytes. A full list refuses new entries
    /// ([`RevocationError::Full`](crate::RevocationError::Full)): no entry is removed before it
    /// expires.
    #[must_use]
    pub fn max_entries(mut self, entries: usize) -> Self {
        let range = Self::MAX_ENTRIES;
        self.max_entries = entries.clamp(range.min, range.max);
        self
    }

    /// Sets how long an entry without an expiry of its own is kept
    /// ([`RETENTION`](Self::RETENTION)). Values outside of the range are clamped.
    ///
    /// # Security
    /// It must not be shorter than the longest lifetime of a token: a token that outlives the entry
    /// is accepted again. A warning is logged when such a token is verified.
    #[must_use]
    pub fn retention(mut self, retention: Duration) -> Self {
        let range = Self::RETENTION;
        self.retention = retention.clamp(range.min, range.max);
        self
    }
}

impl Default for RevocationConfig {
    fn default() -> Self {
        Self {
            max_entries: Self::MAX_ENTRIES.default,
            retention: Self::RETENTION.default,
        }
    }
}
