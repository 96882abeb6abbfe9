//! The task that keeps one issuer's keys fresh: sleeps, fetches, puts the new set in the old one's
//! place.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{
    runtime::Handle,
    task::{AbortHandle, JoinHandle, JoinSet},
};
use url::Url;

use super::{
    JwksCacheConfig, Shared,
    attempt::{FetchedJwks, FetchedSet, JwksSource},
    fetch::{Failure, FetchError},
    remote::{Diagnostics, RemoteKeySet, first},
    scheduler::Next,
    snapshot::{CacheValidator, Snapshot},
    snapshot_file::{SnapshotFile, StoredSnapshot},
};

/// Starts the task. `None` only if `shared` is not remote.
pub(super) fn start(
    runtime: &Handle,
    shared: &Arc<Shared>,
    source: JwksSource,
    policy: &JwksCacheConfig,
) -> Option<TaskHandle> {
    let remote = shared.remote.as_ref()?;
    let stored = policy.snapshot_dir.as_deref().map(|dir| {
        SnapshotFile::new(
            dir,
            &shared.issuer,
            source.issuer(),
            source.configured().as_str(),
        )
    });
    let mut refresh = RefreshTask {
        shared: Arc::clone(shared),
        source: Arc::new(source),
        discovered: None,
        stored,
        document: Arc::default(),
        save: None,
        saved_at: Duration::ZERO,
        min_ttl: policy.min_ttl,
        // Twice the limit of one document, for discovery, and as much again for a Fetch that does
        // not bound its own time.
        longest_attempt: policy.timeout.saturating_mul(3),
    };
    refresh.restore(remote, policy);
    let closing = Arc::new(AtomicBool::new(false));
    let ending = TaskGuard {
        shared: Arc::clone(shared),
        closing: Arc::clone(&closing),
    };
    let task = runtime.spawn(async move {
        let _ending = ending;
        refresh.run().await;
    });
    Some(TaskHandle {
        task: task.abort_handle(),
        closing,
    })
}

/// The task ends when this is dropped.
#[derive(Debug)]
pub(super) struct TaskHandle {
    task: AbortHandle,
    closing: Arc<AtomicBool>,
}

impl Drop for TaskHandle {
    fn drop(&mut self) {
        self.closing.store(true, Ordering::Relaxed);
        self.task.abort();
    }
}

/// However the task ends, nobody waits for it any longer.
struct TaskGuard {
    shared: Arc<Shared>,
    closing: Arc<AtomicBool>,
}

impl Drop for TaskGuard {
    fn drop(&mut self) {
        let Some(remote) = &self.shared.remote else {
            return;
        };
        remote.state().abandoned();
        let end = "the tokio runtime that the key set was built on has ended, and with it the refresh of its keys";
        remote.told().last_error = Some(end.to_owned());
        remote.finished.send_replace(u64::MAX);
        if !self.closing.load(Ordering::Relaxed) {
            tracing::warn!(issuer = self.shared.issuer, "{end}");
        }
    }
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Updated,
    /// 200 with the same content.
    Unchanged,
    NotModified,
    Failed(Failure),
}

impl Outcome {
    pub(super) fn names() -> impl Iterator<Item = &'static str> {
        let succeeded = [Self::Updated, Self::Unchanged, Self::NotModified];
        succeeded
            .into_iter()
            .chain(Failure::ALL.map(Self::Failed))
            .map(Self::name)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Updated => "updated",
            Self::Unchanged => "unchanged",
            Self::NotModified => "not_modified",
            Self::Failed(failure) => failure.name(),
        }
    }
}

struct RefreshTask {
    shared: Arc<Shared>,
    source: Arc<JwksSource>,
    /// Where the metadata said that the keys are. Kept while attempts succeed.
    discovered: Option<Url>,
    stored: Option<SnapshotFile>,
    /// What the current snapshot was read from, kept only for `stored`.
    document: Arc<Vec<u8>>,
    save: Option<JoinHandle<()>>,
    saved_at: Duration,
    min_ttl: Duration,
    longest_attempt: Duration,
}

impl RefreshTask {
    async fn run(mut self) {
        let shared = Arc::clone(&self.shared);
        let Some(remote) = &shared.remote else { return };
        loop {
            let attempt = due(remote).await;
            let outcome = match self.attempt().await {
                Ok(landed) => self.landed(remote, landed),
                Err(error) => self.failed(remote, &error),
            };
            shared.counters.fetched(outcome.name());
            remote.finished.send_replace(attempt);
        }
    }

    /// In a task of its own, so that a panic is a failed attempt.
    async fn attempt(&self) -> Result<FetchedJwks, FetchError> {
        let source = Arc::clone(&self.source);
        let (discovered, validator) = (
            self.discovered.clone(),
            self.shared.current.load().validator.clone(),
        );
        let limit = self.longest_attempt;
        let mut task = JoinSet::new();
        task.spawn(async move {
            tokio::time::timeout(limit, source.attempt(discovered, validator)).await
        });
        match task.join_next().await {
            Some(Ok(Ok(outcome))) => outcome,
            Some(Ok(Err(_))) => Err(FetchError::new(
                Failure::Timeout,
                format!("the attempt did not end within {limit:?}"),
            )),
            Some(Err(_)) | None => Err(FetchError::new(
                Failure::Panicked,
                "the attempt panicked; that is a bug",
            )),
        }
    }

    fn landed(&mut self, remote: &RemoteKeySet, landed: FetchedJwks) -> Outcome {
        let (now, fetched) = (remote.clock.monotonic(), remote.clock.now());
        let before = self.shared.current.load_full();
        let FetchedJwks {
            url,
            lifetime,
            server_time,
            set,
        } = landed;
        let mut snapshot = Snapshot {
            generation: before.generation,
            hard: Duration::ZERO,
            keys: Arc::clone(&before.keys),
            skipped: Arc::clone(&before.skipped),
            fetched: Some(fetched),
            validator: before.validator.clone(),
        };
        let mut outcome = Outcome::NotModified;
        if let Some(FetchedSet {
            document,
            keys,
            skipped,
            etag,
        }) = set
        {
            outcome = Outcome::Unchanged;
            if before.generation == 0 || !before.keys.eq_ignoring_order(&keys) {
                outcome = Outcome::Updated;
                snapshot.generation += 1;
                snapshot.keys = Arc::new(keys);
            }
            snapshot.skipped = skipped.into();
            snapshot.validator = etag.map(|etag| CacheValidator {
                url: url.as_str().to_owned(),
                etag,
            });
            if self.stored.is_some() {
                self.document = Arc::new(document);
            }
        }
        let changed = outcome == Outcome::Updated;
        self.report(&snapshot, changed, before.skipped.len());
        let mut state = remote.state();
        snapshot.hard = state
            .succeeded(changed, lifetime, now, fastrand::f64())
            .hard;
        self.shared.current.store(Arc::new(snapshot));
        drop(state);
        let clock_ahead_seconds = server_time.map(|there| fetched.unix() - there.unix());
        *remote.told() = Diagnostics {
            last_error: None,
            clock_ahead_seconds,
        };
        self.save(now, changed, url.as_str());
        self.discovered = Some(url);
        outcome
    }

    fn failed(&mut self, remote: &RemoteKeySet, error: &FetchError) -> Outcome {
        // The keys may have moved.
        self.discovered = None;
        let now = remote.clock.monotonic();
        let mut state = remote.state();
        let pause = state.failed(error.retry_after, now, fastrand::f64());
        let phase = state.state(now).name();
        drop(state);
        let issuer = self.shared.issuer.as_str();
        tracing::warn!(issuer, outcome = error.failure.name(), state = phase, next_attempt = ?pause, "keys not fetched: {}", error.detail);
        remote.told().last_error = Some(error.detail.clone());
        Outcome::Failed(error.failure)
    }

    fn report(&self, snapshot: &Snapshot, changed: bool, skipped_before: usize) {
        let (issuer, keys, skipped) = (
            self.shared.issuer.as_str(),
            snapshot.keys.len(),
            snapshot.skipped.len(),
        );
        if changed {
            tracing::info!(
                issuer,
                generation = snapshot.generation,
                keys,
                skipped,
                "keys changed"
            );
        }
        if changed || skipped != skipped_before {
            for key in snapshot.skipped.iter() {
                tracing::warn!(issuer, "key skipped: {key}");
            }
        }
    }

    /// Starts from the last good set on disk. Nothing that is wrong with it stops the start.
    fn restore(&mut self, remote: &RemoteKeySet, policy: &JwksCacheConfig) {
        let Some(stored) = &self.stored else { return };
        let (issuer, file) = (self.shared.issuer.as_str(), stored.path().display());
        let (now, wall) = (remote.clock.monotonic(), remote.clock.now());
        let contents = match stored.read(wall, policy.max_stale, policy.max_bytes) {
            Ok(Some(contents)) => contents,
            Ok(None) => return,
            Err(problem) => return tracing::warn!(issuer, %file, "stored keys not used: {problem}"),
        };
        let (keys, skipped) = match self.source.read(&contents.document) {
            Ok(read) => read,
            Err(problem) => return tracing::warn!(issuer, %file, "stored keys not used: {problem}"),
        };
        let mut state = remote.state();
        let age = wall.since(contents.fetched);
        let snapshot = Snapshot {
            generation: 1,
            hard: state.restore(age, now).hard,
            keys: Arc::new(keys),
            skipped: skipped.into(),
            fetched: Some(contents.fetched),
            validator: contents.etag.map(|etag| CacheValidator {
                url: contents.url,
                etag,
            }),
        };
        tracing::info!(
            issuer,
            ?age,
            keys = snapshot.keys.len(),
            "keys taken from the last run until they are fetched"
        );
        self.shared.current.store(Arc::new(snapshot));
        drop(state);
        self.document = Arc::new(contents.document);
    }

    /// On a thread where blocking is allowed, and not waited for: a disk that hangs must not keep
    /// keys from being fetched. An unchanged set is written again, for its time, but not more
    /// often than `min_ttl`.
    fn save(&mut self, now: Duration, changed: bool, url: &str) {
        let Some(stored) = self.stored.clone() else {
            return;
        };
        let busy = self.save.as_ref().is_some_and(|save| !save.is_finished());
        let recent = self.save.is_some() && now.saturating_sub(self.saved_at) < self.min_ttl;
        let snapshot = self.shared.current.load();
        let Some(fetched) = snapshot.fetched.filter(|_| !busy && (changed || !recent)) else {
            return;
        };
        let etag = snapshot
            .validator
            .as_ref()
            .map(|validator| validator.etag.clone());
        let (issuer, document, url) = (
            self.shared.issuer.clone(),
            Arc::clone(&self.document),
            url.to_owned(),
        );
        self.saved_at = now;
        self.save = Some(tokio::task::spawn_blocking(move || {
            let contents = StoredSnapshot {
                url,
                etag,
                fetched,
                document: document.to_vec(),
            };
            if let Err(error) = stored.write(&contents) {
                tracing::warn!(issuer, file = %stored.path().display(), "keys not stored: {error}");
            }
        }));
    }
}

/// Waits until an attempt is due or wanted, and begins it.
async fn due(remote: &RemoteKeySet) -> u64 {
    loop {
        let next = remote.state().next(remote.clock.monotonic());
        match next {
            Next::Begin(attempt) => return attempt,
            Next::Sleep(until) => {
                first(remote.wake.notified(), remote.clock.sleep_until(until)).await
            }
        };
    }
}
