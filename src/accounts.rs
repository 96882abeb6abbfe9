//! Who is admitted: the account of a verified token, remembered for seconds, so that a busy user
//! costs the database nothing.

use std::{fmt, hash::BuildHasher, sync::Arc, time::Duration};

use bearward::{AuthFailure, Bearward, Clock, Verified};
use foldhash::quality::RandomState;
use moka::sync::Cache;
use smallvec::SmallVec;

use crate::{
    domain::{IdpProfile, Owner, SessionHash, SubjectHash, UserId},
    store::{AccountUpsert, DbTimestamp, Store, StoreError},
};

/// How long an account is taken as it was seen last. A deactivated user is out everywhere within
/// this time, and a request that was on its way.
const FRESH: Duration = Duration::from_secs(20);
/// How many accounts are remembered: about 200 bytes each.
const REMEMBERED: u64 = 100_000;
/// How many tokens of one account are known as dealt with.
const TOKENS: usize = 8;

/// The accounts of verified tokens. Cloning is cheap and shares what is remembered.
#[derive(Clone)]
pub struct Accounts {
    store: Store,
    clock: Arc<dyn Clock>,
    seen: Cache<SubjectHash, Arc<CachedAccount>>,
    hashes: RandomState,
}

/// What is remembered of an account.
struct CachedAccount {
    user: UserId,
    is_active: bool,
    /// By the monotonic clock.
    at: Duration,
    /// Hashes of tokens whose claims the account has taken. A token's claims never change, so its
    /// next request needs no look at them.
    tokens: SmallVec<[u64; TOKENS]>,
}

/// Nobody is admitted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AdmissionError {
    /// An administrator has closed the account.
    #[error("the account is disabled")]
    Disabled,
    /// The token's claims cannot be read as a profile.
    #[error(transparent)]
    AuthRejection(#[from] AuthFailure),
    /// The store cannot tell.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Accounts {
    /// Accounts in this store.
    pub fn new(store: Store, clock: Arc<dyn Clock>) -> Self {
        Self {
            store,
            clock,
            seen: Cache::new(REMEMBERED),
            hashes: RandomState::default(),
        }
    }

    /// Where they are kept.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The time, as rows keep it.
    pub fn now(&self) -> DbTimestamp {
        self.clock.now().into()
    }

    /// The account of a verified token, made at first sight. `token` is the text that `user` is the
    /// evidence of.
    ///
    /// # Errors
    /// [`AdmissionError`].
    pub async fn admit(
        &self,
        auth: &Bearward,
        user: &Verified,
        token: &str,
    ) -> Result<Owner, AdmissionError> {
        let issuer = auth.canonical_issuer(user);
        let identity = SubjectHash::new(issuer, user.subject());
        let hash = self.hashes.hash_one(token);
        let now = self.clock.monotonic();
        let seen = self
            .seen
            .get(&identity)
            .filter(|seen| now.saturating_sub(seen.at) < FRESH);
        if let Some(seen) = seen.as_ref().filter(|seen| seen.tokens.contains(&hash)) {
            return seen.owner();
        }
        let claimed = user
            .clone()
            .with_custom_claims::<IdpProfile>(token)?
            .into_custom();
        let sighting = AccountUpsert {
            subject_hash: identity,
            issuer,
            subject: user.subject(),
            profile: claimed,
            session: SessionHash::from_claims(user.claims()),
            issued_at: SessionHash::issued_at(user.claims()),
            now: self.now(),
        };
        let account = self.store.upsert_account(&sighting).await?;
        let mut tokens: SmallVec<[u64; TOKENS]> = smallvec::smallvec![hash];
        tokens.extend(
            seen.iter()
                .flat_map(|seen| &seen.tokens)
                .copied()
                .take(TOKENS - 1),
        );
        let seen = Arc::new(CachedAccount {
            user: account.id,
            is_active: account.is_active,
            at: now,
            tokens,
        });
        self.seen.insert(identity, Arc::clone(&seen));
        seen.owner()
    }

    /// Forgets an account that has just been changed here; other replicas see it within seconds.
    pub fn forget(&self, issuer: &str, subject: &str) {
        self.seen.invalidate(&SubjectHash::new(issuer, subject));
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
            .field("remembered", &self.seen.entry_count())
            .finish_non_exhaustive()
    }
}
