//! The shared state of a remote key set: requests read it and wait on it, the refresh task updates
//! it.

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

use super::{
    JwksCacheConfig,
    fetch_error::FetchError,
    freshness::Freshness,
    metrics::{KeySetMetrics, UnknownKeyOutcome},
    pending::{PendingKeys, Unavailable, UnknownKeyDecision},
    scheduler::{AttemptTicket, Decision, NextStep, NoFetchReason, RefreshScheduler},
    snapshot::{Snapshot, SnapshotGuard},
    status::{KeySetState, KeySetStatus},
};
use crate::{algorithm::Algorithm, clock::Clock};

/// The state that requests and the refresh task of one key set share.
#[derive(Debug)]
pub(super) struct RemoteKeySet {
    issuer: String,
    /// Distinguishes several key sets of the issuer.
    label: Option<String>,
    /// Replaced only while `scheduler` is locked, so a lookup under that lock is up to date.
    snapshot: ArcSwap<Snapshot>,
    scheduler: Mutex<RefreshScheduler>,
    diagnostics: Mutex<Diagnostics>,
    metrics: KeySetMetrics,
    /// The number of the last finished attempt.
    last_finished: watch::Sender<u64>,
    /// Wakes the refresh task for a requested attempt.
    wake: Notify,
    hasher: RandomState,
    wait_timeout: Duration,
    clock: Arc<dyn Clock>,
}

/// Details of the last attempt, for `/health` and `check`.
#[derive(Debug, Clone, Default)]
struct Diagnostics {
    last_error: Option<FetchError>,
    clock_ahead_seconds: Option<i64>,
}

/// A request that waits for its key.
struct KeyRequest {
    kid: Option<Box<str>>,
    algorithm: Algorithm,
    key_hash: u64,
    /// The set was usable when the request arrived, so the request counts as one for an unknown
    /// key.
    was_usable: bool,
    deadline: Duration,
}

/// For requests.
impl RemoteKeySet {
    pub(super) fn new(
        issuer: String,
        label: Option<String>,
        config: &JwksCacheConfig,
        clock: Arc<dyn Clock>,
        metrics: KeySetMetrics,
    ) -> Self {
        Self {
            issuer,
            label,
            snapshot: ArcSwap::from_pointee(Snapshot::empty()),
            scheduler: Mutex::new(RefreshScheduler::new(config, clock.monotonic())),
            diagnostics: Mutex::default(),
            metrics,
            last_finished: watch::Sender::new(0),
            wake: Notify::new(),
            hasher: RandomState::new(),
            wait_timeout: config.wait_timeout,
            clock,
        }
    }

    pub(super) fn issuer(&self) -> &str {
        &self.issuer
    }

    pub(super) fn label(&self) -> Option<&str> {
        self.label.as_deref()
    }

    pub(super) fn metrics(&self) -> &KeySetMetrics {
        &self.metrics
    }

    pub(super) fn load(&self) -> SnapshotGuard {
        SnapshotGuard::new(self.snapshot.load())
    }

    pub(super) fn unknown_key(
        self: &Arc<Self>,
        kid: Option<&str>,
        algorithm: Algorithm,
        now: Duration,
    ) -> UnknownKeyDecision {
        let deadline = now.saturating_add(self.wait_timeout);
        let key_hash = self.hasher.hash_one((kid, algorithm));
        let mut scheduler = self.scheduler();
        if let Some(snapshot) = self.snapshot_with_key(kid, algorithm, now) {
            return UnknownKeyDecision::Wait(PendingKeys::ready(snapshot));
        }
        let was_usable = scheduler.state(now).is_usable();
        let decision = scheduler.request_key(key_hash, now, deadline);
        drop(scheduler);
        match decision {
            Decision::Reject(reason) => {
                self.metrics.unknown_key(reason.into());
                UnknownKeyDecision::Reject
            }
            Decision::Unavailable(retry_after) => {
                if was_usable {
                    self.metrics.unknown_key(UnknownKeyOutcome::Unavailable);
                }
                UnknownKeyDecision::Unavailable(Unavailable { retry_after })
            }
            Decision::RateLimited(retry_after) => {
                self.metrics.unknown_key(UnknownKeyOutcome::Limited);
                UnknownKeyDecision::Unavailable(Unavailable { retry_after })
            }
            Decision::Wait(ticket) => {
                self.wake_for(ticket);
                let request = KeyRequest {
                    kid: kid.map(Into::into),
                    algorithm,
                    key_hash,
                    was_usable,
                    deadline,
                };
                UnknownKeyDecision::Wait(PendingKeys::new(
                    Arc::clone(self).wait_for_key(request, ticket),
                ))
            }
        }
    }

    pub(super) fn bad_signature(
        self: &Arc<Self>,
        checked: &Snapshot,
        now: Duration,
    ) -> Option<PendingKeys> {
        let mut scheduler = self.scheduler();
        let current = self.snapshot.load_full();
        if current.generation != checked.generation {
            return Some(PendingKeys::ready(current));
        }
        let ticket = scheduler.request_after_bad_signature(now)?;
        drop(scheduler);
        self.wake_for(ticket);
        let deadline = now.saturating_add(self.wait_timeout);
        let keys = Arc::clone(self);
        Some(PendingKeys::new(async move {
            let finished = keys.attempt_finished_by(ticket.attempt, deadline).await;
            let latest = keys.snapshot.load_full();
            if finished || latest.generation != current.generation {
                Ok(latest)
            } else {
                let now = keys.clock.monotonic();
                Err(Unavailable {
                    retry_after: keys.scheduler().retry_after(now),
                })
            }
        }))
    }

    pub(super) fn status(&self) -> KeySetStatus {
        let snapshot = self.snapshot.load();
        let status = KeySetStatus::new(&self.issuer, KeySetState::Empty, &snapshot, &self.metrics);
        self.fill_status(status)
    }

    /// Waits until attempt number `attempt` has finished, successfully or not.
    pub(super) async fn attempt_finished(&self, attempt: u64) {
        let mut last_finished = self.last_finished.subscribe();
        // The sender lives in self, so the channel cannot be closed.
        drop(
            last_finished
                .wait_for(|finished| *finished >= attempt)
                .await,
        );
    }

    async fn wait_for_key(
        self: Arc<Self>,
        request: KeyRequest,
        mut ticket: AttemptTicket,
    ) -> Result<Arc<Snapshot>, Unavailable> {
        let count_if_was_usable = |outcome| {
            if request.was_usable {
                self.metrics.unknown_key(outcome);
            }
        };
        loop {
            let finished = self
                .attempt_finished_by(ticket.attempt, request.deadline)
                .await;
            let now = self.clock.monotonic();
            let mut scheduler = self.scheduler();
            // Also after the deadline: the snapshot is replaced shortly before the attempt is
            // marked as finished.
            if let Some(snapshot) =
                self.snapshot_with_key(request.kid.as_deref(), request.algorithm, now)
            {
                count_if_was_usable(UnknownKeyOutcome::Refreshed);
                return Ok(snapshot);
            }
            if !finished {
                count_if_was_usable(UnknownKeyOutcome::Unavailable);
                return Err(Unavailable {
                    retry_after: scheduler.retry_after(now),
                });
            }
            match scheduler.request_again(request.key_hash, now, request.deadline, ticket) {
                Decision::Reject(reason) => {
                    self.metrics.unknown_key(reason.into());
                    return Ok(self.snapshot.load_full());
                }
                Decision::Unavailable(retry_after) => {
                    count_if_was_usable(UnknownKeyOutcome::Unavailable);
                    return Err(Unavailable { retry_after });
                }
                Decision::RateLimited(retry_after) => {
                    self.metrics.unknown_key(UnknownKeyOutcome::Limited);
                    return Err(Unavailable { retry_after });
                }
                Decision::Wait(next) => ticket = next,
            }
            drop(scheduler);
            self.wake_for(ticket);
        }
    }

    /// Returns the current snapshot if it is usable and has a key to try.
    fn snapshot_with_key(
        &self,
        kid: Option<&str>,
        algorithm: Algorithm,
        now: Duration,
    ) -> Option<Arc<Snapshot>> {
        let current = self.snapshot.load();
        let has_key = current.is_usable(now) && !current.keys.find(kid, algorithm).is_empty();
        has_key.then(|| Arc::clone(&current))
    }

    fn fill_status(&self, status: KeySetStatus) -> KeySetStatus {
        let now = self.clock.monotonic();
        let Diagnostics {
            last_error,
            clock_ahead_seconds,
        } = self.diagnostics().clone();
        let scheduler = self.scheduler();
        KeySetStatus {
            label: self.label.clone(),
            state: scheduler.state(now),
            age: scheduler.age(now),
            next_attempt_in: scheduler.next_attempt_in(now),
            last_error,
            clock_ahead_seconds,
            ..status
        }
    }

    async fn attempt_finished_by(&self, attempt: u64, deadline: Duration) -> bool {
        race(
            self.attempt_finished(attempt),
            self.clock.sleep_until(deadline),
        )
        .await
    }

    fn wake_for(&self, ticket: AttemptTicket) {
        if ticket.wake {
            self.wake.notify_one();
        }
    }

    fn scheduler(&self) -> MutexGuard<'_, RefreshScheduler> {
        self.scheduler
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn diagnostics(&self) -> MutexGuard<'_, Diagnostics> {
        self.diagnostics
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// For the refresh task.
impl RemoteKeySet {
    pub(super) fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    pub(super) fn load_full(&self) -> Arc<Snapshot> {
        self.snapshot.load_full()
    }

    /// Waits until an attempt is due or requested, and returns its number.
    pub(super) async fn next_attempt(&self) -> u64 {
        loop {
            let next = self.scheduler().next_step(self.clock.monotonic());
            match next {
                NextStep::StartAttempt(attempt) => return attempt,
                NextStep::SleepUntil(time) => {
                    race(self.wake.notified(), self.clock.sleep_until(time)).await
                }
            };
        }
    }

    /// Replaces the snapshot after a successful attempt at `now`. `changed`: the usable keys differ
    /// from the previous ones.
    pub(super) fn install_fetched(
        &self,
        mut snapshot: Snapshot,
        changed: bool,
        freshness: Freshness,
        now: Duration,
        clock_ahead_seconds: Option<i64>,
    ) {
        let mut scheduler = self.scheduler();
        let lifetime = scheduler.attempt_succeeded(changed, freshness, now, fastrand::f64());
        snapshot.expires_at = lifetime.expires_at;
        self.snapshot.store(Arc::new(snapshot));
        drop(scheduler);
        *self.diagnostics() = Diagnostics {
            last_error: None,
            clock_ahead_seconds,
        };
    }

    /// Installs a snapshot from disk that was fetched `age` ago. It is stale from the start.
    pub(super) fn install_restored(&self, mut snapshot: Snapshot, age: Duration, now: Duration) {
        let mut scheduler = self.scheduler();
        snapshot.expires_at = scheduler.restore(age, now).expires_at;
        self.snapshot.store(Arc::new(snapshot));
    }

    /// Records a failed attempt. Returns the pause before the next one and the state of the set.
    pub(super) fn record_failure(&self, error: &FetchError) -> (Duration, KeySetState) {
        let now = self.clock.monotonic();
        let mut scheduler = self.scheduler();
        let pause = scheduler.attempt_failed(error.retry_after, now, fastrand::f64());
        let state = scheduler.state(now);
        drop(scheduler);
        self.diagnostics().last_error = Some(error.clone());
        (pause, state)
    }

    /// Counts a finished attempt and wakes the requests that wait for it.
    pub(super) fn finish_attempt(&self, attempt: u64, outcome: &'static str) {
        self.metrics.fetched(outcome);
        self.last_finished.send_replace(attempt);
    }

    /// Marks the end of the refresh task: no further attempt will finish, and requests do not wait.
    pub(super) fn stop(&self, error: FetchError) {
        self.scheduler().stop();
        self.diagnostics().last_error = Some(error);
        self.last_finished.send_replace(u64::MAX);
    }
}

/// Waits for the first of two futures. Returns whether `a` finished first.
async fn race(a: impl Future, b: impl Future) -> bool {
    let (mut a, mut b) = (pin!(a), pin!(b));
    poll_fn(|context| match a.as_mut().poll(context) {
        Poll::Ready(_) => Poll::Ready(true),
        Poll::Pending => b.as_mut().poll(context).map(|_| false),
    })
    .await
}

impl From<NoFetchReason> for UnknownKeyOutcome {
    fn from(reason: NoFetchReason) -> Self {
        match reason {
            NoFetchReason::Negative => Self::Negative,
            NoFetchReason::Missing => Self::Missing,
        }
    }
}
