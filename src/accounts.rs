//! Resolves a verified token to an account, with a short-lived cache.

use std::{fmt, hash::BuildHasher, sync::Arc, time::Duration};

use bearward::{AuthFailure, Bearward, Clock, Verified};
use foldhash::quality::RandomState;
use moka::sync::Cache;
use smallvec::SmallVec;

use crate::{
    domain::{IdpProfile, Owner, SessionHash, SubjectHash, UserId},
    store::{AccountUpsert, DbTimestamp, Store, StoreError},
};

/// Lifetime of a cache entry. Disabling an account takes effect on all replicas within this time,
/// except for requests already in progress.
const CACHE_TTL: Duration = Duration::from_secs(20);
/// Maximum number of cached accounts, about 200 bytes each.
const CACHE_CAPACITY: u64 = 100_000;
/// Number of token hashes kept per cached account.
const TOKENS_PER_ACCOUNT: usize = 8;

/// Resolves verified tokens to accounts. Clones share the store and the cache.
#[derive(Clone)]
pub struct Accounts {
    store: Store,
    clock: Arc<dyn Clock>,
    cache: Cache<SubjectHash, Arc<CachedAccount>>,
    token_hasher: RandomState,
}

struct CachedAccount {
    user: UserId,
    is_active: bool,
    /// Time of the database read, by the monotonic clock.
    loaded_at: Duration,
    /// Hashes of tokens whose claims are already stored in the account. The claims of a token
    /// never change, so another request with it does not parse them again.
    tokens: SmallVec<[u64; TOKENS_PER_ACCOUNT]>,
}

/// The error of [`Accounts::admit`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AdmissionError {
    /// An administrator has disabled the account.
    #[error("the account is disabled")]
    Disabled,
    /// The token's profile claims have the wrong type.
    #[error(transparent)]
    InvalidClaims(#[from] AuthFailure),
    /// The database query failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Accounts {
    /// Creates an empty cache over `store`.
    pub fn new(store: Store, clock: Arc<dyn Clock>) -> Self {
        Self {
            store,
            clock,
            cache: Cache::new(CACHE_CAPACITY),
            token_hasher: RandomState::default(),
        }
    }

    /// Returns the store that holds the accounts.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Returns the current time in the precision of the database.
    pub fn now(&self) -> DbTimestamp {
        self.clock.now().into()
    }

    /// Returns the account of a verified token and creates it on the first request of a subject.
    /// `token` must be the text that `user` was verified from.
    ///
    /// A cached account is returned without a database query for 20 seconds.
    ///
    /// # Errors
    /// [`AdmissionError`] if the account is disabled, the profile claims are malformed, or the
    /// database query fails.
    pub async fn admit(
        &self,
        auth: &Bearward,
        user: &Verified,
        token: &str,
    ) -> Result<Owner, AdmissionError> {
        let issuer = auth.canonical_issuer(user);
        let identity = SubjectHash::new(issuer, user.subject());
        let token_hash = self.token_hasher.hash_one(token);
        let now = self.clock.monotonic();
        let cached = self
            .cache
            .get(&identity)
            .filter(|cached| now.saturating_sub(cached.loaded_at) < CACHE_TTL);
        if let Some(cached) = &cached
            && cached.tokens.contains(&token_hash)
        {
            return cached.owner();
        }
        let claimed = user
            .clone()
            .with_custom_claims::<IdpProfile>(token)?
            .into_custom();
        let upsert = AccountUpsert {
            subject_hash: identity,
            issuer,
            subject: user.subject(),
            profile: claimed,
            session: SessionHash::from_claims(user.claims()),
            issued_at: SessionHash::issued_at(user.claims()),
            now: self.now(),
        };
        let account = self.store.upsert_account(&upsert).await?;
        let mut tokens: SmallVec<[u64; TOKENS_PER_ACCOUNT]> = smallvec::smallvec![token_hash];
        tokens.extend(
            cached
                .iter()
                .flat_map(|cached| &cached.tokens)
                .copied()
                .take(TOKENS_PER_ACCOUNT - 1),
        );
        let cached = Arc::new(CachedAccount {
            user: account.id,
            is_active: account.is_active,
            loaded_at: now,
            tokens,
        });
        self.cache.insert(identity, Arc::clone(&cached));
        cached.owner()
    }

    /// Removes an account from this process's cache after a change. Other replicas see the change
    /// when their entry expires.
    pub fn invalidate(&self, issuer: &str, subject: &str) {
        self.cache.invalidate(&SubjectHash::new(issuer, subject));
    }
}

impl CachedAccount {
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
