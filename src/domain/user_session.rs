//! The sessions of a user.

use bearward::{Claims, Timestamp};
use serde::Serialize;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{RevocationEntry, SessionHash};

/// A session, as the API returns it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct UserSession {
    /// Id of the entry. It is not the id of the session at the issuer.
    pub id: Uuid,
    /// The header `User-Agent` of one of the last requests.
    #[schema(example = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0")]
    pub user_agent: Option<String>,
    /// When this server first received a token of the session.
    #[serde(with = "time::serde::rfc3339")]
    pub first_used_at: OffsetDateTime,
    /// When this server last received one, to within five minutes.
    #[serde(with = "time::serde::rfc3339")]
    pub last_used_at: OffsetDateTime,
    /// Whether the token of this request belongs to the session.
    pub is_current: bool,
}

/// The session id of a token, in the form that can be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionId<'a>(&'a str);

impl<'a> SessionId<'a> {
    /// Returns the session id of a token. `None` if it has none, or one that cannot be revoked
    /// because of its form: too long, or with control characters.
    pub fn from_claims(claims: &'a Claims) -> Option<Self> {
        let id = claims.session_id()?;
        let is_valid = (1..=RevocationEntry::MAX_TARGET_BYTES).contains(&id.len())
            && !id.chars().any(char::is_control);
        is_valid.then_some(Self(id))
    }

    /// Returns the text.
    pub fn as_str(self) -> &'a str {
        self.0
    }

    /// Returns the hash that identifies the session among those of its user.
    pub fn hash(self) -> SessionHash {
        SessionHash::from_id(self.0)
    }
}

/// A `User-Agent`: visible ASCII, of which the first 255 characters are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserAgent(String);

impl UserAgent {
    /// Maximum length of the stored text.
    const MAX_LENGTH: usize = 255;

    /// Reads the bytes of a header value. `None` if nothing of it is visible ASCII.
    pub fn new(value: &[u8]) -> Option<Self> {
        let visible = value.iter().filter(|byte| matches!(byte, b' '..=b'~'));
        let text: String = visible.map(|byte| char::from(*byte)).collect();
        let text: String = text.trim().chars().take(Self::MAX_LENGTH).collect();
        let text = text.trim_end();
        (!text.is_empty()).then(|| Self(text.to_owned()))
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Returns the time of a stored `iat`; `None` if the token had none.
pub(crate) fn issued_at(millis: i64) -> Option<Timestamp> {
    (millis != 0).then(|| Timestamp::from_millis(millis))
}

#[cfg(test)]
mod tests {
    use super::UserAgent;

    #[test]
    fn user_agent_is_visible_ascii_of_limited_length() {
        let read = |value: &[u8]| UserAgent::new(value).map(|agent| agent.as_str().to_owned());
        assert_eq!(read(b" curl/8.1 ").as_deref(), Some("curl/8.1"));
        assert_eq!(read("a\u{e9}\u{7}\tb".as_bytes()).as_deref(), Some("ab"));
        assert_eq!(read("a".repeat(255).as_bytes()), Some("a".repeat(255)));
        assert_eq!(read("a".repeat(256).as_bytes()), Some("a".repeat(255)));
        for empty in ["", "  ", "\u{e9}"] {
            assert_eq!(read(empty.as_bytes()), None, "{empty:?}");
        }
    }
}
