//! The `[generate]` section: the service that `POST /api/generate` calls with the user's API key.

use std::time::Duration;

use url::Url;

use super::{
    address::https_or_loopback_url,
    section::{Reported, Section},
    units::duration,
};

/// An OpenAI-compatible chat completion service.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Generate {
    /// The base URL. Must be https (or loopback), because the user's API key is sent there.
    pub base_url: Url,
    /// The model that is used if a request names none.
    pub model: String,
    /// The time limit of a response. For a streamed response it is the limit between two events, and
    /// the whole stream may take ten times as long.
    pub timeout: Duration,
}

impl Generate {
    pub(super) fn read(mut section: Section<'_>) -> Result<Self, Reported> {
        let base_url = section.take("base_url", https_or_loopback_url);
        let model = section.take("model", |raw| raw.text().map(str::to_owned));
        let timeout = section.take(
            "timeout",
            duration(Duration::from_secs(1)..=Duration::from_mins(10)),
        );
        section.finish();
        Ok(Self {
            base_url: base_url?,
            model: model?,
            timeout: timeout?,
        })
    }
}
