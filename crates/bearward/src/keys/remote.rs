//! A key set that is fetched, as requests see it: what they read, what they ask, what they wait
//! for.

use std::{
    future::{Future, poll_fn},
    hash::{BuildHasher, RandomState},
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Poll,
    time::Duration,
};

use arc_swap::ArcSwap;
use tokio::sync::{Notify, watch};
use url::Url;

use super::{
    JwksCacheConfig, JwksCacheConfigError, KeySet, Shared,
    attempt::JwksSource,
    endpoint::UrlError,
    fetch::Fetch,
    jwks::KeyLookup,
    metrics::{UnknownKeyOutcome, VerificationMetrics},
    pending::{PendingKeys, Unavailable, UnknownKeyDecision},
    refresh::{self, Outcome},
    scheduler::{AttemptTicket, Decision, NoFetchReason, RefreshScheduler},
    snapshot::Snapshot,
    status::KeySetStatus,
};
use crate::{algorithm::Algorithm, clock::Clock};

/// Where one issuer's keys are fetched from.
#[derive(Debug, Clone)]
pub struct RemoteJwks {
    /// The issuer's name in the configuration, for metrics, messages and the file in
    /// `snapshot_dir`.
    pub name: String,
    /// The issuer as its tokens and its metadata spell it.
    pub issuer: String,
    /// Where its keys are. `None`: its metadata tell (OpenID Connect Discovery 1.0).
    pub jwks_url: Option<Url>,
    /// The algorithms whose keys are usable.
    pub algorithms: Vec<Algorithm>,
}

impl KeySet {
    /// Keys that are fetched. The first fetch begins at once in a task on the current tokio
    /// runtime, and so does, where the policy names a `snapshot_dir`, the use of the set that
    /// was stored there; nothing waits for either.
    ///
    /// The task lives as long as a clone of this set and as long as the runtime.
    ///
    /// # Errors
    /// [`RemoteJwksError`]: the policy's numbers do not fit together, the address may not be fetched from, or there is no tokio runtime. That
    /// nothing answers at the address is no error: the set is empty until something does.
    pub fn remote(
        keys: RemoteJwks,
        policy: &JwksCacheConfig,
        clock: Arc<dyn Clock>,
        fetch: Arc<dyn Fetch>,
    ) -> Result<Self, RemoteJwksError> {
        policy.check()?;
        let runtime =
            tokio::runtime::Handle::try_current().map_err(|_| RemoteJwksError::NoRuntime)?;
        let RemoteJwks {
            name,
            issuer,
            jwks_url,
            algorithms,
        } = keys;
        let source = JwksSource::new(issuer, jwks_url, algorithms, policy, fetch)?;
        let shared = Arc::new(Shared {
            current: ArcSwap::from_pointee(Snapshot::empty()),
            counters: VerificationMetrics::new(&name, Outcome::names()),
            issuer: name,
            remote: Some(RemoteKeySet {
                state: Mutex::new(RefreshScheduler::new(policy, clock.monotonic())),
                told: Mutex::default(),
                finished: watch::Sender::new(0),
                wake: Notify::new(),
                hasher: RandomState::new(),
                wait_timeout: policy.wait_timeout,
                clock,
            }),
        });
        let running = refresh::start(&runtime, &shared, source, policy);
        let set = Self {
            shared,
            _refresh: running.map(Arc::new),
        };
        set.status();
        Ok(set)
    }
}

/// Why a key set cannot be fetched at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RemoteJwksError {
    /// The numbers do not fit together.
    #[error(transparent)]
    Policy(#[from] JwksCacheConfigError),
    /// The address of the keys, or the issuer as the address of its metadata, breaks a rule.
    #[error("the address of the keys {0}")]
    Url(#[from] UrlError),
    /// Not called within a tokio runtime.
    #[error("keys are fetched by a task, which needs a tokio runtime: build within one")]
    NoRuntime,
}

/// What the requests and the fetching task of one issuer share.
#[derive(Debug)]
pub(super) struct RemoteKeySet {
    state: Mutex<RefreshScheduler>,
    told: Mutex<Diagnostics>,
    /// The number of the last attempt that finished.
    pub(super) finished: watch::Sender<u64>,
    pub(super) wake: Notify,
    hasher: RandomState,
    wait_timeout: Duration,
    pub(super) clock: Arc<dyn Clock>,
}

/// What only operators want to know.
#[derive(Debug, Clone, Default)]
pub(super) struct Diagnostics {
    pub(super) last_error: Option<String>,
    pub(super) clock_ahead_seconds: Option<i64>,
}

impl RemoteKeySet {
    /// The snapshot is replaced only while this is held, so what is looked up under it is not out
    /// of date.
    pub(super) fn state(&self) -> MutexGuard<'_, RefreshScheduler> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn told(&self) -> MutexGuard<'_, Diagnostics> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) async fn finished(&self, attempt: u64) {
        // The sender lives in self, so the channel cannot be closed.
        drop(
            self.finished
                .subscribe()
                .wait_for(|finished| *finished >= attempt)
                .await,
        );
    }

    pub(super) fn unknown_key(
        &self,
        shared: &Arc<Shared>,
        kid: Option<&str>,
        algorithm: Algorithm,
        now: Duration,
    ) -> UnknownKeyDecision {
        let deadline = now.saturating_add(self.wait_timeout);
        let hash = self.hasher.hash_one((kid, algorithm));
        let mut state = self.state();
        if let Some(snapshot) = found(shared, kid, algorithm, now) {
            return UnknownKeyDecision::Join(PendingKeys::landed(snapshot));
        }
        let serves = state.state(now).serves();
        let answer = state.ask(hash, now, deadline);
        drop(state);
        match answer {
            Decision::Refuse(refusal) => {
                shared.counters.unknown_key(refusal.into());
                UnknownKeyDecision::Refuse
            }
            Decision::Unavailable(retry_after) => {
                if serves {
                    shared.counters.unknown_key(UnknownKeyOutcome::Unavailable);
                }
                UnknownKeyDecision::Unavailable(Unavailable { retry_after })
            }
            Decision::Join(ticket) => {
                self.wake_for(ticket);
                let wanted = KeyRequest {
                    kid: kid.map(Into::into),
                    algorithm,
                    hash,
                    serves,
                    deadline,
                };
                UnknownKeyDecision::Join(PendingKeys::new(wait(Arc::clone(shared), wanted, ticket)))
            }
        }
    }

    pub(super) fn bad_signature(
        &self,
        shared: &Arc<Shared>,
        checked: &Snapshot,
        now: Duration,
    ) -> Option<PendingKeys> {
        let mut state = self.state();
        let current = shared.current.load_full();
        if current.generation != checked.generation {
            return Some(PendingKeys::landed(current));
        }
        let ticket = state.ask_after_bad_signature(now)?;
        drop(state);
        self.wake_for(ticket);
        let deadline = now.saturating_add(self.wait_timeout);
        let shared = Arc::clone(shared);
        Some(PendingKeys::new(async move {
            let Some(remote) = &shared.remote else {
                return Ok(current);
            };
            let finished = remote.finished_by(ticket.attempt, deadline).await;
            let latest = shared.current.load_full();
            let changed = latest.generation != current.generation;
            if finished || changed {
                Ok(latest)
            } else {
                Err(remote.unavailable())
            }
        }))
    }

    /// Adds what only this part knows.
    pub(super) fn complete(&self, status: KeySetStatus) -> KeySetStatus {
        let now = self.clock.monotonic();
        let Diagnostics {
            last_error,
            clock_ahead_seconds,
        } = self.told().clone();
        let state = self.state();
        let (phase, age, next_attempt_in) =
            (state.state(now), state.age(now), state.next_attempt_in(now));
        KeySetStatus {
            state: phase,
            age,
            last_error,
            clock_ahead_seconds,
            next_attempt_in,
            ..status
        }
    }

    fn wake_for(&self, ticket: AttemptTicket) {
        if ticket.wake {
            self.wake.notify_one();
        }
    }

    async fn finished_by(&self, attempt: u64, deadline: Duration) -> bool {
        first(self.finished(attempt), self.clock.sleep_until(deadline)).await
    }

    fn unavailable(&self) -> Unavailable {
        Unavailable {
            retry_after: self.state().retry_after(self.clock.monotonic()),
        }
    }
}

/// What a waiting request is after.
struct KeyRequest {
    kid: Option<Box<str>>,
    algorithm: Algorithm,
    hash: u64,
    /// The set served when the request asked, so it counts as one for an unknown key and not as
    /// one that came too early.
    serves: bool,
    deadline: Duration,
}

async fn wait(
    shared: Arc<Shared>,
    wanted: KeyRequest,
    mut ticket: AttemptTicket,
) -> Result<Arc<Snapshot>, Unavailable> {
    let count = |outcome| shared.counters.unknown_key(outcome);
    let count_if_served = |outcome| wanted.serves.then(|| shared.counters.unknown_key(outcome));
    let Some(remote) = &shared.remote else {
        return Ok(shared.current.load_full());
    };
    loop {
        let finished = remote.finished_by(ticket.attempt, wanted.deadline).await;
        let now = remote.clock.monotonic();
        let mut state = remote.state();
        // Also when the time is over: the set is there a moment before the attempt is called
        // finished.
        if let Some(snapshot) = found(&shared, wanted.kid.as_deref(), wanted.algorithm, now) {
            count_if_served(UnknownKeyOutcome::Refreshed);
            return Ok(snapshot);
        }
        if !finished {
            count_if_served(UnknownKeyOutcome::Unavailable);
            return Err(Unavailable {
                retry_after: state.retry_after(now),
            });
        }
        match state.ask_again(wanted.hash, now, wanted.deadline, ticket) {
            Decision::Refuse(refusal) => {
                count(refusal.into());
                return Ok(shared.current.load_full());
            }
            Decision::Unavailable(retry_after) => {
                count_if_served(UnknownKeyOutcome::Unavailable);
                return Err(Unavailable { retry_after });
            }
            Decision::Join(next) => ticket = next,
        }
        drop(state);
        remote.wake_for(ticket);
    }
}

/// The current snapshot, if it serves and has something to say about this key.
fn found(
    shared: &Shared,
    kid: Option<&str>,
    algorithm: Algorithm,
    now: Duration,
) -> Option<Arc<Snapshot>> {
    let current = shared.current.load();
    let knows =
        current.serves(now) && !matches!(current.keys.find(kid, algorithm), KeyLookup::Missing);
    knows.then(|| Arc::clone(&current))
}

/// Whether `a` ended before `b` did.
pub(super) async fn first(a: impl Future, b: impl Future) -> bool {
    let (mut a, mut b) = (pin!(a), pin!(b));
    poll_fn(|context| match a.as_mut().poll(context) {
        Poll::Ready(_) => Poll::Ready(true),
        Poll::Pending => b.as_mut().poll(context).map(|_| false),
    })
    .await
}

impl From<NoFetchReason> for UnknownKeyOutcome {
    fn from(refusal: NoFetchReason) -> Self {
        match refusal {
            NoFetchReason::Negative => Self::Negative,
            NoFetchReason::Limited => Self::Limited,
            NoFetchReason::Missing => Self::Missing,
        }
    }
}
