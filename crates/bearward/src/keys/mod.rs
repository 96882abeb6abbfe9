//! The key cache: the public keys of each issuer, fresh, bounded, and there when the identity
//! provider is not.
//!
//! A [`KeySet`] belongs to one issuer. Reading it takes no lock and waits for nothing; a task of
//! its own keeps it fresh, so that no request pays for a refresh. [`JwksCacheConfig`] holds the
//! numbers.
//!
//! | state | when | a known key | an unknown key |
//! |---|---|---|---|
//! | empty | before the first success | joins the fetch for up to 2 s, else 503 | the same |
//! | fresh | age below what the response granted | serves | may cause a fetch |
//! | stale | older, because fetches fail | serves | may cause a fetch; 503 while they fail |
//! | expired | `max_stale` after the last success | joins the fetch for up to 2 s, else 503 | as empty |
//!
//! A successful fetch replaces the set whole: a removed key dies at once, also for tokens that were
//! verified before. A failed one never takes anything away.

use std::{ops::Deref, sync::Arc, time::Duration};

use arc_swap::{ArcSwap, Guard};

use self::metrics::{UnknownKeyOutcome, VerificationMetrics};
use crate::{algorithm::Algorithm, error::SanitizedText};

mod cache_config;
mod jwks;
mod key;
mod metrics;
mod pending;
mod snapshot;
mod status;

#[cfg(feature = "remote")]
mod attempt;
#[cfg(feature = "remote")]
mod backoff;
#[cfg(feature = "remote")]
mod discovery;
#[cfg(feature = "remote")]
mod endpoint;
#[cfg(feature = "remote")]
mod fetch;
#[cfg(feature = "remote")]
mod freshness;
#[cfg(feature = "remote")]
mod http;
#[cfg(feature = "remote")]
mod negative_cache;
#[cfg(feature = "remote")]
mod refresh;
#[cfg(feature = "remote")]
mod remote;
#[cfg(feature = "remote")]
mod scheduler;
#[cfg(feature = "remote")]
mod snapshot_file;
#[cfg(feature = "remote")]
mod token_bucket;

#[doc(hidden)]
pub use self::freshness::retry_after;
pub use self::{
    cache_config::{JwksCacheConfig, JwksCacheConfigError},
    jwks::{IgnoreReason, IgnoredKey, KeyLookup, ParsedJwks, SetError},
    key::VerificationKey,
    pending::{PendingKeys, Unavailable, UnknownKeyDecision},
    snapshot::Snapshot,
    status::{KeySetState, KeySetStatus},
};
#[cfg(feature = "remote")]
pub use self::{
    endpoint::{UrlError, is_loopback, key_url},
    fetch::{Failure, Fetch, FetchError, FetchRequest, Fetched, Fetching},
    freshness::Freshness,
    http::{HttpFetch, HttpFetchError},
    remote::{RemoteJwks, RemoteJwksError},
};

/// The keys of one issuer. Cloning is cheap, and all clones are the same set.
#[derive(Debug, Clone)]
pub struct KeySet {
    shared: Arc<Shared>,
    /// Ends the fetching task with the last clone.
    #[cfg(feature = "remote")]
    _refresh: Option<Arc<refresh::TaskHandle>>,
}

#[derive(Debug)]
struct Shared {
    issuer: String,
    current: ArcSwap<Snapshot>,
    counters: VerificationMetrics,
    /// `None` for fixed keys.
    #[cfg(feature = "remote")]
    remote: Option<remote::RemoteKeySet>,
}

impl KeySet {
    /// Keys that came with the configuration, from a file or inline. They never age and nothing is
    /// ever fetched.
    ///
    /// `issuer` is the issuer's name for metrics and messages. Unusable keys are skipped, as in a
    /// fetched set.
    ///
    /// # Errors
    /// [`SetError`]: the document is no JWK Set (RFC 7517 §5), has more keys than the policy reads, or no usable one.
    pub fn fixed(
        issuer: &str,
        document: &[u8],
        allowed: &[Algorithm],
        policy: &JwksCacheConfig,
    ) -> Result<Self, SetError> {
        let (keys, skipped) = ParsedJwks::parse(document, allowed, policy.max_keys)?;
        let shared = Shared {
            issuer: issuer.to_owned(),
            current: ArcSwap::from_pointee(Snapshot::fixed(keys, skipped)),
            counters: VerificationMetrics::new(issuer, []),
            #[cfg(feature = "remote")]
            remote: None,
        };
        let set = Self {
            shared: Arc::new(shared),
            #[cfg(feature = "remote")]
            _refresh: None,
        };
        set.status();
        Ok(set)
    }

    /// The issuer's name in the configuration.
    pub fn issuer(&self) -> &str {
        &self.shared.issuer
    }

    /// The keys right now. Ask [`Snapshot::serves`] before using them.
    pub fn current(&self) -> SnapshotGuard {
        SnapshotGuard(self.shared.current.load())
    }

    /// What to do for a request whose set does not serve or does not hold its key. `kid` and
    /// `algorithm` are what the token names; `now` is the monotonic clock.
    ///
    /// May cause a fetch, so the caller has made sure before that the token could be good at all:
    /// its form, its issuer, its algorithm, the length of `kid`, its expiry.
    #[cfg_attr(
        not(feature = "remote"),
        allow(unused_variables, reason = "fixed keys are never fetched")
    )]
    pub fn unknown_key(
        &self,
        kid: Option<&str>,
        algorithm: Algorithm,
        now: Duration,
    ) -> UnknownKeyDecision {
        #[cfg(feature = "remote")]
        if let Some(remote) = &self.shared.remote {
            return remote.unknown_key(&self.shared, kid, algorithm, now);
        }
        self.shared.counters.unknown_key(UnknownKeyOutcome::Missing);
        UnknownKeyDecision::Refuse
    }

    /// What to do for a signature that is wrong under a key that is there: usually nothing. Where
    /// `checked` is older than the cooldown and the limits allow it, a fetch, for identity
    /// providers that put a new key under an old kid.
    ///
    /// The signature is worth a second look only if the flight ends with another
    /// [`Snapshot::generation`]; whatever else it ends with, the first verdict stands.
    #[cfg_attr(
        not(feature = "remote"),
        allow(
            unused_variables,
            clippy::unused_self,
            reason = "fixed keys are never fetched"
        )
    )]
    pub fn bad_signature(&self, checked: &Snapshot, now: Duration) -> Option<PendingKeys> {
        #[cfg(feature = "remote")]
        if let Some(remote) = &self.shared.remote {
            return remote.bad_signature(&self.shared, checked, now);
        }
        None
    }

    /// Waits until the first attempt has finished, whatever its outcome. At once for fixed keys.
    #[cfg_attr(
        not(feature = "remote"),
        allow(clippy::unused_async, reason = "fixed keys are never fetched")
    )]
    pub async fn wait_for_initial_fetch(&self) {
        #[cfg(feature = "remote")]
        if let Some(remote) = &self.shared.remote {
            remote.finished(1).await;
        }
    }

    /// Where the set stands. Sets the gauges `bearward_jwks_state`, `_age_seconds`, `_keys` and
    /// `_keys_skipped` as well, so call it before metrics are scraped.
    pub fn status(&self) -> KeySetStatus {
        let snapshot = self.shared.current.load();
        let status = KeySetStatus {
            issuer: self.shared.issuer.clone(),
            state: KeySetState::Fixed,
            generation: snapshot.generation,
            keys: snapshot.keys.len(),
            kids: snapshot
                .keys
                .kids()
                .map(|kid| kid.map(|kid| SanitizedText::of(kid).to_string()))
                .collect(),
            skipped: snapshot.skipped.to_vec(),
            age: None,
            last_error: None,
            clock_ahead_seconds: None,
            next_attempt_in: None,
            fetches: self.shared.counters.fetches(),
            unknown_keys: self.shared.counters.unknown_keys(),
        };
        #[cfg(feature = "remote")]
        let status = match &self.shared.remote {
            Some(remote) => remote.complete(status),
            None => status,
        };
        self.shared.counters.publish(&status);
        status
    }
}

/// A [`Snapshot`] that is held while it is looked at. Cheap to get; not to be kept across an await.
#[derive(Debug)]
pub struct SnapshotGuard(Guard<Arc<Snapshot>>);

impl Deref for SnapshotGuard {
    type Target = Snapshot;

    fn deref(&self) -> &Snapshot {
        &self.0
    }
}

#[cfg(test)]
#[cfg(feature = "remote")]
mod tests;
#[cfg(test)]
mod vectors;
