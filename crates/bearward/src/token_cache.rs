//! A bounded cache of verified tokens. A hit requires exactly the same bytes.
//!
//! Hand-written around `quick_cache`, whose hits, like those of moka, write to shared memory (ADR
//! 0004).

use std::{
    cell::RefCell,
    hash::{BuildHasher, Hash, Hasher},
    sync::Arc,
};

use foldhash::fast::RandomState;
use quick_cache::{
    Equivalent, UnitWeighter,
    sync::{Cache, DefaultLifecycle},
};
use thread_local::ThreadLocal;

use super::verified::VerifiedToken;

/// A cache of tokens that passed the whole pipeline. Callers must re-check expiry and key
/// generation on a hit.
///
/// Each thread has copies of the few tokens that it sees most. Many threads that verify the same
/// token then do not write to shared memory: no lock and no reference count.
pub(super) struct TokenCache {
    shared: Cache<
        TokenKey,
        Arc<VerifiedToken>,
        UnitWeighter,
        RandomState,
        DefaultLifecycle<TokenKey, Arc<VerifiedToken>>,
    >,
    local: ThreadLocal<RefCell<ThreadLocalCache>>,
    random: RandomState,
}

/// The copies of one thread, each in the slot that its hash selects.
struct ThreadLocalCache {
    slots: [Option<(TokenKey, Arc<VerifiedToken>)>; SLOTS],
    /// The last hash that selected each slot. A token is admitted if it occurs twice in a row, so
    /// that many different tokens cause no copies.
    last_hash: [u64; SLOTS],
}

const SLOTS: usize = 32;

/// A whole token as the key: equality compares every byte.
#[derive(Clone)]
struct TokenKey {
    hash: u64,
    /// Shared with the verified token.
    text: Arc<str>,
}

/// A [`TokenKey`] that borrows the token from a request.
#[derive(Clone, Copy)]
pub(super) struct TokenKeyRef<'a> {
    hash: u64,
    text: &'a str,
}

impl TokenCache {
    /// Creates a cache for `entries` tokens; `None` for 0.
    pub(super) fn new(entries: usize) -> Option<Self> {
        let capacity = u64::try_from(entries).unwrap_or(u64::MAX);
        (entries > 0).then(|| Self {
            shared: Cache::with(
                entries,
                capacity,
                UnitWeighter,
                RandomState::default(),
                DefaultLifecycle::default(),
            ),
            local: ThreadLocal::new(),
            random: RandomState::default(),
        })
    }

    /// Hashes the end of a token. The last characters of a signature are as random as a hash of the
    /// whole token. Crafted tokens with equal endings have no effect: only verified tokens are
    /// stored, and equality compares the whole token.
    pub(super) fn key_for<'a>(&self, token: &'a str) -> TokenKeyRef<'a> {
        const TAIL: usize = 32;
        let bytes = token.as_bytes();
        TokenKeyRef {
            hash: self
                .random
                .hash_one(&bytes[bytes.len().saturating_sub(TAIL)..]),
            text: token,
        }
    }

    pub(super) fn get(&self, key: TokenKeyRef<'_>) -> Option<Arc<VerifiedToken>> {
        let local = self.local.get_or(RefCell::default);
        if let Ok(local) = local.try_borrow()
            && let Some((stored, verified)) = &local.slots[key.slot()]
            && key.equivalent(stored)
        {
            return Some(Arc::clone(verified));
        }
        let verified = self.shared.get(&key)?;
        if let Ok(mut local) = local.try_borrow_mut() {
            local.admit(key, &verified);
        }
        Some(verified)
    }

    pub(super) fn insert(&self, key: TokenKeyRef<'_>, verified: Arc<VerifiedToken>) {
        self.shared.insert(key.to_token_key(&verified), verified);
    }

    /// Removes a token from the shared cache and from this thread's copies. Other threads remove
    /// their copies when they re-check them.
    pub(super) fn remove(&self, key: TokenKeyRef<'_>) {
        self.shared.remove(&key);
        if let Some(Ok(mut local)) = self.local.get().map(RefCell::try_borrow_mut) {
            local.slots[key.slot()].take_if(|(stored, _)| key.equivalent(stored));
        }
    }

    pub(super) fn len(&self) -> usize {
        self.shared.len()
    }
}

impl ThreadLocalCache {
    /// Copies a token into its slot if it was also the previous token for that slot.
    fn admit(&mut self, key: TokenKeyRef<'_>, verified: &VerifiedToken) {
        let slot = key.slot();
        if self.last_hash[slot] == key.hash {
            // A copy, not a clone of the `Arc`: its reference count belongs to this thread.
            self.slots[slot] = Some((key.to_token_key(verified), Arc::new(verified.clone())));
        }
        self.last_hash[slot] = key.hash;
    }
}

impl Default for ThreadLocalCache {
    fn default() -> Self {
        Self {
            slots: [const { None }; SLOTS],
            last_hash: [0; SLOTS],
        }
    }
}

impl TokenKeyRef<'_> {
    fn slot(self) -> usize {
        usize::try_from(self.hash % SLOTS as u64).unwrap_or(0)
    }

    /// Creates the key of the entry of `verified`, the same token.
    fn to_token_key(self, verified: &VerifiedToken) -> TokenKey {
        TokenKey {
            hash: self.hash,
            text: Arc::clone(&verified.raw.0),
        }
    }
}

impl Hash for TokenKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

impl Hash for TokenKeyRef<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

impl PartialEq for TokenKey {
    fn eq(&self, other: &Self) -> bool {
        self.hash == other.hash && self.text == other.text
    }
}

impl Eq for TokenKey {}

impl Equivalent<TokenKey> for TokenKeyRef<'_> {
    fn equivalent(&self, key: &TokenKey) -> bool {
        self.hash == key.hash && *self.text == *key.text
    }
}
