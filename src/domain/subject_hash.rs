//! Who owns a row: an account of ours, which stands for a subject of an issuer.

use aws_lc_rs::digest::{Context, SHA256, SHA256_OUTPUT_LEN};
use {Claims, Timestamp};
use uuid::Uuid;

/// A subject of an issuer, as one value: SHA-256 over both, the issuer's length first.
///
/// Databases compare text each in their own way (case, trailing spaces, accents); whose account it
/// is must not depend on that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SubjectHash([u8; SHA256_OUTPUT_LEN]);

impl SubjectHash {
    /// `issuer` is the canonical spelling, so that an issuer that spells itself in two ways has one
    /// account for a subject.
    pub fn new(issuer: &str, subject: &str) -> Self {
        Self(digest(issuer, subject.as_bytes()))
    }

    /// The value, as a row keeps it.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// What names a session, as one value of fixed length: issuers choose how long their names are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Session([u8; SHA256_OUTPUT_LEN]);

impl Session {
    /// The session of a token: the one that it names, else the moment of its issue stands for one.
    pub fn of(claims: &Claims) -> Self {
        Self(match claims.session_id() {
            Some(id) => digest("session", id.as_bytes()),
            None => digest(
                "issued",
                &claims
                    .issued_at()
                    .unwrap_or(claims.expires_at())
                    .millis()
                    .to_be_bytes(),
            ),
        })
    }

    /// When the token was issued, in milliseconds. One that does not say is older than any that
    /// does: its far end must not make its claims last.
    pub fn moment(claims: &Claims) -> i64 {
        claims.issued_at().map_or(0, Timestamp::millis)
    }

    /// The value, as a row keeps it.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

fn digest(first: &str, second: &[u8]) -> [u8; SHA256_OUTPUT_LEN] {
    let mut digest = Context::new(&SHA256);
    digest.update(&(first.len() as u64).to_be_bytes());
    digest.update(first.as_bytes());
    digest.update(second);
    let mut value = [0; SHA256_OUTPUT_LEN];
    value.copy_from_slice(digest.finish().as_ref());
    value
}

/// The key of an account: ours, not the issuer's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct UserId(Uuid);

impl UserId {
    pub(crate) fn new(id: Uuid) -> Self {
        Self(id)
    }

    /// The UUID that rows and answers hold.
    pub fn uuid(self) -> Uuid {
        self.0
    }
}

/// The active account on whose behalf a request works. Every repository method takes one first, and
/// only rows of its own are seen.
///
/// There is no public constructor: the accounts give one out for a verified token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner(UserId);

impl Owner {
    pub(crate) fn new(user: UserId) -> Self {
        Self(user)
    }

    /// Which account.
    pub fn id(&self) -> UserId {
        self.0
    }
}

/// Somebody who may see and (de)activate every account. There is no public constructor: the
/// administration's routes give one out for a verified token with the role.
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
    fn letters_that_move_between_issuer_and_subject_make_another_identity() {
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
    fn case_and_trailing_spaces_make_another_identity() {
        let ada = SubjectHash::new("https://a", "ada");
        assert_ne!(ada, SubjectHash::new("https://a", "Ada"));
        assert_ne!(ada, SubjectHash::new("https://a", "ada "));
    }
}
