//! Verified tokens, remembered: bounded, and found again only by the very same bytes.

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

/// The verified-token cache. It holds only tokens that passed the whole pipeline; whoever hits must
/// still ask for time and key.
///
/// Each thread keeps its own copies of the few tokens that it sees again and again: many threads
/// with one token then write to no memory that they share, neither a lock nor a reference count.
pub(super) struct TokenCache {
    shared: Cache<
        TokenKey,
        Arc<VerifiedToken>,
        UnitWeighter,
        RandomState,
        DefaultLifecycle<TokenKey, Arc<VerifiedToken>>,
    >,
    own: ThreadLocal<RefCell<ThreadLocalCache>>,
    random: RandomState,
}

/// One thread's copies, each in the place that its hash names.
struct ThreadLocalCache {
    places: [Option<(TokenKey, Arc<VerifiedToken>)>; SLOTS],
    /// The hash that came last to each place: a token moves in when it comes twice in a row, so
    /// that a crowd of tokens copies nothing.
    last: [u64; SLOTS],
}

const SLOTS: usize = 32;

/// A whole token as the key: equality is of every byte.
#[derive(Clone)]
struct TokenKey {
    hash: u64,
    text: Box<str>,
}

/// The same, borrowed from a request.
#[derive(Clone, Copy)]
pub(super) struct TokenKeyRef<'a> {
    hash: u64,
    text: &'a str,
}

impl TokenCache {
    /// Room for `entries` tokens; `None` for 0.
    pub(super) fn new(entries: usize) -> Option<Self> {
        let room = u64::try_from(entries).unwrap_or(u64::MAX);
        (entries > 0).then(|| Self {
            shared: Cache::with(
                entries,
                room,
                UnitWeighter,
                RandomState::default(),
                DefaultLifecycle::default(),
            ),
            own: ThreadLocal::new(),
            random: RandomState::default(),
        })
    }

    /// A signature's last characters are as good as random, so hashing them alone spreads as well
    /// as hashing a kilobyte. Whoever makes tokens that end alike gains nothing: only verified
    /// tokens are entries, and equality compares all of it.
    pub(super) fn sent<'a>(&self, token: &'a str) -> TokenKeyRef<'a> {
        const TAIL: usize = 32;
        let bytes = token.as_bytes();
        TokenKeyRef {
            hash: self
                .random
                .hash_one(&bytes[bytes.len().saturating_sub(TAIL)..]),
            text: token,
        }
    }

    pub(super) fn find(&self, sent: TokenKeyRef<'_>) -> Option<Arc<VerifiedToken>> {
        let own = self.own.get_or(RefCell::default);
        if let Ok(own) = own.try_borrow()
            && let Some((token, evidence)) = &own.places[sent.place()]
            && sent.equivalent(token)
        {
            return Some(Arc::clone(evidence));
        }
        let evidence = self.shared.get(&sent)?;
        if let Ok(mut own) = own.try_borrow_mut() {
            own.offer(sent, &evidence);
        }
        Some(evidence)
    }

    pub(super) fn remember(&self, sent: TokenKeyRef<'_>, evidence: Arc<VerifiedToken>) {
        self.shared.insert(
            TokenKey {
                hash: sent.hash,
                text: sent.text.into(),
            },
            evidence,
        );
    }

    /// Other threads' copies go when they are looked at.
    pub(super) fn forget(&self, sent: TokenKeyRef<'_>) {
        self.shared.remove(&sent);
        if let Some(Ok(mut own)) = self.own.get().map(RefCell::try_borrow_mut) {
            own.places[sent.place()].take_if(|(token, _)| sent.equivalent(token));
        }
    }

    pub(super) fn len(&self) -> usize {
        self.shared.len()
    }
}

impl ThreadLocalCache {
    fn offer(&mut self, sent: TokenKeyRef<'_>, evidence: &VerifiedToken) {
        let place = sent.place();
        if self.last[place] == sent.hash {
            let token = TokenKey {
                hash: sent.hash,
                text: sent.text.into(),
            };
            self.places[place] = Some((token, Arc::new(evidence.clone())));
        }
        self.last[place] = sent.hash;
    }
}

impl Default for ThreadLocalCache {
    fn default() -> Self {
        Self {
            places: [const { None }; SLOTS],
            last: [0; SLOTS],
        }
    }
}

impl TokenKeyRef<'_> {
    fn place(self) -> usize {
        usize::try_from(self.hash % SLOTS as u64).unwrap_or(0)
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
