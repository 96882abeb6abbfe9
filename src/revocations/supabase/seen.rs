//! The sessions whose tokens this process has accepted.

use std::{
    collections::HashMap,
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
};

use bearward::{Issuer, Timestamp, Verified};
use uuid::Uuid;

/// The maximum number of sessions, in about 8 MB. When it is reached, further sessions are not
/// checked until others have expired.
const MAX_SESSIONS: usize = 100_000;

/// The sessions with tokens that have not expired.
pub(crate) struct SeenSessions {
    /// The canonical issuer.
    issuer: String,
    sessions: Mutex<HashMap<Uuid, Seen>>,
}

struct Seen {
    user: Uuid,
    /// `exp` of the token that expires last.
    expires_at: Timestamp,
}

/// A session at the time of a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SeenSession {
    pub(super) session: Uuid,
    pub(super) user: Uuid,
    expires_at: Timestamp,
}

impl SeenSessions {
    pub(crate) fn new(issuer: String) -> Self {
        Self {
            issuer,
            sessions: Mutex::default(),
        }
    }

    pub(super) fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Records the session of a token. Tokens of other issuers, and those whose session or subject is
    /// no UUID, are ignored.
    pub(crate) fn record(&self, token: &Verified) {
        let session = token.claims().session_id();
        if token.canonical_issuer() == self.issuer
            && let Some(session) = session.and_then(|id| Uuid::try_parse(id).ok())
            && let Ok(user) = Uuid::try_parse(token.subject())
        {
            self.insert(session, user, token.claims().expires_at());
        }
    }

    fn insert(&self, session: Uuid, user: Uuid, expires_at: Timestamp) {
        let mut sessions = self.lock();
        if sessions.len() >= MAX_SESSIONS && !sessions.contains_key(&session) {
            return;
        }
        let seen = sessions.entry(session).or_insert(Seen { user, expires_at });
        seen.expires_at = seen.expires_at.max(expires_at);
    }

    /// Returns the sessions with tokens that have not expired, and forgets the others.
    pub(super) fn unexpired(&self, now: Timestamp) -> Vec<SeenSession> {
        let mut sessions = self.lock();
        sessions.retain(|_, seen| seen.expires_at.plus(Issuer::LEEWAY.max) > now);
        if sessions.len() >= MAX_SESSIONS {
            tracing::error!(
                "{MAX_SESSIONS} Supabase sessions are checked; sign-outs of further ones are not noticed by this process"
            );
        }
        let seen = sessions.iter().map(|(session, seen)| SeenSession {
            session: *session,
            user: seen.user,
            expires_at: seen.expires_at,
        });
        seen.collect()
    }

    /// Forgets sessions, unless a newer token was accepted since they were returned.
    pub(super) fn remove<'a>(&self, ended: impl Iterator<Item = &'a SeenSession>) {
        let mut sessions = self.lock();
        for ended in ended {
            if sessions
                .get(&ended.session)
                .is_some_and(|seen| seen.expires_at == ended.expires_at)
            {
                sessions.remove(&ended.session);
            }
        }
    }

    pub(super) fn len(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Uuid, Seen>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for SeenSessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SeenSessions")
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix(1_800_000_000 + seconds)
    }

    fn id(number: usize) -> Uuid {
        Uuid::from_u128(number as u128)
    }

    #[test]
    fn a_session_is_checked_until_its_last_token_has_expired() {
        let seen = SeenSessions::new("iss".to_owned());
        seen.insert(id(1), id(9), at(3600));
        seen.insert(id(1), id(9), at(60));
        let leeway = Issuer::LEEWAY.max;
        let before = at(3600).plus(leeway).minus(Duration::from_millis(1));
        assert_eq!(seen.unexpired(before).len(), 1);
        assert_eq!(seen.unexpired(at(3600).plus(leeway)).len(), 0);
        assert_eq!(seen.len(), 0);
    }

    #[test]
    fn an_ended_session_with_a_newer_token_is_kept() {
        let seen = SeenSessions::new("iss".to_owned());
        seen.insert(id(1), id(9), at(60));
        seen.insert(id(2), id(9), at(60));
        let ended = seen.unexpired(at(0));
        seen.insert(id(2), id(9), at(90));
        seen.remove(ended.iter());
        let left = seen.unexpired(at(0));
        assert_eq!(
            left.iter().map(|seen| seen.session).collect::<Vec<_>>(),
            [id(2)]
        );
    }

    #[test]
    fn memory_is_bounded() {
        let seen = SeenSessions::new("iss".to_owned());
        for number in 0..=MAX_SESSIONS {
            seen.insert(id(number), id(0), at(60));
        }
        assert_eq!(seen.len(), MAX_SESSIONS);
        assert_eq!(seen.unexpired(at(1000)).len(), 0);
        seen.insert(id(MAX_SESSIONS), id(0), at(2000));
        assert_eq!(seen.len(), 1);
    }
}
