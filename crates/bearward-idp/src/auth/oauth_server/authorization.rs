//! A pending authorization, from the first redirect to the exchange of its code.

use std::collections::BTreeMap;

use bearward::{Timestamp, dpop::KeyThumbprint};
use url::Url;
use uuid::Uuid;

use crate::auth::{
    flow::{LIFETIME_SECONDS, PkceChallenge, RETENTION_SECONDS},
    random,
};

/// Number of pending authorizations; the oldest is dropped first.
const MAX_AUTHORIZATIONS: usize = 10_000;

/// An authorization request and its outcome. It is not persisted.
pub(crate) struct Authorization {
    pub(crate) id: Uuid,
    pub(crate) created_at: i64,
    pub(crate) client_id: Uuid,
    pub(crate) redirect: Url,
    /// The redirect URI as the client sent it.
    pub(crate) redirect_uri: String,
    pub(crate) scope: String,
    pub(crate) state: Option<String>,
    pub(crate) resource: Option<String>,
    pub(crate) nonce: Option<String>,
    pub(crate) challenge: PkceChallenge,
    /// The key that the code is bound to (`dpop_jkt`, RFC 9449 §10).
    pub(crate) key: Option<KeyThumbprint>,
    /// Shared by the form and a cookie, against cross-site requests.
    pub(crate) csrf_token: String,
    pub(crate) code: Option<IssuedCode>,
}

/// The code of an approved authorization.
pub(crate) struct IssuedCode {
    pub(crate) text: String,
    pub(crate) user_id: Uuid,
    pub(crate) issued_at: i64,
    /// The session that the code was exchanged for.
    pub(crate) session_id: Option<Uuid>,
}

/// The pending authorizations.
#[derive(Default)]
pub(crate) struct Authorizations(BTreeMap<Uuid, Authorization>);

impl Authorization {
    /// Whether the consent page, or the code after consent, has expired.
    pub(crate) fn is_expired(&self, now: Timestamp) -> bool {
        let since = self
            .code
            .as_ref()
            .map_or(self.created_at, |code| code.issued_at);
        now.millis() - since > LIFETIME_SECONDS * 1000
    }

    fn has_code(&self, text: &str) -> bool {
        self.code
            .as_ref()
            .is_some_and(|code| random::constant_time_eq(text, &code.text))
    }
}

impl Authorizations {
    pub(crate) fn insert(&mut self, authorization: Authorization, now: Timestamp) {
        self.0
            .retain(|_, old| now.millis() - old.created_at <= RETENTION_SECONDS * 1000);
        if self.0.len() >= MAX_AUTHORIZATIONS {
            let oldest = self.0.values().min_by_key(|old| old.created_at);
            oldest
                .map(|oldest| oldest.id)
                .and_then(|oldest| self.0.remove(&oldest));
        }
        self.0.insert(authorization.id, authorization);
    }

    /// Returns an authorization whose consent page is open.
    pub(crate) fn pending(&self, id: Uuid, now: Timestamp) -> Option<&Authorization> {
        self.0
            .get(&id)
            .filter(|authorization| authorization.code.is_none() && !authorization.is_expired(now))
    }

    /// Returns an authorization whose consent page is open.
    pub(crate) fn pending_mut(&mut self, id: Uuid, now: Timestamp) -> Option<&mut Authorization> {
        self.0
            .get_mut(&id)
            .filter(|authorization| authorization.code.is_none() && !authorization.is_expired(now))
    }

    pub(crate) fn remove(&mut self, id: Uuid) {
        self.0.remove(&id);
    }

    /// Returns the authorization that issued this code.
    pub(crate) fn by_code(&mut self, code: &str) -> Option<&mut Authorization> {
        self.0
            .values_mut()
            .find(|authorization| authorization.has_code(code))
    }
}
