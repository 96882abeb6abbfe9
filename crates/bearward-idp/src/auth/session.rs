//! Sessions and their refresh tokens.

use aws_lc_rs::digest::{SHA256, digest};
use bearward::Timestamp;
use bearward_testing::signing::{encode, hmac_sha256};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::random;

/// A refresh token may be reused for this long, for lost responses and concurrent tabs.
pub(crate) const REUSE_SECONDS: i64 = 10;

/// A session of a user.
///
/// Refresh tokens are numbered and authenticated with a key, so only the last number is stored.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Session {
    pub(crate) id: Uuid,
    pub(crate) user_id: Uuid,
    /// HMAC key of the refresh tokens of this session.
    key: [u8; 32],
    counter: u32,
    refreshed_at: i64,
    created_at: i64,
    /// `password`, `oauth`, `otp`, ...
    method: String,
    /// What an OAuth client was granted; `None` for a session of the user's own app.
    #[serde(default)]
    pub(crate) client: Option<ClientGrant>,
    #[serde(default)]
    second_factor: Option<SecondFactor>,
}

/// The factor that raised a session to AAL2.
#[derive(Clone, Serialize, Deserialize)]
struct SecondFactor {
    factor_id: Uuid,
    verified_at: i64,
}

/// What a user granted to an OAuth client.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct ClientGrant {
    pub(crate) client_id: Uuid,
    /// Scopes, separated by spaces.
    pub(crate) scope: String,
    /// The audience of the access tokens (RFC 8707).
    pub(crate) resource: Option<String>,
    /// The thumbprint of the key that the tokens are bound to (RFC 9449 §6.1).
    #[serde(default)]
    pub(crate) jkt: Option<String>,
}

/// The outcome of presenting a refresh token.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum RefreshOutcome {
    /// The current token; the next one replaces it.
    Rotated,
    /// An older token within the reuse rules; the current one is returned again. The causes are
    /// those of the header `sb-auth-refresh-token-reuse-cause`.
    Reused(&'static str),
    /// An older token outside the reuse rules, which indicates theft.
    ReuseDetected,
}

impl Session {
    pub(crate) fn new(user_id: Uuid, method: &str, now: Timestamp) -> Self {
        let (id, key) = (Uuid::new_v4(), random::bytes());
        let (refreshed_at, created_at) = (now.millis(), now.millis());
        Self {
            id,
            user_id,
            key,
            counter: 0,
            refreshed_at,
            created_at,
            method: method.to_owned(),
            client: None,
            second_factor: None,
        }
    }

    /// Returns the session with the grant of an OAuth client.
    pub(crate) fn for_client(self, grant: ClientGrant) -> Self {
        Self {
            client: Some(grant),
            ..self
        }
    }

    /// Returns the id of the OAuth client; `None` for a session of the user's own app.
    pub(crate) fn client_id(&self) -> Option<Uuid> {
        self.client.as_ref().map(|grant| grant.client_id)
    }

    /// Returns the current refresh token.
    pub(crate) fn refresh_token(&self) -> String {
        self.token_for(self.counter)
    }

    /// Presents a refresh token. Returns `None` if it is not a token of this session.
    ///
    /// As in the hosted service, the previous token is always accepted, because the response may
    /// have been lost; older ones are accepted within [`REUSE_SECONDS`] of the last refresh.
    pub(crate) fn refresh(&mut self, token: &str, now: Timestamp) -> Option<RefreshOutcome> {
        let number = RefreshTokenParts::parse(token)?.number;
        if !random::constant_time_eq(token, &self.token_for(number)) || number > self.counter {
            return None;
        }
        let is_recent = now.millis() - self.refreshed_at <= REUSE_SECONDS * 1000;
        Some(match (self.counter - number, is_recent) {
            (0, _) => {
                self.counter += 1;
                self.refreshed_at = now.millis();
                RefreshOutcome::Rotated
            }
            (1, true) => RefreshOutcome::Reused("concurrent-refresh,fail-to-save"),
            (1, false) => RefreshOutcome::Reused("fail-to-save"),
            (_, true) => RefreshOutcome::Reused("concurrent-refresh"),
            (_, false) => RefreshOutcome::ReuseDetected,
        })
    }

    /// Raises the session to AAL2. The earlier refresh token is no longer the previous one, so that it
    /// cannot be exchanged for a token with AAL2 once the time for concurrent requests has passed.
    pub(crate) fn add_second_factor(&mut self, factor_id: Uuid, now: Timestamp) {
        let verified_at = now.millis();
        self.second_factor = Some(SecondFactor {
            factor_id,
            verified_at,
        });
        self.counter += 2;
    }

    /// Lowers the session to AAL1 if this factor raised it. Returns whether it did.
    pub(crate) fn remove_second_factor(&mut self, factor_id: Uuid) -> bool {
        let removed = self
            .second_factor
            .take_if(|second| second.factor_id == factor_id);
        removed.is_some()
    }

    pub(crate) fn is_aal2(&self) -> bool {
        self.second_factor.is_some()
    }

    /// Returns the `aal` claim.
    pub(crate) fn aal(&self) -> &'static str {
        if self.is_aal2() { "aal2" } else { "aal1" }
    }

    /// Returns the sign-in time in Unix milliseconds.
    pub(crate) fn created_at(&self) -> i64 {
        self.created_at
    }

    /// Returns a JSON summary without secrets.
    pub(crate) fn summary(&self, email: &str) -> Value {
        let time = |millis| Timestamp::from_millis(millis).to_string();
        json!({
            "id": self.id, "user_id": self.user_id, "email": email, "method": self.method, "aal": self.aal(),
            "created_at": time(self.created_at), "refreshed_at": time(self.refreshed_at), "client_id": self.client_id(),
        })
    }

    /// Returns the `amr` claim, newest entry first.
    pub(crate) fn amr(&self) -> Value {
        let entry = |method: &str, millis| json!({ "method": method, "timestamp": Timestamp::from_millis(millis).unix() });
        let second = self.second_factor.as_ref();
        let second = second.map(|second| entry("totp", second.verified_at));
        let entries = second
            .into_iter()
            .chain([entry(&self.method, self.created_at)]);
        entries.collect()
    }

    /// Encodes a refresh token as version 2 of the hosted service: a version byte, the session id, the
    /// number as a varint, the first 16 bytes of an HMAC, and a checksum of 4 bytes.
    fn token_for(&self, number: u32) -> String {
        let mut bytes = vec![VERSION];
        bytes.extend_from_slice(self.id.as_bytes());
        push_varint(&mut bytes, number);
        let proof = hmac_sha256(&self.key, &bytes);
        bytes.extend_from_slice(&proof[..PROOF_BYTES]);
        bytes.extend_from_slice(&checksum(&bytes));
        encode(&bytes)
    }
}

/// The version byte of a refresh token.
const VERSION: u8 = 0;

const PROOF_BYTES: usize = 16;

/// The parts of a refresh token that are not secret.
pub(crate) struct RefreshTokenParts {
    pub(crate) session_id: Uuid,
    number: u32,
}

impl RefreshTokenParts {
    /// Parses a refresh token, which is not authenticated yet. Returns `None` if it is malformed.
    pub(crate) fn parse(token: &str) -> Option<Self> {
        let bytes = base64_simd::URL_SAFE_NO_PAD
            .decode_to_vec(token.as_bytes())
            .ok()?;
        let (bytes, sum) = bytes.split_last_chunk::<4>()?;
        if checksum(bytes) != *sum {
            return None;
        }
        let (version, rest) = bytes.split_first()?;
        let (id, rest) = rest.split_first_chunk::<16>()?;
        let (number, proof) = split_varint(rest)?;
        (*version == VERSION && proof.len() == PROOF_BYTES).then_some(Self {
            session_id: Uuid::from_bytes(*id),
            number,
        })
    }
}

/// Returns the first bytes of the SHA-256, which detect a token that was cut off or mistyped.
fn checksum(bytes: &[u8]) -> [u8; 4] {
    let hash = digest(&SHA256, bytes);
    let mut sum = [0; 4];
    sum.copy_from_slice(&hash.as_ref()[..4]);
    sum
}

/// Appends a number in groups of seven bits, the lowest first.
fn push_varint(bytes: &mut Vec<u8>, mut number: u32) {
    while number >= 0x80 {
        // The lowest seven bits, marked as not the last group.
        bytes.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    bytes.push(number.to_le_bytes()[0]);
}

/// Splits a varint off. Returns `None` if it is incomplete or too large.
fn split_varint(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let mut number = 0_u64;
    // Five groups have 35 bits.
    for (index, byte) in bytes.iter().enumerate().take(5) {
        number |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Some((u32::try_from(number).ok()?, &bytes[index + 1..]));
        }
    }
    None
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
    fn each_refresh_returns_a_new_token() {
        let mut session = session();
        let first = session.refresh_token();
        assert_eq!(first.len(), 51, "the length at the hosted service");
        let parts = RefreshTokenParts::parse(&first).unwrap();
        assert_eq!((parts.session_id, parts.number), (session.id, 0));
        assert_eq!(
            session.refresh(&first, at(1)),
            Some(RefreshOutcome::Rotated)
        );
        assert_ne!(session.refresh_token(), first);
    }

    #[test]
    fn previous_token_returns_the_current_one_at_any_time() {
        let mut session = session();
        let first = session.refresh_token();
        session.refresh(&first, at(1));
        let second = session.refresh_token();
        assert_eq!(
            session.refresh(&first, at(100_000)),
            Some(RefreshOutcome::Reused("fail-to-save"))
        );
        assert_eq!(session.refresh_token(), second, "no third token is created");
    }

    #[test]
    fn older_token_is_reuse_after_ten_seconds() {
        let mut session = session();
        let first = session.refresh_token();
        session.refresh(&first, at(0));
        session.refresh(&session.refresh_token(), at(5));
        assert_eq!(
            session.refresh(&first, at(15)),
            Some(RefreshOutcome::Reused("concurrent-refresh"))
        );
        assert_eq!(
            session.refresh(&first, at(16)),
            Some(RefreshOutcome::ReuseDetected)
        );
    }

    #[test]
    fn numbers_are_varints() {
        for number in [0, 1, 127, 128, 300, 16_383, 16_384, u32::MAX] {
            let mut bytes = Vec::new();
            push_varint(&mut bytes, number);
            bytes.push(7);
            assert_eq!(split_varint(&bytes), Some((number, &[7][..])), "{number}");
        }
        for bytes in [
            &[][..],
            &[0x80],
            &[0xff; 6],
            &[0xff, 0xff, 0xff, 0xff, 0x7f],
        ] {
            assert_eq!(split_varint(bytes), None, "{bytes:?}");
        }
    }

    #[test]
    fn foreign_and_malformed_tokens_are_none() {
        let (mut session, other) = (session(), session());
        let ahead = session.token_for(1);
        let tampered = {
            let token = session.refresh_token();
            let first = if token.starts_with('A') { 'B' } else { 'A' };
            format!("{first}{}", &token[1..])
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
