//! The `[rate_limit]` section.

use std::num::NonZeroU32;

use super::{
    raw::{Hint, Raw, boolean, integer},
    section::{Reported, Section},
};

/// Rate limits, counted in each process separately.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RateLimit {
    /// Whether requests are limited at all.
    pub enabled: bool,
    /// Requests per minute of one user.
    pub per_user: NonZeroU32,
    /// Rejected tokens per minute of one client address; sign-in attempts have the same limit.
    pub per_address: NonZeroU32,
    /// The number of requests that may arrive at once within these limits.
    pub burst: NonZeroU32,
    /// The number of concurrent `/api/generate` responses of one user.
    pub generations: NonZeroU32,
}

impl RateLimit {
    pub(super) fn read(mut section: Section<'_>) -> Result<Self, Reported> {
        let enabled = section.take("enabled", boolean);
        let per_user = section.take("per_user", limit);
        let per_address = section.take("per_address", limit);
        let burst = section.take("burst", limit);
        let generations = section.take("generations", limit);
        section.finish();
        Ok(Self {
            enabled: enabled?,
            per_user: per_user?,
            per_address: per_address?,
            burst: burst?,
            generations: generations?,
        })
    }
}

fn limit(raw: Raw<'_>) -> Result<NonZeroU32, Hint> {
    let value = integer(1..=1_000_000)(raw)?;
    NonZeroU32::new(value).ok_or_else(|| "write at least 1".to_owned())
}
