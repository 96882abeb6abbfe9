//! What a verified token knows about the revocation list.

use std::sync::{
    OnceLock,
    atomic::{AtomicU64, Ordering},
};

use super::{
    RevocationKind,
    hash::{EntryHasher, EntryKey},
    table::TokenFacts,
};
use crate::verified::VerifiedToken;

/// The state of the list when the token was last looked up, and the hashes of its values, which are
/// computed at the first lookup.
#[derive(Debug, Default)]
pub(crate) struct TokenRevocationState {
    /// The generation of the list; 0 is the empty list.
    generation: AtomicU64,
    keys: OnceLock<Box<TokenKeys>>,
}

/// The keys of the entries that would reject a token.
#[derive(Debug, Clone)]
pub(super) struct TokenKeys {
    session: Option<EntryKey>,
    subject: EntryKey,
    token: Option<EntryKey>,
    key: Option<EntryKey>,
}

impl TokenRevocationState {
    /// Returns the generation of the list in which the token was not found.
    pub(super) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Relaxed)
    }

    pub(super) fn set_generation(&self, generation: u64) {
        self.generation.store(generation, Ordering::Relaxed);
    }

    pub(super) fn keys(&self, token: &VerifiedToken, hasher: &EntryHasher) -> &TokenKeys {
        self.keys
            .get_or_init(|| Box::new(TokenKeys::new(token, hasher)))
    }
}

impl Clone for TokenRevocationState {
    fn clone(&self) -> Self {
        Self {
            generation: AtomicU64::new(self.generation()),
            keys: self.keys.clone(),
        }
    }
}

impl TokenKeys {
    fn new(token: &VerifiedToken, hasher: &EntryHasher) -> Self {
        let key = |kind, id: &str| hasher.key(kind, &token.canonical_issuer, id);
        let claims = &token.claims;
        Self {
            session: claims
                .session_id()
                .map(|id| key(RevocationKind::Session, id)),
            subject: key(RevocationKind::Subject, claims.subject()),
            token: claims.token_id().map(|id| key(RevocationKind::Token, id)),
            key: token
                .verified_by_kid()
                .map(|id| key(RevocationKind::Key, id)),
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (RevocationKind, EntryKey)> {
        [
            (RevocationKind::Session, self.session),
            (RevocationKind::Subject, Some(self.subject)),
            (RevocationKind::Token, self.token),
            (RevocationKind::Key, self.key),
        ]
        .into_iter()
        .filter_map(|(kind, key)| Some((kind, key?)))
    }

    pub(super) fn facts(&self, token: &VerifiedToken) -> TokenFacts {
        TokenFacts {
            issued_at: token.claims.issued_at().map(crate::Timestamp::unix),
            session: self.session,
        }
    }
}
