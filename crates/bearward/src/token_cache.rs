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

use super::verified::Evidence;

/// The verified-token cache. It holds only tokens that passed the whole pipeline; whoever hits must
/// still ask for time and key.
///
/// Each thread keeps its own copies of the few tokens that it sees again and again: many threads
/// with one token then write to no memory that they share, neither a lock nor a reference count.
pub(super) struct TokenCache {
    shared: Cache<
        Token,
        Arc<Evidence>,
        UnitWeighter,
        RandomState,
        DefaultLifecycle<Token, Arc<Evidence>>,
    >,
    own: ThreadLocal<RefCell<Own>>,
    random: RandomState,
}

/// One thread's copies, each in the place that its hash names.
struct Own {
    places: [Option<(Token, Arc<Evidence>)>; PLACES],
    /// The hash that came last to each place: a token moves in when it comes twice in a row, so
    /// that a crowd of tokens copies nothing.
    last: [u64; PLACES],
}

const PLACES: usize = 32;

/// A whole token as the key: equality is of every byte.
#[derive(Clone)]
struct Token {
    hash: u64,
    text: Box<str>,
}

/// The same, borrowed from a request.
#[derive(Clone, Copy)]
pub(super) struct Sent<'a> {
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
    pub(super) fn sent<'a>(&self, token: &'a str) -> Sent<'a> {
        const TAIL: usize = 32;
        let bytes = token.as_bytes();
        Sent {
            hash: self
                .random
                .hash_one(&bytes[bytes.len().saturating_sub(TAIL)..]),
            text: token,
        }
    }

    pub(super) fn find(&self, sent: Sent<'_>) -> Option<Arc<Evidence>> {
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

    pub(super) fn remember(&self, sent: Sent<'_>, evidence: Arc<Evidence>) {
        self.shared.insert(
            Token {
                hash: sent.hash,
                text: sent.text.into(),
            },
            evidence,
        );
    }

    /// Other threads' copies go when they are looked at.
    pub(super) fn forget(&self, sent: Sent<'_>) {
        self.shared.remove(&sent);
        if let Some(Ok(mut own)) = self.own.get().map(RefCell::try_borrow_mut) {
            own.places[sent.place()].take_if(|(token, _)| sent.equivalent(token));
        }
    }

    pub(super) fn len(&self) -> usize {
        self.shared.len()
    }
}

impl Own {
    fn offer(&mut self, sent: Sent<'_>, evidence: &Evidence) {
        let place = sent.place();
        if self.last[place] == sent.hash {
            let token = Token {
                hash: sent.hash,
                text: sent.text.into(),
            };
            self.places[place] = Some((token, Arc::new(evidence.clone())));
        }
        self.last[place] = sent.hash;
    }
}

impl Default for Own {
    fn default() -> Self {
        Self {
            places: [const { None }; PLACES],
            last: [0; PLACES],
        }
    }
}

impl Sent<'_> {
    fn place(self) -> usize {
        usize::try_from(self.hash % PLACES as u64).unwrap_or(0)
    }
}

impl Hash for Token {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

impl Hash for Sent<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

impl PartialEq for Token {
    fn eq(&self, other: &Self) -> bool {
        self.hash == other.hash && self.text == other.text
    }
}

impl Eq for Token {}

impl Equivalent<Token> for Sent<'_> {
    fn equivalent(&self, key: &Token) -> bool {
        self.hash == key.hash && *self.text == *key.text
    }
}
