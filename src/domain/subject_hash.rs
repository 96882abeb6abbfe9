//! Identity types: the issuer's subject, its session, and the account that owns rows.

use aws_lc_rs::digest::{Context, SHA256, SHA256_OUTPUT_LEN};
use bearward::{Claims, Timestamp};
use uuid::Uuid;

/// SHA-256 over an issuer and a subject, with the length of the issuer first.
///
/// Databases differ in how they compare text (case, trailing spaces, accents). The lookup of an
/// account must not depend on that, so it compares these bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SubjectHash([u8; SHA256_OUTPUT_LEN]);

impl SubjectHash {
    /// Hashes an issuer and a subject. `issuer` must be the canonical spelling: an issuer with
    /// several accepted spellings of `iss` then has one account per subject.
    pub fn new(issuer: &str, subject: &str) -> Self {
        Self(hash_parts(issuer, subject.as_bytes()))
    }

    /// Returns the bytes to store.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// SHA-256 of a token's session. Hashed because issuers do not limit the length of a session id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionHash([u8; SHA256_OUTPUT_LEN]);

impl SessionHash {
    /// Hashes the token's session id. A token without one is identified by its `iat`, or by its
    /// `exp` if it has no `iat` either.
    pub fn from_claims(claims: &Claims) -> Self {
        Self(match claims.session_id() {
            Some(id) => return Self::from_id(id),
            None => hash_parts(
                "issued",
                &claims
                    .issued_at()
                    .unwrap_or(claims.expires_at())
                    .millis()
                    .to_be_bytes(),
            ),
        })
    }

    /// Hashes a session id.
    pub(crate) fn from_id(id: &str) -> Self {
        Self(hash_parts("session", id.as_bytes()))
    }

    /// Reads the stored bytes.
    pub(crate) fn from_stored(bytes: &[u8]) -> Self {
        // The column has this length, so the default is never used.
        Self(bytes.try_into().unwrap_or_default())
    }

    /// Returns the token's `iat` in milliseconds since the Unix epoch, or 0 if it has none: a token
    /// without `iat` never replaces the profile of one that has it.
    pub fn issued_at(claims: &Claims) -> i64 {
        claims.issued_at().map_or(0, Timestamp::millis)
    }

    /// Returns the bytes to store.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

pub(super) fn hash_parts(first: &str, second: &[u8]) -> [u8; SHA256_OUTPUT_LEN] {
    let mut digest = Context::new(&SHA256);
    digest.update(&(first.len() as u64).to_be_bytes());
    digest.update(first.as_bytes());
    digest.update(second);
    let mut value = [0; SHA256_OUTPUT_LEN];
    value.copy_from_slice(digest.finish().as_ref());
    value
}

/// The id of an account, assigned by this server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct UserId(Uuid);

impl UserId {
    pub(crate) fn new(id: Uuid) -> Self {
        Self(id)
    }

    /// Returns the UUID that is stored and sent to clients.
    pub fn uuid(self) -> Uuid {
        self.0
    }
}

/// Proof that a request acts for this active account. Store methods take it first and only read and
/// change rows that belong to it.
///
/// There is no public constructor: `Accounts` creates it from a verified token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner(UserId);

impl Owner {
    pub(crate) fn new(user: UserId) -> Self {
        Self(user)
    }

    /// Returns the account's id.
    pub fn id(&self) -> UserId {
        self.0
    }
}

/// Proof that the caller may list all accounts and enable or disable them.
///
/// There is no public constructor: the administration routes create it for a verified token that
/// has the role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Administrator(());

impl Administrator {
    pub(crate) const fn new() -> Self {
        Self(())
    }
}

#[cfg(test)]
mod tests {
    use super::SubjectHash;

    #[test]
    fn issuer_and_subject_are_hashed_separately() {
        assert_ne!(
            SubjectHash::new("https://a", "bc"),
            SubjectHash::new("https://ab", "c")
        );
        assert_eq!(
            SubjectHash::new("https://a", "bc"),
            SubjectHash::new("https://a", "bc")
        );
    }

    #[test]
    fn case_and_trailing_spaces_change_the_hash() {
        let ada = SubjectHash::new("https://a", "ada");
        assert_ne!(ada, SubjectHash::new("https://a", "Ada"));
        assert_ne!(ada, SubjectHash::new("https://a", "ada "));
    }
}
