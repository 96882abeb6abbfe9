//! Verified tokens, remembered: bounded, and found again only by the very same bytes.

use std::{
    hash::{Hash, Hasher},
    sync::Arc,
};

use foldhash::fast::RandomState;
use quick_cache::{
    Equivalent, UnitWeighter,
    sync::{Cache, DefaultLifecycle},
};

use super::verified::Evidence;

/// The verified-token cache. It holds only tokens that passed the whole pipeline; whoever hits must still ask for time and key.
pub(super) struct TokenCache {
    entries: Cache<Token, Arc<Evidence>, UnitWeighter, RandomState, DefaultLifecycle<Token, Arc<Evidence>>>,
}

/// A whole token as the key: equality is of every byte.
#[derive(Clone)]
struct Token(Box<str>);

/// The same, borrowed from a request.
struct Sent<'a>(&'a str);

impl TokenCache {
    /// Room for `entries` tokens; `None` for 0.
    pub(super) fn new(entries: usize) -> Option<Self> {
        let room = u64::try_from(entries).unwrap_or(u64::MAX);
        (entries > 0).then(|| Self {
            entries: Cache::with(entries, room, UnitWeighter, RandomState::default(), DefaultLifecycle::default()),
        })
    }

    pub(super) fn find(&self, token: &str) -> Option<Arc<Evidence>> {
        self.entries.get(&Sent(token))
    }

    pub(super) fn remember(&self, token: &str, evidence: Arc<Evidence>) {
        self.entries.insert(Token(token.into()), evidence);
    }

    pub(super) fn forget(&self, token: &str) {
        self.entries.remove(&Sent(token));
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }
}

/// A signature's last characters are as good as random, so hashing them alone spreads as well as hashing a kilobyte. Whoever makes
/// tokens that end alike gains nothing: only verified tokens are entries, and equality compares all of it.
fn hash_tail<H: Hasher>(token: &str, state: &mut H) {
    const TAIL: usize = 32;
    let bytes = token.as_bytes();
    state.write(&bytes[bytes.len().saturating_sub(TAIL)..]);
}

impl Hash for Token {
    fn hash<H: Hasher>(&self, state: &mut H) {
        hash_tail(&self.0, state);
    }
}

impl Hash for Sent<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        hash_tail(self.0, state);
    }
}

impl PartialEq for Token {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl Eq for Token {}

impl Equivalent<Token> for Sent<'_> {
    fn equivalent(&self, key: &Token) -> bool {
        *self.0 == *key.0
    }
}
