//! The `[rate_limit]` section.

use std::num::NonZeroU32;

use super::{
    raw::{Hint, Raw, integer, switch},
    section::{Reported, Section},
};

/// How often somebody may ask.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RateLimit {
    /// Whether requests are counted.
    pub enabled: bool,
    /// Requests a minute of one user, whose token is good.
    pub per_user: NonZeroU32,
    /// Refused tokens and attempts to sign in, a minute, of one client address.
    pub per_address: NonZeroU32,
    /// How many of them may come at once, within those.
    pub burst: NonZeroU32,
    /// Answers of `/api/generate` that one user may have under way at once.
    pub generations: NonZeroU32,
}

impl RateLimit {
    pub(super) fn read(mut section: Section<'_>) -> Result<Self, Reported> {
        let enabled = section.take("enabled", switch);
        let per_user = section.take("per_user", count);
        let per_address = section.take("per_address", count);
        let burst = section.take("burst", count);
        let generations = section.take("generations", count);
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

fn count(raw: Raw<'_>) -> Result<NonZeroU32, Hint> {
    let value = integer(1..=1_000_000)(raw)?;
    NonZeroU32::new(value).ok_or_else(|| "write at least 1".to_owned())
}
