//! Limits and timings of the key cache: the values of the `[jwks]` section, each with its default
//! and its bounds.

use std::{
    fmt,
    path::{Path, PathBuf},
    time::Duration,
};

use url::Url;

use crate::setting::Setting;

/// Configures how JWKS documents are fetched, how long a key set is used, and how often an identity
/// provider is contacted. One configuration applies to all issuers.
///
/// [`JwksCacheConfig::default`] is suitable for production. Each value has a builder method and an
/// associated constant with its default and bounds. [`check`](Self::check) validates the values;
/// [`Builder::build`](crate::Builder::build) calls it.
///
/// ```
/// use std::time::Duration;
///
/// use bearward::JwksCacheConfig;
///
/// let config = JwksCacheConfig::default()
///     .max_stale(Duration::from_secs(24 * 60 * 60))
///     .snapshot_dir("/var/lib/bearward/keys");
/// assert!(config.check().is_ok());
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct JwksCacheConfig {
    pub(super) default_ttl: Duration,
    pub(super) min_ttl: Duration,
    pub(super) max_ttl: Duration,
    pub(super) max_stale: Duration,
    pub(super) refetch_cooldown: Duration,
    pub(super) refetch_burst: u32,
    pub(super) connect_timeout: Duration,
    pub(super) timeout: Duration,
    pub(super) wait_timeout: Duration,
    pub(super) max_bytes: usize,
    pub(super) max_keys: usize,
    pub(super) allow_http: bool,
    pub(super) ca_file: Option<PathBuf>,
    pub(super) proxy: Option<Url>,
    pub(super) snapshot_dir: Option<PathBuf>,
}

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);
const WEEK: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Defaults and bounds.
impl JwksCacheConfig {
    /// [`default_ttl`](Self::default_ttl): 10 minutes; 1 second to 7 days, and between
    /// [`min_ttl`](Self::min_ttl) and [`max_ttl`](Self::max_ttl).
    pub const DEFAULT_TTL: Setting<Duration> =
        Setting::new(Duration::from_secs(10 * 60), SECOND, WEEK);

    /// [`min_ttl`](Self::min_ttl): 60 seconds; 1 second to 7 days.
    pub const MIN_TTL: Setting<Duration> = Setting::new(MINUTE, SECOND, WEEK);

    /// [`max_ttl`](Self::max_ttl): 1 hour; 1 second to 7 days.
    pub const MAX_TTL: Setting<Duration> = Setting::new(HOUR, SECOND, WEEK);

    /// [`max_stale`](Self::max_stale): 6 hours; 1 second to 7 days, and not below
    /// [`max_ttl`](Self::max_ttl).
    pub const MAX_STALE: Setting<Duration> =
        Setting::new(Duration::from_secs(6 * 60 * 60), SECOND, WEEK);

    /// [`refetch_cooldown`](Self::refetch_cooldown): 10 seconds; 1 second to 1 hour.
    pub const REFETCH_COOLDOWN: Setting<Duration> =
        Setting::new(Duration::from_secs(10), SECOND, HOUR);

    /// [`refetch_burst`](Self::refetch_burst): 2; 0 to 100.
    pub const REFETCH_BURST: Setting<u32> = Setting::new(2, 0, 100);

    /// [`connect_timeout`](Self::connect_timeout): 2 seconds; 10 milliseconds to 1 minute.
    pub const CONNECT_TIMEOUT: Setting<Duration> =
        Setting::new(Duration::from_secs(2), Duration::from_millis(10), MINUTE);

    /// [`timeout`](Self::timeout): 5 seconds; 10 milliseconds to 1 minute, and not below
    /// [`connect_timeout`](Self::connect_timeout).
    pub const TIMEOUT: Setting<Duration> =
        Setting::new(Duration::from_secs(5), Duration::from_millis(10), MINUTE);

    /// [`wait_timeout`](Self::wait_timeout): 2 seconds; 0 to 1 minute.
    pub const WAIT_TIMEOUT: Setting<Duration> =
        Setting::new(Duration::from_secs(2), Duration::ZERO, MINUTE);

    /// [`max_bytes`](Self::max_bytes): 128 KiB; 1 KiB to 4 MiB.
    pub const MAX_BYTES: Setting<usize> = Setting::new(128 << 10, 1 << 10, 4 << 20);

    /// [`max_keys`](Self::max_keys): 100; 1 to 1000.
    pub const MAX_KEYS: Setting<usize> = Setting::new(100, 1, 1000);
}

impl Default for JwksCacheConfig {
    fn default() -> Self {
        Self {
            default_ttl: Self::DEFAULT_TTL.default,
            min_ttl: Self::MIN_TTL.default,
            max_ttl: Self::MAX_TTL.default,
            max_stale: Self::MAX_STALE.default,
            refetch_cooldown: Self::REFETCH_COOLDOWN.default,
            refetch_burst: Self::REFETCH_BURST.default,
            connect_timeout: Self::CONNECT_TIMEOUT.default,
            timeout: Self::TIMEOUT.default,
            wait_timeout: Self::WAIT_TIMEOUT.default,
            max_bytes: Self::MAX_BYTES.default,
            max_keys: Self::MAX_KEYS.default,
            allow_http: false,
            ca_file: None,
            proxy: None,
            snapshot_dir: None,
        }
    }
}

impl JwksCacheConfig {
    /// Sets how long a key set is fresh if its response has no freshness lifetime, or says
    /// `no-cache` or `no-store` ([`DEFAULT_TTL`](Self::DEFAULT_TTL)).
    #[must_use]
    pub fn default_ttl(mut self, ttl: Duration) -> Self {
        self.default_ttl = ttl;
        self
    }

    /// Sets the lower limit of a response's freshness lifetime ([`MIN_TTL`](Self::MIN_TTL)).
    #[must_use]
    pub fn min_ttl(mut self, ttl: Duration) -> Self {
        self.min_ttl = ttl;
        self
    }

    /// Sets the upper limit of a response's freshness lifetime ([`MAX_TTL`](Self::MAX_TTL)). A key
    /// that the issuer removes is accepted for at most this long while fetches succeed.
    #[must_use]
    pub fn max_ttl(mut self, ttl: Duration) -> Self {
        self.max_ttl = ttl;
        self
    }

    /// Sets how long the last fetched key set is used while every fetch fails
    /// ([`MAX_STALE`](Self::MAX_STALE)). Afterwards requests with the issuer's tokens receive 503.
    #[must_use]
    pub fn max_stale(mut self, age: Duration) -> Self {
        self.max_stale = age;
        self
    }

    /// Sets how often one more fetch for an unknown key id is allowed after the burst
    /// ([`REFETCH_COOLDOWN`](Self::REFETCH_COOLDOWN)).
    #[must_use]
    pub fn refetch_cooldown(mut self, cooldown: Duration) -> Self {
        self.refetch_cooldown = cooldown;
        self
    }

    /// Sets how many fetches for unknown key ids may follow each other without a pause
    /// ([`REFETCH_BURST`](Self::REFETCH_BURST)). With 0 a key set is fetched on schedule only.
    #[must_use]
    pub fn refetch_burst(mut self, fetches: u32) -> Self {
        self.refetch_burst = fetches;
        self
    }

    /// Sets the time limit of name resolution, TCP and TLS together
    /// ([`CONNECT_TIMEOUT`](Self::CONNECT_TIMEOUT)).
    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Sets the time limit of fetching one document, from the first connection to the last byte,
    /// including the immediate retry ([`TIMEOUT`](Self::TIMEOUT)).
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets how long a request waits for a fetch before it receives 503
    /// ([`WAIT_TIMEOUT`](Self::WAIT_TIMEOUT)).
    #[must_use]
    pub fn wait_timeout(mut self, timeout: Duration) -> Self {
        self.wait_timeout = timeout;
        self
    }

    /// Sets the maximum size of a document in bytes ([`MAX_BYTES`](Self::MAX_BYTES)). Reading stops
    /// at the limit.
    #[must_use]
    pub fn max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// Sets the maximum number of keys in a set, usable or not ([`MAX_KEYS`](Self::MAX_KEYS)). A
    /// larger set counts as a failed fetch.
    #[must_use]
    pub fn max_keys(mut self, keys: usize) -> Self {
        self.max_keys = keys;
        self
    }

    /// Accepts plain `http` for hosts other than loopback. Off by default.
    ///
    /// # Security
    /// Anyone who can answer such a request can replace the keys and impersonate any user.
    #[must_use]
    pub fn allow_http(mut self, allow: bool) -> Self {
        self.allow_http = allow;
        self
    }

    /// Returns whether plain `http` is accepted for hosts other than loopback.
    pub fn allows_http(&self) -> bool {
        self.allow_http
    }

    /// Trusts the certificate authorities in this PEM file in addition to those of the system.
    #[must_use]
    pub fn ca_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.ca_file = Some(path.into());
        self
    }

    /// Sends every fetch through this proxy, except fetches from loopback hosts.
    ///
    /// Without it no proxy is used: `HTTPS_PROXY` and similar variables are ignored, because a
    /// variable that was set for another program must not decide where keys come from.
    #[must_use]
    pub fn proxy(mut self, proxy: Url) -> Self {
        self.proxy = Some(proxy);
        self
    }

    /// Stores the last fetched key sets in this folder, so that a process that restarts during an
    /// outage can verify tokens. The folder is created with mode 0700 if it does not exist.
    ///
    /// # Security
    /// Anyone who can write to the folder can replace the keys and impersonate any user.
    #[must_use]
    pub fn snapshot_dir(mut self, path: impl Into<PathBuf>) -> Self {
        self.snapshot_dir = Some(path.into());
        self
    }

    /// Returns the folder set by [`snapshot_dir`](Self::snapshot_dir).
    pub fn snapshots(&self) -> Option<&Path> {
        self.snapshot_dir.as_deref()
    }

    /// Checks that every value lies within its bounds and that the values fit together.
    ///
    /// # Errors
    /// Returns the first value that does not fit. Files and URLs are not checked.
    pub fn check(&self) -> Result<(), JwksCacheConfigError> {
        for (key, value, setting) in [
            ("default_ttl", self.default_ttl, Self::DEFAULT_TTL),
            ("min_ttl", self.min_ttl, Self::MIN_TTL),
            ("max_ttl", self.max_ttl, Self::MAX_TTL),
            ("max_stale", self.max_stale, Self::MAX_STALE),
            (
                "refetch_cooldown",
                self.refetch_cooldown,
                Self::REFETCH_COOLDOWN,
            ),
            (
                "connect_timeout",
                self.connect_timeout,
                Self::CONNECT_TIMEOUT,
            ),
            ("timeout", self.timeout, Self::TIMEOUT),
            ("wait_timeout", self.wait_timeout, Self::WAIT_TIMEOUT),
        ] {
            if !setting.range().contains(&value) {
                return Err(JwksCacheConfigError::Duration {
                    key,
                    min: setting.min,
                    max: setting.max,
                });
            }
        }
        for (key, value, range) in [
            (
                "refetch_burst",
                u64::from(self.refetch_burst),
                Self::REFETCH_BURST.min.into()..=Self::REFETCH_BURST.max.into(),
            ),
            (
                "max_bytes",
                self.max_bytes as u64,
                Self::MAX_BYTES.min as u64..=Self::MAX_BYTES.max as u64,
            ),
            (
                "max_keys",
                self.max_keys as u64,
                Self::MAX_KEYS.min as u64..=Self::MAX_KEYS.max as u64,
            ),
        ] {
            if !range.contains(&value) {
                return Err(JwksCacheConfigError::Number {
                    key,
                    min: *range.start(),
                    max: *range.end(),
                });
            }
        }
        match self.conflicts().next() {
            Some((smaller, larger)) => Err(JwksCacheConfigError::Conflict { smaller, larger }),
            None => Ok(()),
        }
    }

    /// Returns the pairs of settings, by name, of which the first is longer than the second but
    /// must not be.
    pub fn conflicts(&self) -> impl Iterator<Item = (&'static str, &'static str)> + use<> {
        let min_ttl = ("min_ttl", self.min_ttl);
        let default_ttl = ("default_ttl", self.default_ttl);
        let max_ttl = ("max_ttl", self.max_ttl);
        let max_stale = ("max_stale", self.max_stale);
        let connect_timeout = ("connect_timeout", self.connect_timeout);
        let timeout = ("timeout", self.timeout);
        [
            (min_ttl, default_ttl),
            (default_ttl, max_ttl),
            (max_ttl, max_stale),
            (connect_timeout, timeout),
        ]
        .into_iter()
        .filter(|((_, smaller), (_, larger))| smaller > larger)
        .map(|((smaller, _), (larger, _))| (smaller, larger))
    }
}

/// Shows only the host of the proxy, because its URL may hold a password.
impl fmt::Debug for JwksCacheConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwksCacheConfig")
            .field("default_ttl", &self.default_ttl)
            .field("min_ttl", &self.min_ttl)
            .field("max_ttl", &self.max_ttl)
            .field("max_stale", &self.max_stale)
            .field("refetch_cooldown", &self.refetch_cooldown)
            .field("refetch_burst", &self.refetch_burst)
            .field("connect_timeout", &self.connect_timeout)
            .field("timeout", &self.timeout)
            .field("wait_timeout", &self.wait_timeout)
            .field("max_bytes", &self.max_bytes)
            .field("max_keys", &self.max_keys)
            .field("allow_http", &self.allow_http)
            .field("ca_file", &self.ca_file)
            .field("proxy", &self.proxy.as_ref().map(Url::host_str))
            .field("snapshot_dir", &self.snapshot_dir)
            .finish()
    }
}

/// A value of [`JwksCacheConfig`] that does not fit. Names are those of the `[jwks]` section.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JwksCacheConfigError {
    /// A duration is out of its bounds.
    #[error("{key} must be from {min:?} to {max:?}")]
    Duration {
        /// The name of the setting.
        key: &'static str,
        /// The smallest accepted value.
        min: Duration,
        /// The largest accepted value.
        max: Duration,
    },
    /// A number is out of its bounds.
    #[error("{key} must be from {min} to {max}")]
    Number {
        /// The name of the setting.
        key: &'static str,
        /// The smallest accepted value.
        min: u64,
        /// The largest accepted value.
        max: u64,
    },
    /// A duration is longer than one that limits it.
    #[error("{smaller} must not be longer than {larger}")]
    Conflict {
        /// The name of the setting that is too long.
        smaller: &'static str,
        /// The name of the setting that limits it.
        larger: &'static str,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_valid() {
        assert_eq!(JwksCacheConfig::default().check(), Ok(()));
    }

    #[test]
    fn each_bound_is_inclusive() {
        let config = JwksCacheConfig::default;
        let duration = |key, setting: Setting<Duration>| JwksCacheConfigError::Duration {
            key,
            min: setting.min,
            max: setting.max,
        };
        let conflict = |smaller, larger| JwksCacheConfigError::Conflict { smaller, larger };
        let cases = [
            (
                config().min_ttl(SECOND),
                config().min_ttl(SECOND / 2),
                duration("min_ttl", JwksCacheConfig::MIN_TTL),
            ),
            (
                config().max_stale(WEEK),
                config().max_stale(WEEK + SECOND),
                duration("max_stale", JwksCacheConfig::MAX_STALE),
            ),
            (
                config().max_stale(HOUR),
                config().max_stale(Duration::from_mins(59)),
                conflict("max_ttl", "max_stale"),
            ),
            (
                config().default_ttl(HOUR),
                config().default_ttl(HOUR + SECOND),
                conflict("default_ttl", "max_ttl"),
            ),
            (
                config().default_ttl(60 * SECOND),
                config().default_ttl(59 * SECOND),
                conflict("min_ttl", "default_ttl"),
            ),
            (
                config().refetch_cooldown(SECOND),
                config().refetch_cooldown(SECOND / 2),
                duration("refetch_cooldown", JwksCacheConfig::REFETCH_COOLDOWN),
            ),
            (
                config().timeout(2 * SECOND),
                config().timeout(SECOND),
                conflict("connect_timeout", "timeout"),
            ),
            (
                config().timeout(MINUTE),
                config().timeout(MINUTE + SECOND),
                duration("timeout", JwksCacheConfig::TIMEOUT),
            ),
            (
                config().max_keys(1),
                config().max_keys(0),
                JwksCacheConfigError::Number {
                    key: "max_keys",
                    min: 1,
                    max: 1000,
                },
            ),
        ];
        for (inside, outside, error) in cases {
            assert_eq!(inside.check(), Ok(()), "{error}");
            assert_eq!(outside.check(), Err(error));
        }
    }

    #[test]
    fn debug_hides_the_password_of_the_proxy() {
        let config = JwksCacheConfig::default()
            .proxy("http://user:hunter2@proxy.example:3128".parse().unwrap());
        let shown = format!("{config:?}");
        assert!(
            shown.contains("proxy.example") && !shown.contains("hunter2"),
            "{shown}"
        );
    }
}
