//! The revocation list and its check.

use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwap;

use super::{
    Revocation, RevocationConfig, RevocationError, RevocationKind, RevocationUpdate,
    hash::{EntryHasher, EntryKey},
    table::{EntryValue, Table, TableContents, TokenFacts},
};
use crate::{
    clock::{Clock, Timestamp},
    error::AuthError,
    issuer::Issuer,
    verified::VerifiedToken,
};

/// The revocation list of a [`Bearward`](crate::Bearward). Returned by
/// [`Bearward::revocations`](crate::Bearward::revocations); clones share the list.
///
/// A token that matches an entry is rejected with
/// [`AuthError::Revoked`](crate::AuthError::Revoked) (401 `TOKEN_REVOKED`) from the next
/// verification on, also if it is cached. The check does no I/O. While the list does not change, it
/// compares one number for each cached token; without entries it costs nothing else.
///
/// ```
/// use bearward::{Bearward, RevocationError, Verified};
///
/// /// Signs out the session of a user.
/// fn sign_out(auth: &Bearward, user: &Verified) -> Result<(), RevocationError> {
///     match user.claims().session_id() {
///         Some(session) => auth.revocations().revoke_session(user.canonical_issuer(), session),
///         None => auth.revocations().revoke_subject(
///             user.canonical_issuer(),
///             user.subject(),
///             auth.clock().now(),
///         ),
///     }
/// }
/// ```
///
/// The list is in memory and belongs to this process. [`follow`](Self::follow) keeps it in step with
/// a store that several processes share.
///
/// # Security
/// No request adds an entry by itself. The caller of these methods decides who may revoke what: do
/// not pass issuers, subjects or sessions from a request body without checking that they belong to
/// the caller.
#[derive(Clone)]
pub struct Revocations {
    shared: Arc<RevocationChecker>,
    list: Arc<List>,
}

/// What all lists of a verifier share.
pub(crate) struct RevocationChecker {
    /// Changes with every change of a list; 0 until the first.
    generation: AtomicU64,
    lists: ArcSwap<Vec<Arc<List>>>,
    /// The number of entries of all lists.
    len: AtomicUsize,
    hasher: EntryHasher,
    config: RevocationConfig,
    clock: Arc<dyn Clock>,
    /// Held while entries are changed. The time of the last removal of expired entries because the
    /// lists were full.
    changes: Mutex<Option<Duration>>,
    warned_of_retention: AtomicBool,
}

/// One list: its entries, and when its source was last read.
struct List {
    table: Table,
    len: AtomicUsize,
    /// Milliseconds on the monotonic clock, plus one; 0 if it was never loaded.
    loaded_at: AtomicU64,
}

/// How often expired entries are looked for while the lists are full.
const PURGE_INTERVAL: Duration = Duration::from_secs(1);

impl RevocationChecker {
    /// Rejects a token that matches an entry.
    ///
    /// A token that was not found in a generation of the list cannot be found until the list
    /// changes, because entries only compare constants of the token.
    #[inline]
    pub(crate) fn check(&self, token: &VerifiedToken, now: Timestamp) -> Result<(), AuthError> {
        // Acquire: the entries of this generation are visible to the lookup.
        let generation = self.generation.load(Ordering::Acquire);
        if token.revocation.generation() == generation {
            return Ok(());
        }
        self.look_up(token, now)?;
        token.revocation.set_generation(generation);
        Ok(())
    }

    #[cold]
    fn look_up(&self, token: &VerifiedToken, now: Timestamp) -> Result<(), AuthError> {
        let keys = token.revocation.keys(token, &self.hasher);
        let facts = keys.facts(token);
        for list in self.lists.load().iter() {
            if list.len.load(Ordering::Relaxed) == 0 {
                continue;
            }
            for (kind, key) in keys.iter() {
                if list.table.rejects(key, facts, now.unix()) {
                    return Err(AuthError::Revoked { kind });
                }
            }
        }
        Ok(())
    }

    /// Logs a warning, once, if a token outlives the entries that are added now.
    pub(crate) fn check_lifetime(&self, token: &VerifiedToken, now: Timestamp) {
        if token.claims.expires_at() > now.plus(self.config.retention)
            && self.generation.load(Ordering::Relaxed) != 0
            && !self.warned_of_retention.swap(true, Ordering::Relaxed)
        {
            tracing::warn!(
                issuer = &*token.issuer_name,
                retention = ?self.config.retention,
                "a token is valid for longer than revocations are kept: increase the retention, or issue tokens with a shorter lifetime"
            );
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.len.load(Ordering::Relaxed)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Duration>> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes lookups of all tokens necessary.
    fn bump(&self) {
        // Release: see `check`.
        self.generation.fetch_add(1, Ordering::Release);
    }

    fn key(&self, revocation: &Revocation) -> EntryKey {
        self.hasher
            .key(revocation.kind, &revocation.issuer, &revocation.id)
    }

    /// Converts an entry. `issued_before` is limited to the future that tokens can be issued in.
    fn value(&self, revocation: &Revocation, now: Timestamp) -> EntryValue {
        let expires_at = revocation
            .expires_at
            .unwrap_or_else(|| now.plus(self.config.retention));
        // Rounded up.
        let expires_at = expires_at.plus(Duration::from_millis(999)).unix();
        let latest = now.plus(Issuer::LEEWAY.max);
        let (issued_before, except_session) = match revocation.kind {
            RevocationKind::Subject => (
                Some(revocation.issued_before.unwrap_or(now).min(latest).unix()),
                revocation.except_session.as_deref().map(|session| {
                    self.hasher
                        .key(RevocationKind::Session, &revocation.issuer, session)
                }),
            ),
            RevocationKind::Session | RevocationKind::Token | RevocationKind::Key => (None, None),
        };
        EntryValue {
            expires_at,
            issued_before,
            except_session,
        }
    }
}

impl List {
    fn new() -> Self {
        Self {
            table: Table::new(),
            len: AtomicUsize::new(0),
            loaded_at: AtomicU64::new(0),
        }
    }
}

impl Revocations {
    pub(crate) fn new(config: RevocationConfig, clock: Arc<dyn Clock>) -> Self {
        let list = Arc::new(List::new());
        Self {
            shared: Arc::new(RevocationChecker {
                generation: AtomicU64::new(0),
                lists: ArcSwap::from_pointee(vec![Arc::clone(&list)]),
                len: AtomicUsize::new(0),
                hasher: EntryHasher::default(),
                config,
                clock,
                changes: Mutex::new(None),
                warned_of_retention: AtomicBool::new(false),
            }),
            list,
        }
    }

    pub(crate) fn checker(&self) -> &Arc<RevocationChecker> {
        &self.shared
    }

    /// Creates another list of the same verifier, for entries that are replaced as a whole.
    /// [`replace`](Self::replace), [`remove`](Self::remove) and [`len`](Self::len) concern one list.
    /// A token is rejected if one of the lists has an entry for it.
    ///
    /// The list stays in force when this handle is dropped.
    #[must_use]
    pub fn new_list(&self) -> Self {
        let _changes = self.shared.lock();
        let list = Arc::new(List::new());
        let mut lists = Vec::clone(&self.shared.lists.load());
        lists.push(Arc::clone(&list));
        self.shared.lists.store(Arc::new(lists));
        Self {
            shared: Arc::clone(&self.shared),
            list,
        }
    }

    /// Revokes the tokens of a session for the
    /// [`retention`](crate::RevocationConfig::retention).
    ///
    /// # Errors
    /// [`RevocationError::Full`].
    pub fn revoke_session(&self, issuer: &str, session_id: &str) -> Result<(), RevocationError> {
        self.add(&Revocation::session(issuer, session_id))
    }

    /// Revokes the tokens of a subject that were issued at `issued_before` or earlier; see
    /// [`Revocation::subject`] for the comparison.
    ///
    /// # Errors
    /// [`RevocationError::Full`], and [`RevocationError::IssuedInFuture`] if `issued_before` is more
    /// than 5 minutes in the future.
    pub fn revoke_subject(
        &self,
        issuer: &str,
        subject: &str,
        issued_before: Timestamp,
    ) -> Result<(), RevocationError> {
        self.add(&Revocation::subject(issuer, subject, issued_before))
    }

    /// Revokes the token with this `jti`.
    ///
    /// # Errors
    /// [`RevocationError::Full`].
    pub fn revoke_token(&self, issuer: &str, jti: &str) -> Result<(), RevocationError> {
        self.add(&Revocation::token(issuer, jti))
    }

    /// Revokes the tokens that were signed with a key; see [`Revocation::key`], which is meant for
    /// administrators.
    ///
    /// # Errors
    /// [`RevocationError::Full`].
    pub fn revoke_key(&self, issuer: &str, kid: &str) -> Result<(), RevocationError> {
        self.add(&Revocation::key(issuer, kid))
    }

    /// Adds an entry. It is in force when the method returns.
    ///
    /// An entry for the same session, subject, token or key is extended: the later expiry applies,
    /// and a token is rejected if one of both would reject it.
    ///
    /// # Errors
    /// [`RevocationError::Full`] if there is no room, and [`RevocationError::IssuedInFuture`]; the
    /// revocation is not in force then.
    pub fn add(&self, revocation: &Revocation) -> Result<(), RevocationError> {
        let now = self.shared.clock.now();
        let latest = now.plus(Issuer::LEEWAY.max);
        if revocation.issued_before.is_some_and(|at| at > latest) {
            return Err(RevocationError::IssuedInFuture);
        }
        self.add_all([revocation])
    }

    /// Adds entries as [`add`](Self::add) does, with one change of the list. `issued_before` of a
    /// subject is limited to 5 minutes in the future.
    ///
    /// # Errors
    /// [`RevocationError::Full`]: the entries for which there was room are in force.
    pub fn add_all<'a>(
        &self,
        revocations: impl IntoIterator<Item = &'a Revocation>,
    ) -> Result<(), RevocationError> {
        let shared = &*self.shared;
        let mut last_purge = shared.lock();
        let now = shared.clock.now();
        let mut result = Ok(());
        let mut is_changed = false;
        for revocation in revocations {
            let (key, value) = (shared.key(revocation), shared.value(revocation, now));
            if value.expires_at <= now.unix() {
                continue;
            }
            if shared.len() >= shared.config.max_entries && !self.list.table.contains(key) {
                self.purge_if_due(&mut last_purge, now);
                if shared.len() >= shared.config.max_entries {
                    result = Err(RevocationError::Full {
                        max_entries: shared.config.max_entries,
                    });
                    continue;
                }
            }
            let inserted = self.list.table.insert(key, value, now.unix());
            self.change_len(inserted.len_change);
            is_changed |= inserted.rejects_more;
        }
        if is_changed {
            shared.bump();
        }
        result
    }

    /// Replaces the entries of this list. Entries that are in both are in force all the time.
    ///
    /// # Errors
    /// [`RevocationError::Full`]: the entries for which there was room are in force, in the given
    /// order.
    pub fn replace<'a>(
        &self,
        revocations: impl IntoIterator<Item = &'a Revocation>,
    ) -> Result<(), RevocationError> {
        let shared = &*self.shared;
        let _changes = shared.lock();
        let now = shared.clock.now();
        let others = shared.len() - self.len();
        let room = shared.config.max_entries.saturating_sub(others);
        let mut contents = TableContents::new();
        let (mut len, mut result) = (0, Ok(()));
        for revocation in revocations {
            let (key, value) = (shared.key(revocation), shared.value(revocation, now));
            if value.expires_at <= now.unix() {
                continue;
            }
            if len >= room && !contents.contains(key) {
                result = Err(RevocationError::Full {
                    max_entries: shared.config.max_entries,
                });
                continue;
            }
            let inserted = contents.insert(key, value, now.unix());
            len = len.saturating_add_signed(inserted.len_change);
        }
        self.list.table.replace(contents);
        self.list.len.store(len, Ordering::Relaxed);
        shared.len.store(others + len, Ordering::Relaxed);
        shared.bump();
        result
    }

    /// Removes the entry for the same session, subject, token or key. Returns whether there was one.
    ///
    /// # Security
    /// Tokens that only this entry rejected are accepted again.
    pub fn remove(&self, revocation: &Revocation) -> bool {
        let _changes = self.shared.lock();
        let is_removed = self.list.table.remove(self.shared.key(revocation));
        if is_removed {
            self.change_len(-1);
        }
        is_removed
    }

    /// Returns whether the lists of the verifier reject a token of this session that was issued at
    /// this time. `issuer` is the canonical issuer.
    ///
    /// # Security
    /// Entries for single tokens (`jti`) and for keys are not considered: this describes sessions,
    /// for example in a list, and does not replace the verification of a token.
    pub fn rejects_session(
        &self,
        issuer: &str,
        subject: &str,
        session_id: &str,
        issued_at: Option<Timestamp>,
    ) -> bool {
        let hasher = &self.shared.hasher;
        let session = hasher.key(RevocationKind::Session, issuer, session_id);
        let subject = hasher.key(RevocationKind::Subject, issuer, subject);
        let facts = TokenFacts {
            issued_at: issued_at.map(Timestamp::unix),
            session: Some(session),
        };
        let now = self.shared.clock.now().unix();
        let lists = self.shared.lists.load();
        lists.iter().any(|list| {
            [session, subject]
                .iter()
                .any(|key| list.table.rejects(*key, facts, now))
        })
    }

    /// Removes the expired entries and returns their number. This is not required: expired entries
    /// have no effect, and they are removed when their memory is needed.
    pub fn purge_expired(&self) -> usize {
        let _changes = self.shared.lock();
        self.purge(self.shared.clock.now())
    }

    /// Returns the number of entries of this list. Expired ones count until they are removed.
    pub fn len(&self) -> usize {
        self.list.len.load(Ordering::Relaxed)
    }

    /// Returns whether this list has no entries.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns how many entries all lists of the verifier can have together.
    pub fn max_entries(&self) -> usize {
        self.shared.config.max_entries
    }

    /// Returns how long entries without an expiry of their own are kept.
    pub fn retention(&self) -> Duration {
        self.shared.config.retention
    }

    /// Applies what a source has returned, and sets the [`age`](Self::age) to zero.
    ///
    /// # Errors
    /// [`RevocationError::Full`]: the entries for which there was room are in force. The age is
    /// unchanged then.
    pub fn apply(&self, update: &RevocationUpdate) -> Result<(), RevocationError> {
        match update {
            RevocationUpdate::All(revocations) => self.replace(revocations)?,
            RevocationUpdate::Added(revocations) => self.add_all(revocations)?,
        }
        self.set_loaded();
        Ok(())
    }

    pub(super) fn set_loaded(&self) {
        let millis = self.shared.clock.monotonic().as_millis();
        let millis = u64::try_from(millis).unwrap_or(u64::MAX - 1);
        self.list.loaded_at.store(millis + 1, Ordering::Relaxed);
    }

    /// Returns the time since the source was last read successfully ([`apply`](Self::apply),
    /// [`follow`](Self::follow)); `None` if it never was.
    pub fn age(&self) -> Option<Duration> {
        let millis = self.list.loaded_at.load(Ordering::Relaxed).checked_sub(1)?;
        let now = self.shared.clock.monotonic();
        Some(now.saturating_sub(Duration::from_millis(millis)))
    }

    pub(super) fn clock(&self) -> &Arc<dyn Clock> {
        &self.shared.clock
    }

    fn change_len(&self, change: isize) {
        for len in [&self.list.len, &self.shared.len] {
            let new = len.load(Ordering::Relaxed).saturating_add_signed(change);
            len.store(new, Ordering::Relaxed);
        }
    }

    /// Removes expired entries of all lists, at most once per second.
    fn purge_if_due(&self, last_purge: &mut Option<Duration>, now: Timestamp) {
        let monotonic = self.shared.clock.monotonic();
        if last_purge.is_none_or(|last| monotonic.saturating_sub(last) >= PURGE_INTERVAL) {
            *last_purge = Some(monotonic);
            self.purge(now);
        }
    }

    fn purge(&self, now: Timestamp) -> usize {
        let mut total = 0;
        for list in self.shared.lists.load().iter() {
            let removed = list.table.purge(now.unix());
            let len = list.len.load(Ordering::Relaxed).saturating_sub(removed);
            list.len.store(len, Ordering::Relaxed);
            total += removed;
        }
        let len = self.shared.len().saturating_sub(total);
        self.shared.len.store(len, Ordering::Relaxed);
        total
    }
}

impl fmt::Debug for Revocations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Revocations")
            .field("len", &self.len())
            .field("age", &self.age())
            .finish_non_exhaustive()
    }
}
