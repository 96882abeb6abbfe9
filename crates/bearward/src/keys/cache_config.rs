//! How key sets are fetched and kept: the numbers of the `[jwks]` section, each with its default
//! and its bounds.

use std::{
    fmt,
    path::{Path, PathBuf},
    time::Duration,
};

use url::Url;

/// How the key sets of all issuers are fetched, for how long they are trusted, and how hard an
/// identity provider may be asked.
///
/// [`JwksCacheConfig::default`] is what production wants; every number can be changed by the method
/// that bears its name. [`check`](Self::check) tells whether the numbers fit together; building a
/// key set calls it.
///
/// ```
/// # use std::time::Duration;
/// # use crate::keys::JwksCacheConfig;
/// let policy = JwksCacheConfig::default().max_stale(Duration::from_hours(24)).snapshot_dir("/var/lib/bearward/keys");
/// assert!(policy.check().is_ok());
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

impl Default for JwksCacheConfig {
    fn default() -> Self {
        Self {
            default_ttl: Duration::from_mins(10),
            min_ttl: Duration::from_mins(1),
            max_ttl: Duration::from_hours(1),
            max_stale: Duration::from_hours(6),
            refetch_cooldown: Duration::from_secs(30),
            refetch_burst: 2,
            connect_timeout: Duration::from_secs(2),
            timeout: Duration::from_secs(5),
            wait_timeout: Duration::from_secs(2),
            max_bytes: 128 * 1024,
            max_keys: 100,
            allow_http: false,
            ca_file: None,
            proxy: None,
            snapshot_dir: None,
        }
    }
}

impl JwksCacheConfig {
    /// How long a set is fresh when its response says nothing about it, or says `no-cache` or
    /// `no-store`. 10 minutes.
    #[must_use]
    pub fn default_ttl(mut self, ttl: Duration) -> Self {
        self.default_ttl = ttl;
        self
    }

    /// The least time a set is fresh, whatever its response says. 60 seconds; at least 1 second.
    #[must_use]
    pub fn min_ttl(mut self, ttl: Duration) -> Self {
        self.min_ttl = ttl;
        self
    }

    /// The most time a set is fresh, whatever its response says; so this is how long a removed key
    /// can live on. 1 hour.
    #[must_use]
    pub fn max_ttl(mut self, ttl: Duration) -> Self {
        self.max_ttl = ttl;
        self
    }

    /// How long the last good set serves while every fetch fails; after that its issuer's tokens
    /// are answered with 503. 6 hours; no less than [`max_ttl`](Self::max_ttl).
    #[must_use]
    pub fn max_stale(mut self, age: Duration) -> Self {
        self.max_stale = age;
        self
    }

    /// The time in which requests with unknown keys earn one more fetch. 30 seconds; at least 1
    /// second.
    #[must_use]
    pub fn refetch_cooldown(mut self, cooldown: Duration) -> Self {
        self.refetch_cooldown = cooldown;
        self
    }

    /// How many fetches requests with unknown keys can have in a row. 2; with 0 only the schedule
    /// fetches.
    #[must_use]
    pub fn refetch_burst(mut self, fetches: u32) -> Self {
        self.refetch_burst = fetches;
        self
    }

    /// The most time for name look-up, TCP and TLS together. 2 seconds.
    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// The most time for one document, from the first connection to the last byte, its quick retry
    /// included. 5 seconds.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The most time that a request waits for a fetch before it is answered with 503. 2 seconds.
    #[must_use]
    pub fn wait_timeout(mut self, timeout: Duration) -> Self {
        self.wait_timeout = timeout;
        self
    }

    /// The largest document that is read, in bytes; reading stops there. 128 KiB.
    #[must_use]
    pub fn max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// The most keys a set may have, usable or not; a longer set is a failed fetch. 100.
    #[must_use]
    pub fn max_keys(mut self, keys: usize) -> Self {
        self.max_keys = keys;
        self
    }

    /// Accepts plain `http` for hosts other than loopback. Off: whoever can answer such a request
    /// can sign in as anybody.
    #[must_use]
    pub fn allow_http(mut self, allow: bool) -> Self {
        self.allow_http = allow;
        self
    }

    /// A PEM file of certificate authorities that are trusted for key sets beside the machine's
    /// own.
    #[must_use]
    pub fn ca_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.ca_file = Some(path.into());
        self
    }

    /// The proxy for every fetch that does not go to a loopback host. Without it there is none: the
    /// environment's `HTTPS_PROXY` and its kin are not read, because a variable meant for
    /// another program must not decide where keys come from.
    #[must_use]
    pub fn proxy(mut self, proxy: Url) -> Self {
        self.proxy = Some(proxy);
        self
    }

    /// The folder for the last good sets, so that a restart during an outage still verifies tokens.
    /// Made with mode 0700 when it is not there. Whoever can write in it can sign in as
    /// anybody.
    #[must_use]
    pub fn snapshot_dir(mut self, path: impl Into<PathBuf>) -> Self {
        self.snapshot_dir = Some(path.into());
        self
    }

    /// The folder given by [`snapshot_dir`](Self::snapshot_dir).
    pub fn snapshots(&self) -> Option<&Path> {
        self.snapshot_dir.as_deref()
    }

    /// Whether the numbers fit together.
    ///
    /// # Errors
    /// [`JwksCacheConfigError`] names the first number that does not fit. Files and addresses are
    /// not looked at here.
    pub fn check(&self) -> Result<(), JwksCacheConfigError> {
        let second = Duration::from_secs(1);
        let bad = |key, problem| Err(JwksCacheConfigError { key, problem });
        match () {
            () if self.min_ttl < second => bad("min_ttl", "must be at least 1s"),
            () if self.max_ttl < self.min_ttl => bad("max_ttl", "must not be below min_ttl"),
            () if self.default_ttl < self.min_ttl => {
                bad("default_ttl", "must not be below min_ttl")
            }
            () if self.default_ttl > self.max_ttl => {
                bad("default_ttl", "must not be above max_ttl")
            }
            () if self.max_stale < self.max_ttl => bad("max_stale", "must not be below max_ttl"),
            () if self.max_stale > LONGEST => bad("max_stale", "must not be above 365 days"),
            () if self.refetch_cooldown < second => bad("refetch_cooldown", "must be at least 1s"),
            () if self.refetch_cooldown > LONGEST => {
                bad("refetch_cooldown", "must not be above 365 days")
            }
            () if self.connect_timeout.is_zero() => bad("connect_timeout", "must not be 0"),
            () if self.timeout < self.connect_timeout => {
                bad("timeout", "must not be below connect_timeout")
            }
            () if self.timeout > SLOWEST => bad("timeout", "must not be above 60s"),
            () if self.wait_timeout > SLOWEST => bad("join_timeout", "must not be above 60s"),
            () if self.max_bytes == 0 => bad("max_bytes", "must not be 0"),
            () if self.max_keys == 0 => bad("max_keys", "must not be 0"),
            () => Ok(()),
        }
    }
}

/// Keeps sums of durations far from overflow.
const LONGEST: Duration = Duration::from_hours(365 * 24);

/// A request that waits longer has lost its client.
const SLOWEST: Duration = Duration::from_mins(1);

/// The proxy's address can hold a password, so only its host is shown.
impl fmt::Debug for JwksCacheConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyPolicy")
            .field("default_ttl", &self.default_ttl)
            .field("min_ttl", &self.min_ttl)
            .field("max_ttl", &self.max_ttl)
            .field("max_stale", &self.max_stale)
            .field("refetch_cooldown", &self.refetch_cooldown)
            .field("refetch_burst", &self.refetch_burst)
            .field("connect_timeout", &self.connect_timeout)
            .field("timeout", &self.timeout)
            .field("join_timeout", &self.wait_timeout)
            .field("max_bytes", &self.max_bytes)
            .field("max_keys", &self.max_keys)
            .field("allow_http", &self.allow_http)
            .field("ca_file", &self.ca_file)
            .field("proxy", &self.proxy.as_ref().map(Url::host_str))
            .field("snapshot_dir", &self.snapshot_dir)
            .finish()
    }
}

/// A number of [`JwksCacheConfig`] that does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{key} {problem}")]
pub struct JwksCacheConfigError {
    /// The setting, by its name in the `[jwks]` section.
    pub key: &'static str,
    /// What it would have to be.
    pub problem: &'static str,
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn the_defaults_fit_together() {
        assert_eq!(JwksCacheConfig::default().check(), Ok(()));
    }

    #[test]
    fn each_bound_has_an_inside_and_an_outside() {
        let hour = Duration::from_hours(1);
        let cases = [
            (
                "min_ttl",
                JwksCacheConfig::default().min_ttl(SECOND),
                JwksCacheConfig::default().min_ttl(SECOND / 2),
            ),
            (
                "max_stale",
                JwksCacheConfig::default().max_stale(hour),
                JwksCacheConfig::default().max_stale(Duration::from_mins(59)),
            ),
            (
                "default_ttl",
                JwksCacheConfig::default().default_ttl(hour),
                JwksCacheConfig::default().default_ttl(hour + SECOND),
            ),
            (
                "default_ttl",
                JwksCacheConfig::default().default_ttl(60 * SECOND),
                JwksCacheConfig::default().default_ttl(59 * SECOND),
            ),
            (
                "refetch_cooldown",
                JwksCacheConfig::default().refetch_cooldown(SECOND),
                JwksCacheConfig::default().refetch_cooldown(SECOND / 2),
            ),
            (
                "timeout",
                JwksCacheConfig::default().timeout(2 * SECOND),
                JwksCacheConfig::default().timeout(SECOND),
            ),
            (
                "max_keys",
                JwksCacheConfig::default().max_keys(1),
                JwksCacheConfig::default().max_keys(0),
            ),
        ];
        for (key, inside, outside) in cases {
            assert_eq!(inside.check(), Ok(()), "{key}");
            assert_eq!(outside.check().map_err(|error| error.key), Err(key));
        }
    }

    #[test]
    fn the_password_of_a_proxy_is_not_shown() {
        let policy = JwksCacheConfig::default()
            .proxy("http://user:hunter2@proxy.example:3128".parse().unwrap());
        let shown = format!("{policy:?}");
        assert!(
            shown.contains("proxy.example") && !shown.contains("hunter2"),
            "{shown}"
        );
    }
}
