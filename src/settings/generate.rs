//! The `[generate]` section: the service that `POST /api/generate` calls with the user's own key.

use std::time::Duration;

use url::Url;

use super::{
    address::safe_url,
    section::{Reported, Section},
    units::duration,
};

/// An OpenAI-compatible chat service.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Generate {
    /// Its root; https, because the user's key travels there.
    pub base_url: Url,
    /// The model when a request names none.
    pub model: String,
    /// How long one answer may take; of a streamed one, how long it may be silent, and a tenth of
    /// how long it may take.
    pub timeout: Duration,
}

impl Generate {
    pub(super) fn read(mut section: Section<'_>) -> Result<Self, Reported> {
        let base_url = section.take("base_url", safe_url);
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
