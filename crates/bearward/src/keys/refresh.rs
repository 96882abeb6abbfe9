//! The background task that keeps a key set fresh.

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
    JwksCacheConfig,
    attempt::{AttemptOutcome, FetchedJwks, FetchedKeys, JwksSource},
    fetch_error::{FetchError, FetchErrorKind},
    jwk::IgnoreReason,
    remote::RemoteKeySet,
    snapshot::{CacheValidator, Snapshot},
    snapshot_file::{SnapshotFile, StoredSnapshot},
    status::KeySetState,
};

/// Restores the snapshot from disk, if there is one, and starts the task.
pub(super) fn start(
    runtime: &Handle,
    keys: Arc<RemoteKeySet>,
    source: JwksSource,
    config: &JwksCacheConfig,
) -> TaskHandle {
    let file = config.snapshot_dir.as_deref().map(|dir| {
        let url = source.configured_url().as_str();
        // A single key set keeps its file when its URL changes; several need a file each.
        let name = match keys.label() {
            Some(_) => format!("{} {url}", keys.issuer()),
            None => keys.issuer().to_owned(),
        };
        SnapshotFile::new(dir, &name, source.issuer(), url)
    });
    let closing = Arc::new(AtomicBool::new(false));
    let guard = TaskGuard {
        keys: Arc::clone(&keys),
        closing: Arc::clone(&closing),
    };
    let mut refresh = RefreshTask {
        keys,
        source: Arc::new(source),
        discovered_url: None,
        file,
        document: Arc::default(),
        save_task: None,
        saved_at: Duration::ZERO,
        min_ttl: config.min_ttl,
        // Up to three metadata documents and the keys, and a margin for a Fetch that does not bound
        // its own time.
        attempt_timeout: config.timeout.saturating_mul(5),
    };
    refresh.restore(config);
    let task = runtime.spawn(async move {
        let _guard = guard;
        refresh.run().await;
    });
    TaskHandle {
        task: task.abort_handle(),
        closing,
    }
}

/// Stops the task when dropped.
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

/// Releases the waiting requests however the task ends.
struct TaskGuard {
    keys: Arc<RemoteKeySet>,
    closing: Arc<AtomicBool>,
}

impl Drop for TaskGuard {
    fn drop(&mut self) {
        let error = FetchError::new(
            FetchErrorKind::RuntimeStopped,
            "the tokio runtime that the key set was built on has stopped; keys are no longer refreshed",
        );
        if !self.closing.load(Ordering::Relaxed) {
            tracing::warn!(
                issuer = self.keys.issuer(),
                key_set = self.keys.label(),
                "{error}"
            );
        }
        self.keys.stop(error);
    }
}

struct RefreshTask {
    keys: Arc<RemoteKeySet>,
    source: Arc<JwksSource>,
    /// The URL of the last successful attempt; `None` if it has to be discovered again.
    discovered_url: Option<Url>,
    file: Option<SnapshotFile>,
    /// The document of the current snapshot; empty without `file`.
    document: Arc<Vec<u8>>,
    save_task: Option<JoinHandle<()>>,
    saved_at: Duration,
    min_ttl: Duration,
    attempt_timeout: Duration,
}

impl RefreshTask {
    async fn run(mut self) {
        loop {
            let attempt = self.keys.next_attempt().await;
            let outcome = match self.attempt().await {
                Ok(fetched) => self.on_success(fetched),
                Err(error) => self.on_failure(&error),
            };
            self.keys.finish_attempt(attempt, outcome.label());
        }
    }

    /// Runs one attempt in a task of its own, so that a panic is a failed attempt.
    async fn attempt(&self) -> Result<FetchedJwks, FetchError> {
        let source = Arc::clone(&self.source);
        let (discovered_url, validator) = (
            self.discovered_url.clone(),
            self.keys.load().validator.clone(),
        );
        let timeout = self.attempt_timeout;
        let mut task = JoinSet::new();
        task.spawn(async move {
            tokio::time::timeout(timeout, source.attempt(discovered_url, validator)).await
        });
        match task.join_next().await {
            Some(Ok(Ok(outcome))) => outcome,
            Some(Ok(Err(_))) => Err(FetchError::new(
                FetchErrorKind::Timeout,
                format!("the attempt did not finish within {timeout:?}"),
            )),
            Some(Err(_)) | None => Err(FetchError::new(
                FetchErrorKind::Panicked,
                "the attempt panicked; this is a bug",
            )),
        }
    }

    fn on_success(&mut self, fetched: FetchedJwks) -> AttemptOutcome {
        let (now, fetched_at) = (self.keys.clock().monotonic(), self.keys.clock().now());
        let previous = self.keys.load_full();
        let FetchedJwks {
            url,
            freshness,
            server_time,
            keys,
        } = fetched;
        let mut snapshot = Snapshot {
            generation: previous.generation,
            expires_at: Duration::ZERO,
            keys: Arc::clone(&previous.keys),
            ignored: Arc::clone(&previous.ignored),
            fetched_at: Some(fetched_at),
            validator: previous.validator.clone(),
        };
        let mut outcome = AttemptOutcome::NotModified;
        if let Some(FetchedKeys {
            document,
            keys,
            ignored,
            etag,
        }) = keys
        {
            outcome = AttemptOutcome::Unchanged;
            if previous.generation == 0 || !previous.keys.eq_ignoring_order(&keys) {
                outcome = AttemptOutcome::Updated;
                snapshot.generation += 1;
            }
            // Also if only the order changed, which selects the keys to try.
            snapshot.keys = Arc::new(keys);
            snapshot.ignored = ignored.into();
            snapshot.validator = etag.map(|etag| CacheValidator {
                url: url.as_str().to_owned(),
                etag,
            });
            if self.file.is_some() {
                self.document = Arc::new(document);
            }
        }
        let changed = outcome == AttemptOutcome::Updated;
        self.log_changes(&snapshot, changed, previous.ignored.len());
        let clock_ahead_seconds = server_time.map(|server| fetched_at.unix() - server.unix());
        self.keys
            .install_fetched(snapshot, changed, freshness, now, clock_ahead_seconds);
        self.save(now, changed, url.as_str());
        self.discovered_url = Some(url);
        outcome
    }

    fn on_failure(&mut self, error: &FetchError) -> AttemptOutcome {
        // The keys may have moved.
        self.discovered_url = None;
        let (pause, state) = self.keys.record_failure(error);
        let label = error.kind.metric_label();
        let (issuer, key_set) = (self.keys.issuer(), self.keys.label());
        // A macro, because the level of an event is a constant.
        macro_rules! log {
            ($level:ident) => {
                tracing::$level!(issuer, key_set, outcome = label, state = state.name(), next_attempt = ?pause, "keys not fetched: {error}")
            };
        }
        // Without keys every token of the issuer is answered with 503. Loggers that show only
        // errors, as env_logger by default, must show that.
        if state == KeySetState::Empty {
            log!(error);
        } else {
            log!(warn);
        }
        AttemptOutcome::Failed(label)
    }

    fn log_changes(&self, snapshot: &Snapshot, changed: bool, ignored_before: usize) {
        let (issuer, key_set, keys, ignored) = (
            self.keys.issuer(),
            self.keys.label(),
            snapshot.keys.len(),
            snapshot.ignored.len(),
        );
        if changed {
            tracing::info!(
                issuer,
                key_set,
                generation = snapshot.generation,
                keys,
                skipped = ignored,
                "keys changed"
            );
        }
        if changed || ignored != ignored_before {
            for key in snapshot.ignored.iter() {
                // Keys for encryption are no mistake, and Keycloak publishes one in each realm.
                if key.reason == IgnoreReason::Use {
                    tracing::info!(issuer, key_set, "key skipped: {key}");
                } else {
                    tracing::warn!(issuer, key_set, "key skipped: {key}");
                }
            }
        }
    }

    /// Loads the last good set from disk. An unusable file is logged and ignored.
    fn restore(&mut self, config: &JwksCacheConfig) {
        let Some(file) = &self.file else { return };
        let (issuer, path) = (self.keys.issuer(), file.path().display());
        let (now, wall) = (self.keys.clock().monotonic(), self.keys.clock().now());
        let stored = match file.read(wall, config.max_stale, config.max_bytes) {
            Ok(Some(stored)) => stored,
            Ok(None) => return,
            Err(error) => {
                return tracing::warn!(issuer, file = %path, "stored keys not used: {error}");
            }
        };
        let (keys, ignored) = match self.source.parse(&stored.document) {
            Ok(parsed) => parsed,
            Err(error) => {
                return tracing::warn!(issuer, file = %path, "stored keys not used: {error}");
            }
        };
        let age = wall.since(stored.fetched_at);
        tracing::info!(
            issuer,
            ?age,
            keys = keys.len(),
            "stored keys loaded; they are used until the first fetch succeeds"
        );
        let snapshot = Snapshot {
            generation: 1,
            expires_at: Duration::ZERO,
            keys: Arc::new(keys),
            ignored: ignored.into(),
            fetched_at: Some(stored.fetched_at),
            validator: stored.etag.map(|etag| CacheValidator {
                url: stored.url,
                etag,
            }),
        };
        self.keys.install_restored(snapshot, age, now);
        self.document = Arc::new(stored.document);
    }

    /// Writes the snapshot on a blocking thread and does not wait for it: a disk that hangs must
    /// not delay the next fetch. An unchanged set is written again to update its time, at most once
    /// per `min_ttl`.
    fn save(&mut self, now: Duration, changed: bool, url: &str) {
        let Some(file) = self.file.clone() else {
            return;
        };
        let is_busy = self
            .save_task
            .as_ref()
            .is_some_and(|save| !save.is_finished());
        let is_recent =
            self.save_task.is_some() && now.saturating_sub(self.saved_at) < self.min_ttl;
        if is_busy || (is_recent && !changed) {
            return;
        }
        let snapshot = self.keys.load();
        let Some(fetched_at) = snapshot.fetched_at else {
            return;
        };
        let etag = snapshot
            .validator
            .as_ref()
            .map(|validator| validator.etag.clone());
        let (issuer, document, url) = (
            self.keys.issuer().to_owned(),
            Arc::clone(&self.document),
            url.to_owned(),
        );
        self.saved_at = now;
        self.save_task = Some(tokio::task::spawn_blocking(move || {
            let stored = StoredSnapshot {
                url,
                etag,
                fetched_at,
                document: document.to_vec(),
            };
            if let Err(error) = file.write(&stored) {
                tracing::warn!(issuer, file = %file.path().display(), "keys not stored: {error}");
            }
        }));
    }
}
