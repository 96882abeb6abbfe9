//! The `[revocation]` section.

use std::time::Duration;

use bearward::RevocationConfig;

use super::{
    raw::{boolean, integer},
    section::{Reported, Section},
    units::duration,
};

/// How tokens are rejected before they expire.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Revocation {
    /// Whether the revocation list is loaded and can be changed.
    pub enabled: bool,
    /// Within which time all replicas know a new entry.
    pub interval: Duration,
    /// How long an entry is kept.
    pub retention: Duration,
    /// The maximum number of entries.
    pub max_entries: usize,
    /// Whether logout tokens of identity providers are accepted.
    pub backchannel_logout: bool,
}

impl Revocation {
    pub(super) fn read(mut section: Section<'_>) -> Result<Self, Reported> {
        let enabled = section.take("enabled", boolean);
        let interval = section.take(
            "interval",
            duration(Duration::from_millis(100)..=Duration::from_secs(60)),
        );
        let retention = section.take("retention", duration(RevocationConfig::RETENTION.range()));
        let max_entries = section.take(
            "max_entries",
            integer(RevocationConfig::MAX_ENTRIES.range()),
        );
        let backchannel_logout = section.take("backchannel_logout", boolean);
        section.finish();
        Ok(Self {
            enabled: enabled?,
            interval: interval?,
            retention: retention?,
            max_entries: max_entries?,
            backchannel_logout: backchannel_logout?,
        })
    }

    /// Returns the limits of the verifier's list.
    pub fn config(&self) -> RevocationConfig {
        RevocationConfig::default()
            .max_entries(self.max_entries)
            .retention(self.retention)
    }
}
