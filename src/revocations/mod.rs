//! The revocation list that all replicas share through the database.

mod supabase;
mod sync;

use std::{fmt, sync::Arc, time::Duration};

use bearward::{Bearward, Clock, Revocation, RevocationError, Revocations, Timestamp, Verified};
use tokio::sync::Mutex;
use uuid::Uuid;

pub(crate) use self::supabase::SeenSessions;
use self::supabase::SupabaseSessions;
use self::sync::SyncState;
use crate::{
    domain::{Administrator, Page, PageRequest, RevocationEntry, RevocationReason},
    settings,
    store::{Store, StoreError},
};

/// The revocation list of the server. Clones share it. Without `revocation.enabled` it does nothing.
///
/// A new entry is in force in this process at once, and in the other replicas when they have read
/// it: PostgreSQL notifies them, and all of them read the table at an interval.
#[derive(Clone)]
pub struct SharedRevocations(Option<Arc<Inner>>);

struct Inner {
    store: Store,
    /// The entries of the table.
    stored: Revocations,
    /// The entries that this process has added. They are kept apart, so that a list that was read
    /// before they were stored does not replace them.
    own: Revocations,
    clock: Arc<dyn Clock>,
    interval: Duration,
    sync: Mutex<SyncState>,
    supabase: Option<SupabaseSessions>,
}

/// Why an entry was not added.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AddError {
    /// The list of this process is full.
    #[error(transparent)]
    List(#[from] RevocationError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl SharedRevocations {
    /// Creates the list. It is empty until [`run`](Self::run) has read the table. `seen` are the
    /// sessions that `auth` records for `[revocation.supabase]`.
    pub(crate) fn new(
        settings: &settings::Revocation,
        auth: &Bearward,
        store: Store,
        seen: Option<Arc<SeenSessions>>,
    ) -> Self {
        Self(settings.enabled.then(|| {
            let own = auth.revocations();
            Arc::new(Inner {
                store,
                stored: own.new_list(),
                own,
                clock: Arc::clone(auth.clock()),
                interval: settings.interval,
                sync: Mutex::default(),
                supabase: seen
                    .zip(settings.supabase.as_ref())
                    .map(|(seen, settings)| SupabaseSessions::new(settings, auth, seen)),
            })
        }))
    }

    /// Returns whether the list is enabled.
    pub(crate) fn is_enabled(&self) -> bool {
        self.0.is_some()
    }

    /// Returns whether the table was read since the process has started. True if the list is
    /// disabled.
    pub(crate) fn is_loaded(&self) -> bool {
        self.0
            .as_ref()
            .is_none_or(|inner| inner.stored.age().is_some())
    }

    /// Returns the number of entries that were read, and the time since then; `None` if the list is
    /// disabled.
    pub(crate) fn status(&self) -> Option<(usize, Option<Duration>)> {
        let inner = self.0.as_ref()?;
        Some((inner.stored.len(), inner.stored.age()))
    }

    /// Returns the number of Supabase sessions that are checked, and the time since the last check;
    /// `None` unless `[revocation.supabase]` is configured.
    pub(crate) fn supabase_status(&self) -> Option<(usize, Option<Duration>)> {
        let supabase = self.0.as_ref()?.supabase.as_ref()?;
        Some(supabase.status())
    }

    /// Checks the Supabase sessions until the future is dropped.
    pub(crate) async fn check_supabase_sessions(self) {
        if let Some(supabase) = self.0.and_then(|inner| inner.supabase.clone()) {
            supabase.run().await;
        }
    }

    /// Returns whether the entries of the table, or the check of the Supabase sessions, are older than
    /// the interval allows.
    pub(crate) fn is_stale(&self) -> bool {
        self.0.as_ref().is_some_and(|inner| {
            let age = inner.stored.age();
            let supabase = inner.supabase.as_ref();
            age.is_none_or(|age| age > 5 * inner.interval)
                || supabase.is_some_and(SupabaseSessions::is_stale)
        })
    }

    /// Publishes the age as a metric.
    pub(crate) fn publish_metrics(&self) {
        if let Some(supabase) = self.0.as_ref().and_then(|inner| inner.supabase.as_ref()) {
            supabase.publish_metrics();
        }
        if let Some((_, Some(age))) = self.status() {
            metrics::gauge!("bearward_revocations_age_seconds").set(age.as_secs_f64());
        }
    }

    /// Creates an entry that lasts for the retention, and at least as long as `token`. `None` if the
    /// list is disabled.
    pub(crate) fn entry(
        &self,
        revocation: &Revocation,
        reason: RevocationReason,
        token: Option<&Verified>,
    ) -> Option<RevocationEntry> {
        /// The longest leeway of an issuer.
        const LEEWAY: Duration = bearward::Issuer::LEEWAY.max;
        let inner = self.0.as_ref()?;
        let now = inner.clock.now();
        let mut expires_at = now.plus(inner.own.retention());
        if let Some(expiry) = revocation.expiry() {
            expires_at = expiry;
        }
        if let Some(token) = token {
            expires_at = expires_at.max(token.claims().expires_at().plus(LEEWAY));
        }
        Some(RevocationEntry::new(revocation, reason, now, expires_at))
    }

    /// Adds entries for all replicas. They are in force in this process when the method returns.
    ///
    /// # Errors
    /// [`AddError`]: the list is full, or the database fails. In the latter case the entries may be
    /// in force in this process.
    pub(crate) async fn add(&self, entries: &[RevocationEntry]) -> Result<(), AddError> {
        if let Some(inner) = &self.0 {
            // First in memory: a full list must not fill the table.
            inner.own.add_all(&revocations(entries))?;
            inner.store.add_revocations(entries).await?;
        }
        Ok(())
    }

    /// Puts entries in force that a transaction has stored, and notifies the other replicas.
    pub(crate) async fn stored(&self, entries: &[RevocationEntry]) {
        if let Some(inner) = &self.0
            && !entries.is_empty()
        {
            if let Err(error) = inner.own.add_all(&revocations(entries)) {
                tracing::error!("a revocation is not in force: {error}");
            }
            inner.store.notify_revocations().await;
        }
    }

    /// Returns a page of the stored entries.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub(crate) async fn list(
        &self,
        administrator: &Administrator,
        request: PageRequest,
    ) -> Result<Page<RevocationEntry>, StoreError> {
        match &self.0 {
            Some(inner) => {
                let now = inner.clock.now();
                inner.store.revocations(administrator, request, now).await
            }
            None => Ok(Page {
                items: Vec::new(),
                next_cursor: None,
            }),
        }
    }

    /// Removes an entry for all replicas and returns it. Its tokens are accepted again in this
    /// process after the next read of the table.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub(crate) async fn remove(
        &self,
        administrator: &Administrator,
        id: Uuid,
    ) -> Result<Option<RevocationEntry>, StoreError> {
        match &self.0 {
            Some(inner) => {
                let now = inner.clock.now();
                inner.store.remove_revocation(administrator, id, now).await
            }
            None => Ok(None),
        }
    }

    /// Returns whether tokens of a session that were issued at this time are rejected. `issuer` is
    /// canonical.
    pub(crate) fn rejects_session(
        &self,
        issuer: &str,
        subject: &str,
        session_id: &str,
        issued_at: Option<Timestamp>,
    ) -> bool {
        self.0.as_ref().is_some_and(|inner| {
            inner
                .own
                .rejects_session(issuer, subject, session_id, issued_at)
        })
    }

    /// Returns the time of a revocation of all tokens of a caller: now, or the time when the
    /// caller's token was issued, if the issuer's clock is ahead.
    pub(crate) fn issued_before(caller: &Verified, now: Timestamp) -> Timestamp {
        caller
            .claims()
            .issued_at()
            .map_or(now, |issued_at| issued_at.max(now))
    }

    /// Waits until a token that is issued now is not revoked by this time: `iat` has whole seconds.
    /// Takes at most one second.
    pub(crate) async fn wait_for_next_second(&self, issued_before: Timestamp) {
        if let Some(inner) = &self.0 {
            let next = Timestamp::from_unix(issued_before.unix().saturating_add(1));
            let pause = next.since(inner.clock.now()).min(Duration::from_secs(1));
            tokio::time::sleep(pause).await;
        }
    }
}

fn revocations(entries: &[RevocationEntry]) -> Vec<Revocation> {
    entries.iter().map(RevocationEntry::revocation).collect()
}

impl fmt::Debug for SharedRevocations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SharedRevocations")
            .field(&self.status())
            .finish()
    }
}
