//! Reads the table of the revocation list: once completely, then what was changed.

use std::{collections::HashSet, future::pending, time::Duration};

use bearward::RevocationUpdate;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::{Inner, SharedRevocations};
use crate::store::{ReadPosition, RevocationListener};

/// Pause after a failure, and until the first read.
const RETRY: Duration = Duration::from_millis(200);
/// Pause between two attempts to receive notifications.
const RETRY_LISTEN: Duration = Duration::from_secs(30);
/// How often expired rows are deleted.
const CLEAN_UP: Duration = Duration::from_secs(10 * 60);
/// How often the whole table is read while it has more entries than the list can hold.
const RETRY_FULL: Duration = Duration::from_secs(60);
/// The number of removed rows that are known to have been handled. With more, the table is read
/// again, which is always right.
const MAX_HANDLED: usize = 10_000;

/// Where the last read ended.
#[derive(Default)]
pub(super) struct SyncState {
    position: Option<ReadPosition>,
    /// Removed rows after which the table was read completely.
    handled: HashSet<(Uuid, i64)>,
    /// When the list could not hold all entries of the table.
    full_since: Option<Instant>,
    is_failing: bool,
}

impl SharedRevocations {
    /// Reads the table once, so that a server whose database is available is ready at once.
    pub(crate) async fn load(&self) {
        if let Some(inner) = &self.0
            // Otherwise `run` does.
            && let Ok(mut state) = inner.sync.try_lock()
        {
            inner.sync(&mut state).await;
        }
    }

    /// Reads the table until the future is dropped.
    pub(crate) async fn run(self) {
        let Some(inner) = self.0 else { return };
        let mut state = inner.sync.lock().await;
        let mut listener = None;
        let mut listen_at = Instant::now();
        // Replicas start at different times, and so do their clean-ups.
        let mut clean_up_at = Instant::now() + CLEAN_UP.mul_f64(0.5 + fastrand::f64());
        loop {
            inner.sync(&mut state).await;
            if state.position.is_some() && listener.is_none() && Instant::now() >= listen_at {
                listen_at = Instant::now() + RETRY_LISTEN;
                match inner.store.listen_for_revocations().await {
                    Ok(None) => {}
                    Ok(opened) => {
                        listener = opened;
                        // What was added since the last read has not been notified.
                        continue;
                    }
                    Err(error) => {
                        tracing::debug!("cannot listen for revocations of other replicas: {error}");
                    }
                }
            }
            if Instant::now() >= clean_up_at {
                clean_up_at = Instant::now() + CLEAN_UP;
                inner.clean_up().await;
            }
            let pause = if state.is_failing || state.position.is_none() {
                RETRY
            } else {
                // The read itself takes time: with this pause an entry is known within the interval.
                inner.interval * 3 / 4
            };
            tokio::select! {
                () = sleep(pause) => {}
                is_connected = changed(&mut listener) => if !is_connected {
                    listener = None;
                    listen_at = Instant::now() + RETRY;
                }
            }
        }
    }
}

/// Waits for a notification. Never completes without a listener.
async fn changed(listener: &mut Option<RevocationListener>) -> bool {
    match listener {
        Some(listener) => listener.changed().await,
        None => pending().await,
    }
}

impl Inner {
    /// Reads the table once, and logs the first failure and the first success after it.
    async fn sync(&self, state: &mut SyncState) {
        match self.try_sync(state).await {
            Ok(()) if state.is_failing => {
                state.is_failing = false;
                tracing::info!("the revocation list is read again");
            }
            Ok(()) => {}
            Err(error) => {
                if state.is_failing || state.position.is_none() {
                    tracing::debug!("cannot read the revocation list: {error}");
                } else {
                    tracing::warn!(
                        "cannot read the revocation list: {error}; the entries known so far stay in force"
                    );
                    state.is_failing = true;
                }
            }
        }
    }

    async fn try_sync(&self, state: &mut SyncState) -> Result<(), crate::store::StoreError> {
        let is_full_due = state
            .full_since
            .is_some_and(|since| since.elapsed() >= RETRY_FULL);
        if let Some(position) = state.position
            && !is_full_due
            && let Some(rows) = self.store.read_revocations(position).await?
        {
            let mut is_removed = false;
            for row in rows.removed {
                if state.handled.len() >= MAX_HANDLED {
                    state.handled.clear();
                }
                if state.handled.insert(row.id) {
                    is_removed = true;
                    self.own.remove(&row.revocation);
                }
            }
            if !is_removed {
                let result = if state.full_since.is_some() {
                    self.stored.add_all(&rows.added)
                } else {
                    self.stored.apply(&RevocationUpdate::Added(rows.added))
                };
                self.note_full(state, result.is_err());
                state.position = Some(rows.position);
                return Ok(());
            }
        }
        let (entries, position) = self.store.load_revocations(self.clock.now()).await?;
        let result = self.stored.apply(&RevocationUpdate::All(entries));
        state.full_since = None;
        self.note_full(state, result.is_err());
        state.position = Some(position);
        Ok(())
    }

    fn note_full(&self, state: &mut SyncState, is_full: bool) {
        if is_full {
            state.full_since = Some(Instant::now());
            tracing::error!(
                max_entries = self.stored.max_entries(),
                "the revocation list is full, and some revocations are not in force; increase revocation.max_entries"
            );
        }
    }

    async fn clean_up(&self) {
        self.own.purge_expired();
        match self
            .store
            .delete_expired_revocations(self.clock.now())
            .await
        {
            Ok(rows) => tracing::debug!(rows, "deleted expired revocations"),
            Err(error) => tracing::debug!("cannot delete expired revocations: {error}"),
        }
    }
}
