//! Records the sessions of users from verified tokens, so that users can list and end them.

use std::{fmt, hash::BuildHasher, sync::Arc, time::Duration};

use bearward::{Clock, Revocation, Verified};
use foldhash::quality::RandomState;
use moka::future::Cache;
use time::OffsetDateTime;

use crate::{
    domain::{Owner, RevocationReason, SessionHash, SessionId, UserAgent, UserSession, issued_at},
    revocations::SharedRevocations,
    store::{SessionSighting, Store, StoreError, StoredSession},
};

/// How long a recorded token is not looked up again. A row is written at most this often.
const RECORD_INTERVAL: Duration = Duration::from_secs(5 * 60);
/// How long a token is not looked up again after its session could not be written.
const RETRY_INTERVAL: Duration = Duration::from_secs(60);
/// Maximum number of recorded tokens that are cached.
const CACHE_CAPACITY: u64 = 50_000;

/// The sessions of users. Clones share the store and the cache.
///
/// Nothing is recorded without the revocation list, because sessions cannot be ended then.
#[derive(Clone)]
pub struct UserSessions {
    store: Store,
    revocations: SharedRevocations,
    clock: Arc<dyn Clock>,
    /// When a token is due to be looked up again, by the monotonic clock. An error is only shared
    /// by the requests that waited for it.
    due: Cache<u64, Result<Duration, Arc<StoreError>>>,
    hasher: RandomState,
}

impl UserSessions {
    pub(crate) fn new(store: Store, revocations: SharedRevocations, clock: Arc<dyn Clock>) -> Self {
        Self {
            store,
            revocations,
            clock,
            due: Cache::new(CACHE_CAPACITY),
            hasher: RandomState::default(),
        }
    }

    /// Records the session of a verified token, if it has one. A token of this process is looked up
    /// in the database at most once in five minutes.
    ///
    /// # Errors
    /// [`StoreError::Revoked`] if the user has ended the session: the provider may issue tokens for
    /// it for longer than the revocation list keeps the entry. Other variants if the database cannot
    /// be read. A failed write is not an error.
    pub(crate) async fn record(
        &self,
        user: &Verified,
        owner: &Owner,
        user_agent: Option<&[u8]>,
    ) -> Result<(), Arc<StoreError>> {
        let Some(id) = SessionId::from_claims(user.claims()) else {
            return Ok(());
        };
        if !self.revocations.is_enabled() || user.is_machine() {
            return Ok(());
        }
        let issued_at = SessionHash::issued_at(user.claims());
        let key = self
            .hasher
            .hash_one((owner.id().uuid(), id.as_str(), issued_at));
        let now = self.clock.monotonic();
        let is_recorded =
            |due: &Result<Duration, Arc<StoreError>>| due.as_ref().is_ok_and(|due| now < *due);
        if self.due.get(&key).await.as_ref().is_some_and(is_recorded) {
            return Ok(());
        }
        let entry = self
            .due
            .entry(key)
            .or_insert_with_if(
                async {
                    self.look_up(user, owner, id, issued_at, user_agent)
                        .await
                        .map_err(Arc::new)
                },
                |due| !is_recorded(due),
            )
            .await;
        entry.into_value().map(drop)
    }

    /// Returns when the token is due to be looked up again.
    async fn look_up(
        &self,
        user: &Verified,
        owner: &Owner,
        id: SessionId<'_>,
        issued_at: i64,
        user_agent: Option<&[u8]>,
    ) -> Result<Duration, StoreError> {
        let now = self.clock.monotonic();
        let user_agent = user_agent.and_then(UserAgent::new);
        let sighting = SessionSighting {
            id,
            issued_at,
            user_agent: user_agent.as_ref(),
            now: self.clock.now().into(),
        };
        let mut due_in = RECORD_INTERVAL;
        let written = match self.store.find_session(owner, &id.hash()).await? {
            Some(stored) if stored.is_ended => {
                self.revoke_again(user, id).await;
                return Err(StoreError::Revoked);
            }
            Some(stored) => {
                let unused_for = OffsetDateTime::from(sighting.now) - stored.last_used_at;
                // In the future, if the clock of another replica is ahead.
                let unused_for = Duration::try_from(unused_for).unwrap_or_default();
                let is_due = unused_for >= RECORD_INTERVAL;
                // A session that a newer token continues must not look revoked.
                if is_due || self.is_rejected(user, id.as_str(), stored.issued_at) {
                    self.store.update_session(owner, &stored, &sighting).await
                } else {
                    due_in -= unused_for;
                    Ok(())
                }
            }
            None => self.store.add_session(owner, &sighting).await,
        };
        if let Err(error) = written {
            tracing::debug!("cannot record a session: {error}");
            due_in = RETRY_INTERVAL;
        }
        Ok(now + due_in)
    }

    async fn revoke_again(&self, user: &Verified, id: SessionId<'_>) {
        let revocation = Revocation::session(user.canonical_issuer(), id.as_str());
        let entry = self
            .revocations
            .entry(&revocation, RevocationReason::SignOut, Some(user));
        if let Err(error) = self.revocations.add(entry.as_slice()).await {
            tracing::warn!("cannot revoke the tokens of an ended session again: {error}");
        }
    }

    fn is_rejected(&self, user: &Verified, session_id: &str, stored: i64) -> bool {
        self.revocations.rejects_session(
            user.canonical_issuer(),
            user.subject(),
            session_id,
            issued_at(stored),
        )
    }

    /// Returns the caller's sessions whose tokens are accepted, the last used one first.
    ///
    /// # Errors
    /// The errors of [`Store::sessions`].
    pub(crate) async fn list(
        &self,
        store: &Store,
        owner: &Owner,
        caller: &Verified,
    ) -> Result<Vec<UserSession>, StoreError> {
        let (ended, active): (Vec<StoredSession>, Vec<StoredSession>) = store
            .sessions(owner, self.clock.now().into())
            .await?
            .into_iter()
            .partition(|session| self.is_rejected(caller, &session.session_id, session.issued_at));
        // Their entries in the revocation list expire before the rows do.
        let ids: Vec<_> = ended.into_iter().map(|session| session.id).collect();
        if let Err(error) = store.delete_sessions(owner, &ids).await {
            tracing::debug!("cannot delete ended sessions: {error}");
        }
        let current = SessionId::from_claims(caller.claims()).map(SessionId::hash);
        Ok(active
            .into_iter()
            .map(|session| UserSession {
                id: session.id,
                user_agent: session.user_agent,
                first_used_at: session.first_used_at,
                last_used_at: session.last_used_at,
                is_current: Some(session.session) == current,
            })
            .collect())
    }
}

impl fmt::Debug for UserSessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserSessions")
            .field("store", &self.store)
            .field("cached", &self.due.entry_count())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use bearward::Bearward;
    use bearward_testing::MockIdp;
    use futures_util::future::join_all;

    use super::*;
    use crate::{
        accounts::Accounts,
        audit::RequestOrigin,
        settings::{Config, Sources},
    };

    struct Fixture {
        idp: MockIdp,
        auth: Bearward,
        accounts: Accounts,
        sessions: UserSessions,
        statements: Arc<AtomicUsize>,
    }

    impl Fixture {
        async fn start() -> Self {
            let idp = MockIdp::start().await.with_movable_clock();
            let auth = Bearward::builder()
                .clock(Arc::new(idp.clock()))
                .issuer(idp.as_issuer())
                .build()
                .await
                .expect("a verifier");
            let sources = Sources::new(None, []).with("database.url", "sqlite::memory:");
            let config = Config::load(&sources).expect("a configuration");
            let store = Store::open(&config.database).await.expect("a database");
            let statements = store.count_statements();
            let revocations =
                SharedRevocations::new(&config.revocation, &auth, store.clone(), None);
            Self {
                accounts: Accounts::new(store.clone(), Arc::new(idp.clock())),
                sessions: UserSessions::new(store, revocations, Arc::new(idp.clock())),
                idp,
                auth,
                statements,
            }
        }

        /// Records a token and returns the number of statements.
        async fn record(&self, token: &str) -> usize {
            let user = self.auth.verify(token).await.expect("a valid token");
            let admitted = self.accounts.admit(&user, &RequestOrigin::test()).await;
            let owner = admitted.expect("an active account");
            self.statements.store(0, Ordering::Relaxed);
            let recorded = self.sessions.record(&user, &owner, Some(b"test")).await;
            recorded.expect("a recorded session");
            self.statements.load(Ordering::Relaxed)
        }
    }

    #[actix_web::test]
    async fn session_costs_statements_once_in_five_minutes() {
        let fixture = Fixture::start().await;
        let token = || fixture.idp.token().sub("ada").claim("session_id", "a");
        let first = token().expires_in(Duration::from_secs(3600)).sign();
        assert_eq!(
            fixture.record(&first).await,
            3,
            "SELECT, INSERT, and SELECT of the rows to delete"
        );
        for _ in 0..3 {
            assert_eq!(fixture.record(&first).await, 0);
        }
        fixture.idp.clock().advance(RECORD_INTERVAL / 2);
        let second = token().expires_in(Duration::from_secs(3600)).sign();
        assert_eq!(fixture.record(&second).await, 1, "SELECT");
        fixture.idp.clock().advance(RECORD_INTERVAL / 2);
        assert_eq!(fixture.record(&second).await, 2, "SELECT and UPDATE");
        assert_eq!(fixture.record(&first).await, 1, "SELECT");
        assert_eq!(fixture.record(&first).await, 0);
    }

    #[actix_web::test]
    async fn concurrent_requests_of_a_session_share_the_statements() {
        let fixture = Fixture::start().await;
        let token = fixture.idp.token().sub("ada").claim("session_id", "a");
        let token = token.sign();
        fixture.record(&token).await;
        fixture.idp.clock().advance(RECORD_INTERVAL);
        let user = fixture.auth.verify(&token).await.expect("a valid token");
        let admitted = fixture.accounts.admit(&user, &RequestOrigin::test()).await;
        let owner = admitted.expect("an active account");
        fixture.statements.store(0, Ordering::Relaxed);
        join_all((0..20).map(|_| fixture.sessions.record(&user, &owner, None))).await;
        assert_eq!(fixture.statements.load(Ordering::Relaxed), 2);
    }
}
