//! What a key endpoint can do to people.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How the key endpoint misbehaves. The default behaves: 200, `Cache-Control: public, max-age=600`,
/// `ETag`, 304 on `If-None-Match`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Faults {
    /// This status instead of the key set; a 3xx goes with [`redirect_to`](Self::redirect_to).
    pub status: Option<u16>,
    /// `Location`, for a status of 3xx.
    pub redirect_to: Option<String>,
    /// `Retry-After`, in seconds.
    pub retry_after: Option<u64>,
    /// This text instead of the key set.
    pub body: Option<String>,
    /// That many spaces before the key set: still JSON, only larger.
    pub padding_bytes: Option<usize>,
    /// `Cache-Control` instead of the usual one; empty for none.
    pub cache_control: Option<String>,
    /// `Age`, in seconds.
    pub age: Option<u64>,
    /// No `ETag`.
    pub no_etag: bool,
    /// Milliseconds before the answer begins.
    pub delay_ms: Option<u64>,
    /// The answer begins when [`MockIdp::release`](super::MockIdp::release) says so.
    pub hang: bool,
    /// The connection ends in the middle of the answer.
    pub cut: bool,
    /// This text instead of the discovery document. It says nothing about the key set, and `times`
    /// does not count it.
    pub discovery: Option<String>,
    /// How many requests are treated so; all of them unless set.
    pub times: Option<usize>,
}

impl Faults {
    /// 503 to everybody.
    pub fn outage() -> Self {
        Self {
            status: Some(503),
            ..Self::default()
        }
    }

    /// This status to everybody.
    pub fn status(status: u16) -> Self {
        Self {
            status: Some(status),
            ..Self::default()
        }
    }

    /// This text instead of a key set.
    pub fn body(body: impl Into<String>) -> Self {
        Self {
            body: Some(body.into()),
            ..Self::default()
        }
    }

    /// A redirect to this address.
    pub fn redirect(to: impl Into<String>) -> Self {
        Self {
            status: Some(302),
            redirect_to: Some(to.into()),
            ..Self::default()
        }
    }

    /// No answer until released.
    pub fn hang() -> Self {
        Self {
            hang: true,
            ..Self::default()
        }
    }

    /// Another `Cache-Control`.
    pub fn cache_control(value: impl Into<String>) -> Self {
        Self {
            cache_control: Some(value.into()),
            ..Self::default()
        }
    }

    /// This text instead of the discovery document; the key set is as usual.
    pub fn discovery(document: impl Into<String>) -> Self {
        Self {
            discovery: Some(document.into()),
            ..Self::default()
        }
    }

    /// The same for the next `times` requests alone.
    #[must_use]
    pub fn times(mut self, times: usize) -> Self {
        self.times = Some(times);
        self
    }

    /// Returns the delay before each response.
    pub fn delay(&self) -> Option<Duration> {
        self.delay_ms.map(Duration::from_millis)
    }
}
