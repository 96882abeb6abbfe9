//! The `[rate_limit]` section.

use super::{
    raw::{integer, switch},
    section::{Section, Told},
};

/// How often somebody may ask.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RateLimit {
    /// Whether requests are counted.
    pub enabled: bool,
    /// Requests a minute of one subject.
    pub per_user: u32,
    /// Requests a minute of one address, before authentication.
    pub per_address: u32,
    /// Requests that may come at once, within those.
    pub burst: u32,
}

impl RateLimit {
    pub(super) fn read(mut section: Section<'_>) -> Result<Self, Told> {
        let enabled = section.take("enabled", switch);
        let per_user = section.take("per_user", integer(1..=1_000_000));
        let per_address = section.take("per_address", integer(1..=1_000_000));
        let burst = section.take("burst", integer(1..=1_000_000));
        section.finish();
        Ok(Self { enabled: enabled?, per_user: per_user?, per_address: per_address?, burst: burst? })
    }
}
