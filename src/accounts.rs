//! Resolves a verified token to an account, with a short-lived cache.

use std::{
    fmt,
    hash::BuildHasher,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bearward::{Clock, Timestamp, Verified};
use foldhash::quality::RandomState;
use moka::future::Cache;

use crate::{
    audit::{Action, RequestOrigin},
    domain::{IdpProfile, Owner, SessionHash, SubjectHash, UserId},
    store::{AccountUpsert, DbTimestamp, LastToken, Store, StoreError},
};

/// Lifetime of a cache entry. Disabling an account takes effect on all replicas within this time.
const CACHE_TTL: Duration = Duration::from_secs(20);
/// Upper bound of the memory that cached accounts use.
const CACHE_BYTES: u64 = 64 * 1024 * 1024;
/// Upper bound of the memory of one cached account, including what the cache itself stores for it.
/// Entries have no parts of variable size. The test `the_cache_uses_at_most_its_bytes` measures it.
const ENTRY_BYTES: u64 = 1024;
/// Maximum number of cached accounts.
const CACHE_CAPACITY: u64 = CACHE_BYTES / ENTRY_BYTES;
/// Number of token hashes kept per cached account.
const TOKENS_PER_ACCOUNT: usize = 8;
/// How often a request waits for a query of another token of its account before it is answered from
/// that result.
const MAX_WAITS: usize = 3;
/// How often the account of a long request is queried again. Shorter than [`CACHE_TTL`].
const CLOSED_CHECK_INTERVAL: Duration = Duration::from_secs(10);
/// How often [`Accounts::closed`] looks at the clock, and the pause after a failed query.
const CLOSED_CHECK_TICK: Duration = Duration::from_secs(1);

/// Resolves verified tokens to accounts. Clones share the store and the cache.
///
/// Concurrent requests of one account share one query.
#[derive(Clone)]
pub struct Accounts {
    store: Store,
    clock: Arc<dyn Clock>,
    /// An error is only shared by the requests that waited for it.
    cache: Cache<SubjectHash, Result<Arc<CachedAccount>, Arc<StoreError>>>,
    hasher: RandomState,
}

struct CachedAccount {
    user: UserId,
    is_active: bool,
    /// Time of the database read, by the monotonic clock.
    loaded_at: Duration,
    /// Decides whether a token changes the account, without a query.
    last_token: LastToken,
    /// Hash of the stored profile.
    profile: u64,
    /// Hashes of tokens that do not change the account, each at an index derived from it. The
    /// claims of a token never change, so another request with it does not parse them again. A
    /// user with more tokens than entries causes more parsing, but no queries.
    tokens: [AtomicU64; TOKENS_PER_ACCOUNT],
}

/// The reason why a caller is not admitted.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum AdmissionError {
    /// An administrator has disabled the account.
    #[error("the account is disabled")]
    Disabled,
    /// The database query failed.
    #[error(transparent)]
    Store(#[from] Arc<StoreError>),
}

impl Accounts {
    /// Creates an empty cache over `store`.
    pub fn new(store: Store, clock: Arc<dyn Clock>) -> Self {
        Self {
            store,
            clock,
            cache: Cache::new(CACHE_CAPACITY),
            hasher: RandomState::default(),
        }
    }

    /// Returns the store that holds the accounts.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Returns the current time.
    pub(crate) fn timestamp(&self) -> Timestamp {
        self.clock.now()
    }

    /// Returns the current time in the precision of the database.
    pub fn now(&self) -> DbTimestamp {
        self.clock.now().into()
    }

    /// Returns the account of a verified token and creates it on the first request of a subject.
    ///
    /// A cached account is returned without a database query for 20 seconds, unless the token
    /// changes the account.
    ///
    /// # Errors
    /// [`AdmissionError`] if the account is disabled or the database query fails.
    pub(crate) async fn admit(
        &self,
        user: &Verified,
        origin: &RequestOrigin,
    ) -> Result<Owner, AdmissionError> {
        let issuer = user.canonical_issuer();
        let identity = SubjectHash::new(issuer, user.subject());
        let token_hash = self.hasher.hash_one(user.token());
        let now = self.clock.monotonic();
        let cached = self.cache.get(&identity).await.and_then(Result::ok);
        let cached = cached.filter(|cached| cached.is_fresh(now));
        if let Some(cached) = &cached
            && cached.has_token(token_hash)
        {
            return cached.owner();
        }
        // The payload of a verified token is a JSON object, which always has a profile.
        let mut profile = user
            .clone()
            .with_custom_claims::<IdpProfile>()
            .map(Verified::into_custom)
            .unwrap_or_default();
        profile.is_machine = user.is_machine();
        let profile_hash = self.hasher.hash_one(&profile);
        let upsert = AccountUpsert {
            subject_hash: identity,
            issuer,
            subject: user.subject(),
            profile,
            session: SessionHash::from_claims(user.claims()),
            issued_at: SessionHash::issued_at(user.claims()),
            now: self.now(),
        };
        let is_current = |cached: &CachedAccount| {
            cached.is_fresh(now) && !cached.is_changed_by(&upsert, profile_hash)
        };
        for _ in 0..MAX_WAITS {
            let entry = self
                .cache
                .entry_by_ref(&identity)
                .or_insert_with_if(self.load(&upsert, user, origin), |loaded| {
                    !loaded.as_ref().is_ok_and(|cached| is_current(cached))
                })
                .await;
            let is_own_query = entry.is_fresh();
            match entry.into_value() {
                Ok(loaded) if is_own_query || is_current(&loaded) => {
                    loaded.add_token(token_hash);
                    return loaded.owner();
                }
                // The query of another token of this account.
                Ok(_) => {}
                Err(error) => {
                    if let Some(cached) = cached.filter(|_| is_own_query) {
                        // The other tokens of the account are still answered from the cache.
                        self.cache.insert(identity, Ok(cached)).await;
                    }
                    return Err(error.into());
                }
            }
        }
        self.load(&upsert, user, origin).await?.owner()
    }

    async fn load(
        &self,
        upsert: &AccountUpsert<'_>,
        user: &Verified,
        origin: &RequestOrigin,
    ) -> Result<Arc<CachedAccount>, Arc<StoreError>> {
        let loaded_at = self.clock.monotonic();
        let account = self.store.upsert_account(upsert).await?;
        if account.is_new {
            origin.record(Action::AccountCreated, user, &account.id.uuid().to_string());
        }
        Ok(Arc::new(CachedAccount {
            user: account.id,
            is_active: account.is_active,
            loaded_at,
            last_token: account.last_token,
            profile: self.hasher.hash_one(&account.profile),
            tokens: Default::default(),
        }))
    }

    /// Waits until the account of a request in progress is disabled or deleted, and returns the
    /// error. Reports it within 20 seconds; while the database is unavailable, it waits.
    pub async fn closed(&self, identity: SubjectHash) -> AdmissionError {
        let mut checked_at = None;
        loop {
            let now = self.clock.monotonic();
            let is_due = checked_at
                .is_none_or(|at: Duration| now.saturating_sub(at) >= CLOSED_CHECK_INTERVAL);
            if is_due {
                match self.store.is_active(&identity).await {
                    Ok(Some(true)) => checked_at = Some(now),
                    Ok(Some(false)) => return AdmissionError::Disabled,
                    Ok(None) => return Arc::new(StoreError::AccountDeleted).into(),
                    Err(error) => {
                        tracing::debug!("cannot check the account of a running request: {error}");
                    }
                }
            }
            tokio::time::sleep(CLOSED_CHECK_TICK).await;
        }
    }

    /// Removes an account from this process's cache after a change. Other replicas see the change
    /// when their entry expires.
    pub async fn invalidate(&self, issuer: &str, subject: &str) {
        let identity = SubjectHash::new(issuer, subject);
        self.cache.invalidate(&identity).await;
    }
}

impl CachedAccount {
    fn is_fresh(&self, now: Duration) -> bool {
        now.saturating_sub(self.loaded_at) < CACHE_TTL
    }

    /// Returns whether a token must be written to the account.
    fn is_changed_by(&self, upsert: &AccountUpsert<'_>, profile: u64) -> bool {
        self.is_active
            && self
                .last_token
                .is_changed_by(upsert, profile != self.profile)
    }

    fn has_token(&self, hash: u64) -> bool {
        self.token(hash).load(Ordering::Relaxed) == hash
    }

    fn add_token(&self, hash: u64) {
        self.token(hash).store(hash, Ordering::Relaxed);
    }

    fn token(&self, hash: u64) -> &AtomicU64 {
        &self.tokens[usize::from(hash.to_le_bytes()[0]) % TOKENS_PER_ACCOUNT]
    }

    fn owner(&self) -> Result<Owner, AdmissionError> {
        if self.is_active {
            Ok(Owner::new(self.user))
        } else {
            Err(AdmissionError::Disabled)
        }
    }
}

impl fmt::Debug for Accounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Accounts")
            .field("store", &self.store)
            .field("cached", &self.cache.entry_count())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use bearward::Bearward;
    use bearward_testing::MockIdp;
    use futures_util::future::join_all;

    use super::*;
    use crate::settings::{Config, Sources};

    struct Fixture {
        idp: MockIdp,
        auth: Bearward,
        accounts: Accounts,
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
            Self {
                accounts: Accounts::new(store, Arc::new(idp.clock())),
                idp,
                auth,
                statements,
            }
        }

        async fn admit(&self, token: &str) -> Owner {
            let user = self.auth.verify(token).await.expect("a valid token");
            let admitted = self.accounts.admit(&user, &RequestOrigin::test()).await;
            admitted.expect("an active account")
        }

        /// Returns the number of statements since the last call.
        fn statements(&self) -> usize {
            self.statements.swap(0, Ordering::Relaxed)
        }

        fn sessions(&self, count: usize) -> Vec<String> {
            let token = |session: usize| {
                let token = self.idp.token().sub("ada");
                token.claim("session_id", session.to_string()).sign()
            };
            (0..count).map(token).collect()
        }
    }

    #[actix_web::test]
    async fn concurrent_misses_of_an_account_are_one_query() {
        let fixture = Fixture::start().await;
        let tokens = fixture.sessions(20);
        fixture.admit(&tokens[0]).await;
        fixture.statements();
        fixture.idp.clock().advance(CACHE_TTL);
        join_all(tokens.iter().map(|token| fixture.admit(token))).await;
        assert_eq!(fixture.statements(), 1);
    }

    #[actix_web::test]
    async fn many_sessions_of_the_same_second_cause_no_queries() {
        let fixture = Fixture::start().await;
        let tokens = fixture.sessions(100);
        fixture.admit(&tokens[0]).await;
        fixture.statements();
        for _ in 0..2 {
            for token in &tokens {
                fixture.admit(token).await;
            }
        }
        assert_eq!(fixture.statements(), 0);
    }

    /// Resident memory of this process in bytes.
    #[cfg(target_os = "linux")]
    fn resident_bytes() -> u64 {
        let status = std::fs::read_to_string("/proc/self/status").expect("a process");
        let line = status.lines().find(|line| line.starts_with("VmRSS:"));
        let kilobytes = line.and_then(|line| line.split_whitespace().nth(1));
        let kilobytes: u64 = kilobytes.expect("a number").parse().expect("a number");
        kilobytes * 1024
    }

    /// Fills the cache in a process of its own, because other tests allocate memory as well.
    #[cfg(target_os = "linux")]
    #[actix_web::test]
    async fn the_cache_uses_at_most_its_bytes() {
        const NAME: &str = "accounts::tests::the_cache_uses_at_most_its_bytes";
        const CHILD: &str = "BEARWARD_TEST_CACHE_CHILD";
        if std::env::var_os(CHILD).is_none() {
            let output = std::process::Command::new(std::env::current_exe().expect("this test"))
                .args(["--exact", NAME, "--nocapture"])
                .env(CHILD, "1")
                .output()
                .expect("the test runs again");
            let text = String::from_utf8_lossy(&output.stdout);
            println!("{text}");
            assert!(output.status.success(), "{text}");
            assert!(text.contains("bytes for each account"), "{text}");
            return;
        }
        let fixture = Fixture::start().await;
        let accounts = &fixture.accounts;
        let last_token = LastToken::sample();
        let before = resident_bytes();
        for number in 0..CACHE_CAPACITY * 2 {
            let account = CachedAccount {
                user: UserId::new(uuid::Uuid::now_v7()),
                is_active: true,
                loaded_at: Duration::ZERO,
                last_token,
                profile: number,
                tokens: Default::default(),
            };
            let identity = SubjectHash::new("https://idp.example", &number.to_string());
            accounts.cache.insert(identity, Ok(Arc::new(account))).await;
        }
        accounts.cache.run_pending_tasks().await;
        let used = resident_bytes().saturating_sub(before);
        let entries = accounts.cache.entry_count();
        println!(
            "{entries} accounts, {used} bytes: {} bytes for each account",
            used / entries
        );
        assert!(entries >= CACHE_CAPACITY * 9 / 10, "{entries}");
        assert!(used <= CACHE_BYTES, "{used} bytes");
    }

    #[actix_web::test]
    async fn each_newer_session_is_written_once() {
        let fixture = Fixture::start().await;
        let old = fixture.sessions(1);
        fixture.admit(&old[0]).await;
        fixture.idp.clock().advance(Duration::from_secs(1));
        let new = fixture.sessions(9);
        fixture.statements();
        for token in new.iter().chain(&old).chain(&new) {
            fixture.admit(token).await;
        }
        assert_eq!(fixture.statements(), 2, "one SELECT and one UPDATE");
    }
}
