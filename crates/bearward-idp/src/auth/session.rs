//! A session: who signed in how, and which refresh token is the one that counts.

use bearward::Timestamp;
use bearward_testing::signing::{encode, hmac_sha256};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::random;

/// A late answer, or a second tab, may use a refresh token again for this long.
pub(super) const REUSE_SECONDS: i64 = 10;

/// A person's session. Its refresh tokens are numbered; the number of the last one given out is all
/// that has to be kept.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Session {
    pub(super) id: Uuid,
    pub(super) person: Uuid,
    /// Proves that a refresh token was made here, for this session.
    key: [u8; 32],
    counter: u32,
    refreshed_at: i64,
    created_at: i64,
    /// `password`, `oauth`, `otp`, ...
    method: String,
}

/// What a refresh token is good for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum RefreshOutcome {
    /// It is the last one, and another follows.
    Next,
    /// It is not the last one, but may be shown again: the last one is given out once more.
    Again,
    /// Somebody has an old one who should not.
    ReuseDetected,
}

impl Session {
    pub(super) fn new(person: Uuid, method: &str, now: Timestamp) -> Self {
        let (id, key) = (Uuid::new_v4(), random::bytes());
        let (refreshed_at, created_at) = (now.millis(), now.millis());
        Self {
            id,
            person,
            key,
            counter: 0,
            refreshed_at,
            created_at,
            method: method.to_owned(),
        }
    }

    /// The refresh token that counts.
    pub(super) fn refresh_token(&self) -> String {
        self.numbered(self.counter)
    }

    /// Takes a refresh token. As with the hosted service, the one before the last is good at any
    /// time, because an answer can get lost on its way; an older one is good within
    /// [`REUSE_SECONDS`] of the last refresh. `None` when the token was not made here.
    pub(super) fn refresh(&mut self, token: &str, now: Timestamp) -> Option<RefreshOutcome> {
        let number = number(token)?;
        if !random::same(token, &self.numbered(number)) || number > self.counter {
            return None;
        }
        let is_recent = now.millis() - self.refreshed_at <= REUSE_SECONDS * 1000;
        Some(match self.counter - number {
            0 => {
                self.counter += 1;
                self.refreshed_at = now.millis();
                RefreshOutcome::Next
            }
            1 => RefreshOutcome::Again,
            _ if is_recent => RefreshOutcome::Again,
            _ => RefreshOutcome::ReuseDetected,
        })
    }

    /// When somebody signed in, in milliseconds.
    pub(super) fn opened(&self) -> i64 {
        self.created_at
    }

    /// What people may see of it: nothing that it could be continued with.
    pub(super) fn described(&self, email: &str) -> Value {
        let time = |millis| Timestamp::from_millis(millis).to_string();
        json!({
            "id": self.id, "user_id": self.person, "email": email, "method": self.method,
            "created_at": time(self.created_at), "refreshed_at": time(self.refreshed_at),
        })
    }

    /// `amr`, newest first.
    pub(super) fn methods(&self) -> Value {
        json!([{ "method": self.method, "timestamp": Timestamp::from_millis(self.created_at).unix() }])
    }

    fn numbered(&self, number: u32) -> String {
        let mut bytes = [self.id.as_bytes().as_slice(), &number.to_be_bytes()].concat();
        let proof = hmac_sha256(&self.key, &bytes);
        bytes.extend_from_slice(&proof[..16]);
        encode(&bytes)
    }
}

/// The session that a refresh token says it is of; nothing is proved by that.
pub(super) fn session_of(token: &str) -> Option<Uuid> {
    Uuid::from_slice(decoded(token)?.get(..16)?).ok()
}

fn number(token: &str) -> Option<u32> {
    Some(u32::from_be_bytes(
        decoded(token)?.get(16..20)?.try_into().ok()?,
    ))
}

fn decoded(token: &str) -> Option<Vec<u8>> {
    base64_simd::URL_SAFE_NO_PAD
        .decode_to_vec(token.as_bytes())
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix(1_800_000_000 + seconds)
    }

    fn session() -> Session {
        Session::new(Uuid::new_v4(), "password", at(0))
    }

    #[test]
    fn each_use_gives_another_token() {
        let mut session = session();
        let first = session.refresh_token();
        assert_eq!(session_of(&first), Some(session.id));
        assert_eq!(session.refresh(&first, at(1)), Some(RefreshOutcome::Next));
        assert_ne!(session.refresh_token(), first);
    }

    #[test]
    fn the_one_before_the_last_gives_the_last_again_however_late() {
        let mut session = session();
        let first = session.refresh_token();
        session.refresh(&first, at(1));
        let second = session.refresh_token();
        assert_eq!(
            session.refresh(&first, at(100_000)),
            Some(RefreshOutcome::Again)
        );
        assert_eq!(session.refresh_token(), second, "no third one is made");
    }

    #[test]
    fn an_older_one_is_good_for_ten_seconds_and_then_a_theft() {
        let mut session = session();
        let first = session.refresh_token();
        session.refresh(&first, at(0));
        session.refresh(&session.refresh_token(), at(5));
        assert_eq!(session.refresh(&first, at(15)), Some(RefreshOutcome::Again));
        assert_eq!(
            session.refresh(&first, at(16)),
            Some(RefreshOutcome::ReuseDetected)
        );
    }

    #[test]
    fn a_token_that_was_not_made_here_is_none() {
        let (mut session, other) = (session(), session());
        let ahead = session.numbered(1);
        let tampered = {
            let token = session.refresh_token();
            let last = if token.ends_with('A') { 'B' } else { 'A' };
            format!("{last}{}", &token[1..])
        };
        for token in [
            other.refresh_token(),
            ahead,
            tampered,
            String::new(),
            "abc".to_owned(),
            "A".repeat(48),
        ] {
            assert_eq!(session.refresh(&token, at(1)), None);
        }
    }
}
