//! A key set of one issuer: fixed by the configuration, or fetched and refreshed.

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwap;

use super::{
    JwksCacheConfig,
    jwks::{JwksError, ParsedJwks},
    metrics::{KeySetMetrics, UnknownKeyOutcome},
    pending::{PendingKeys, UnknownKeyDecision},
    snapshot::{Snapshot, SnapshotGuard},
    status::{KeySetState, KeySetStatus},
};
#[cfg(feature = "remote")]
use super::{
    attempt::{AttemptOutcome, JwksLocation, JwksSource},
    cache_config::JwksCacheConfigError,
    credentials::FetchCredentials,
    endpoint::UrlError,
    fetch::Fetch,
    refresh::{self, TaskHandle},
    remote::RemoteKeySet,
};
use crate::algorithm::Algorithm;
#[cfg(feature = "remote")]
use crate::clock::Clock;

/// A key set of one issuer, which may have several. Clones are cheap and share the same set.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum KeySet {
    /// Keys from the configuration. They never expire and nothing is fetched.
    Fixed(Arc<FixedKeySet>),
    /// Keys that a background task fetches and refreshes.
    #[cfg(feature = "remote")]
    Remote(RefreshedKeySet),
}

/// A key set from the configuration.
#[derive(Debug)]
pub struct FixedKeySet {
    issuer: String,
    snapshot: ArcSwap<Snapshot>,
    metrics: KeySetMetrics,
}

/// A remote key set and the task that refreshes it. The task stops when the last clone is dropped.
#[cfg(feature = "remote")]
#[derive(Debug, Clone)]
pub struct RefreshedKeySet {
    keys: Arc<RemoteKeySet>,
    _task: Arc<TaskHandle>,
}

/// The source of one issuer's remote keys.
#[cfg(feature = "remote")]
#[derive(Debug, Clone)]
pub struct RemoteJwks {
    /// The issuer's name in the configuration, used in metrics, logs and the name of the file in
    /// `snapshot_dir`.
    pub name: String,
    /// Distinguishes this key set from others of the issuer in metrics, logs and reports. `None` if
    /// it is the only one.
    pub label: Option<String>,
    /// The issuer identifier, exactly as in its tokens and its metadata.
    pub issuer: String,
    /// The URL of the JWKS, or how it is found.
    pub location: JwksLocation,
    /// The algorithms whose keys are usable.
    pub algorithms: Vec<Algorithm>,
    /// The files with the credentials for the fetch.
    pub credentials: FetchCredentials,
}

/// Why a remote key set cannot be built.
#[cfg(feature = "remote")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RemoteJwksError {
    /// A setting is out of range.
    #[error(transparent)]
    Config(#[from] JwksCacheConfigError),
    /// The JWKS URL, or the issuer as the base of its metadata URL, is not allowed.
    #[error("the JWKS URL {0}")]
    Url(#[from] UrlError),
    /// The call was made outside a tokio runtime.
    #[error("remote keys need a tokio runtime; build the key set inside one")]
    NoRuntime,
}

impl KeySet {
    /// Creates a key set from a JWKS in the configuration, from a file or inline.
    ///
    /// `issuer` is the issuer's name in metrics and messages. Unusable keys are ignored, as in a
    /// fetched set.
    ///
    /// # Errors
    /// [`JwksError`]: the document is not a JWK Set (RFC 7517 §5), has more than `max_keys` keys,
    /// or has no usable key.
    pub fn fixed(
        issuer: &str,
        document: &[u8],
        algorithms: &[Algorithm],
        config: &JwksCacheConfig,
    ) -> Result<Self, JwksError> {
        let (keys, ignored) = ParsedJwks::parse(document, algorithms, config.max_keys)?;
        let set = Self::Fixed(Arc::new(FixedKeySet {
            issuer: issuer.to_owned(),
            snapshot: ArcSwap::from_pointee(Snapshot::fixed(keys, ignored)),
            metrics: KeySetMetrics::new(issuer, None, []),
        }));
        set.publish_metrics();
        Ok(set)
    }

    /// Creates a key set that is fetched and refreshed by a task on the current tokio runtime.
    ///
    /// The first fetch starts immediately and is not awaited. If the configuration has a
    /// `snapshot_dir`, the set stored there is used until the first fetch succeeds. The task stops
    /// when the last clone of this set is dropped or the runtime shuts down.
    ///
    /// # Errors
    /// [`RemoteJwksError`]: a setting is out of range, the URL is not allowed, or there is no tokio
    /// runtime. An unreachable server is not an error here: the set stays empty until a fetch
    /// succeeds.
    #[cfg(feature = "remote")]
    pub fn remote(
        jwks: RemoteJwks,
        config: &JwksCacheConfig,
        clock: Arc<dyn Clock>,
        fetch: Arc<dyn Fetch>,
    ) -> Result<Self, RemoteJwksError> {
        config.check()?;
        let runtime =
            tokio::runtime::Handle::try_current().map_err(|_| RemoteJwksError::NoRuntime)?;
        let (name, label) = (jwks.name.clone(), jwks.label.clone());
        let source = JwksSource::new(jwks, config, fetch)?;
        let metrics = KeySetMetrics::new(&name, label.as_deref(), AttemptOutcome::labels());
        let keys = Arc::new(RemoteKeySet::new(name, label, config, clock, metrics));
        let task = refresh::start(&runtime, Arc::clone(&keys), source, config);
        let set = Self::Remote(RefreshedKeySet {
            keys,
            _task: Arc::new(task),
        });
        set.publish_metrics();
        Ok(set)
    }

    /// Returns the issuer's name in the configuration.
    pub fn issuer(&self) -> &str {
        match self {
            Self::Fixed(set) => &set.issuer,
            #[cfg(feature = "remote")]
            Self::Remote(set) => set.keys.issuer(),
        }
    }

    /// Returns the current snapshot. Check [`Snapshot::is_usable`] before using its keys.
    pub fn load(&self) -> SnapshotGuard {
        match self {
            Self::Fixed(set) => SnapshotGuard::new(set.snapshot.load()),
            #[cfg(feature = "remote")]
            Self::Remote(set) => set.keys.load(),
        }
    }

    /// Decides what to do with a request whose key is missing, or whose key set is not usable.
    ///
    /// `kid` and `algorithm` come from the token's header; `now` is the monotonic time.
    ///
    /// # Security
    /// This may start a fetch. Before calling it, reject tokens that cannot be valid: check the
    /// format, the issuer, the algorithm, the length of `kid` and the unverified `exp`.
    pub fn unknown_key(
        &self,
        kid: Option<&str>,
        algorithm: Algorithm,
        now: Duration,
    ) -> UnknownKeyDecision {
        match self {
            Self::Fixed(set) => set.unknown_key(kid, algorithm, now),
            #[cfg(feature = "remote")]
            Self::Remote(set) => set.keys.unknown_key(kid, algorithm, now),
        }
    }

    /// Decides what to do with a token whose signature does not verify under a known key.
    ///
    /// Usually returns `None`. If `checked` is older than `refetch_cooldown` and the rate limit
    /// allows it, a fetch is started, because some identity providers replace a key and keep its
    /// `kid`. Verify the signature again only if the returned snapshot has another
    /// [`generation`](Snapshot::generation); otherwise the signature stays invalid.
    pub fn bad_signature(&self, checked: &Snapshot, now: Duration) -> Option<PendingKeys> {
        match self {
            Self::Fixed(set) => set.bad_signature(checked, now),
            #[cfg(feature = "remote")]
            Self::Remote(set) => set.keys.bad_signature(checked, now),
        }
    }

    /// Waits until the first fetch has finished, successfully or not. Fixed keys need no wait.
    pub async fn wait_for_initial_fetch(&self) {
        match self {
            Self::Fixed(_) => std::future::ready(()).await,
            #[cfg(feature = "remote")]
            Self::Remote(set) => set.keys.attempt_finished(1).await,
        }
    }

    /// Returns the state of the set.
    pub fn status(&self) -> KeySetStatus {
        match self {
            Self::Fixed(set) => set.status(),
            #[cfg(feature = "remote")]
            Self::Remote(set) => set.keys.status(),
        }
    }

    /// Sets the gauges `bearward_jwks_state`, `_age_seconds`, `_keys` and `_keys_ignored`. Call it
    /// before metrics are scraped: age and state change without an event.
    pub fn publish_metrics(&self) {
        let metrics = match self {
            Self::Fixed(set) => &set.metrics,
            #[cfg(feature = "remote")]
            Self::Remote(set) => set.keys.metrics(),
        };
        metrics.publish(&self.status());
    }
}

impl FixedKeySet {
    fn unknown_key(
        &self,
        _kid: Option<&str>,
        _algorithm: Algorithm,
        _now: Duration,
    ) -> UnknownKeyDecision {
        self.metrics.unknown_key(UnknownKeyOutcome::Missing);
        UnknownKeyDecision::Reject
    }

    #[expect(clippy::unused_self, reason = "the same signature as a remote key set")]
    fn bad_signature(&self, _checked: &Snapshot, _now: Duration) -> Option<PendingKeys> {
        None
    }

    fn status(&self) -> KeySetStatus {
        KeySetStatus::new(
            &self.issuer,
            KeySetState::Fixed,
            &self.snapshot.load(),
            &self.metrics,
        )
    }
}
