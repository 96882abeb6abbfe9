//! What is revoked.

use std::fmt;

use crate::clock::Timestamp;

/// What the tokens that a [`Revocation`] rejects have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum RevocationKind {
    /// The session, [`Claims::session_id`](crate::Claims::session_id).
    Session,
    /// The subject, [`Verified::subject`](crate::Verified::subject), up to a time of issue.
    Subject,
    /// The token, [`Claims::token_id`](crate::Claims::token_id) (`jti`).
    Token,
    /// The id of the key that verified the signature.
    Key,
}

impl RevocationKind {
    /// Returns the name: `session`, `subject`, `token` or `key`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Subject => "subject",
            Self::Token => "token",
            Self::Key => "key",
        }
    }

    /// Returns the kind with this [`name`](Self::name).
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Session, Self::Subject, Self::Token, Self::Key]
            .into_iter()
            .find(|kind| kind.name() == name)
    }
}

impl fmt::Display for RevocationKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// An entry of the revocation list: tokens of one issuer that are rejected although they have not
/// expired.
///
/// The issuer is the canonical one, see
/// [`Verified::canonical_issuer`](crate::Verified::canonical_issuer). If the issuer has a
/// placeholder, it is the `iss` of one tenant. The comparison of issuer and id is case-sensitive.
///
/// ```
/// use bearward::{Revocation, Timestamp};
///
/// let issuer = "https://id.example.com/";
/// let session = Revocation::session(issuer, "0f0e0d0c-0b0a-4908-8706-050403020100");
/// let subject = Revocation::subject(issuer, "ada", Timestamp::from_unix(1_800_000_000));
/// let other_sessions = subject.clone().except_session("0f0e0d0c-0b0a-4908-8706-050403020100");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[must_use]
pub struct Revocation {
    pub(super) kind: RevocationKind,
    pub(super) issuer: Box<str>,
    pub(super) id: Box<str>,
    pub(super) issued_before: Option<Timestamp>,
    pub(super) except_session: Option<Box<str>>,
    pub(super) expires_at: Option<Timestamp>,
}

impl Revocation {
    /// Revokes the tokens of a session.
    pub fn session(issuer: &str, session_id: &str) -> Self {
        Self::new(RevocationKind::Session, issuer, session_id)
    }

    /// Revokes the tokens of a subject that were issued at `issued_before` or earlier.
    ///
    /// `iat` has whole seconds with nearly all issuers. So a token is revoked if its `iat`, in whole
    /// seconds, is not greater than `issued_before` in whole seconds: a token that was issued after
    /// the revocation, but in the same second, is revoked too. A token without `iat` is revoked.
    ///
    /// # Security
    /// The time is compared with the issuer's clock. If that clock is ahead, tokens that were issued
    /// shortly before the revocation are not revoked; [`session`](Self::session) does not depend on
    /// clocks.
    pub fn subject(issuer: &str, subject: &str, issued_before: Timestamp) -> Self {
        Self {
            issued_before: Some(issued_before),
            ..Self::new(RevocationKind::Subject, issuer, subject)
        }
    }

    /// Revokes the token with this `jti`.
    pub fn token(issuer: &str, jti: &str) -> Self {
        Self::new(RevocationKind::Token, issuer, jti)
    }

    /// Revokes the tokens that were signed with a key of the issuer, also if their header does not
    /// name it.
    ///
    /// # Security
    /// All tokens of the issuer are rejected if it has no other key, so this is meant for
    /// administrators, after a key was compromised. The same public key under another `kid` is not
    /// revoked.
    pub fn key(issuer: &str, kid: &str) -> Self {
        Self::new(RevocationKind::Key, issuer, kid)
    }

    fn new(kind: RevocationKind, issuer: &str, id: &str) -> Self {
        Self {
            kind,
            issuer: issuer.into(),
            id: id.into(),
            issued_before: None,
            except_session: None,
            expires_at: None,
        }
    }

    /// Excludes the tokens of one session from the revocation of a subject, to sign out all other
    /// sessions. It has no effect on other kinds.
    pub fn except_session(mut self, session_id: &str) -> Self {
        self.except_session = Some(session_id.into());
        self
    }

    /// Sets when the entry is removed. Without it, that is after the
    /// [`retention`](crate::RevocationConfig::retention).
    ///
    /// # Security
    /// A token that expires later is accepted again after that time.
    pub fn expires_at(mut self, at: Timestamp) -> Self {
        self.expires_at = Some(at);
        self
    }

    /// Returns what the revoked tokens have in common.
    pub fn kind(&self) -> RevocationKind {
        self.kind
    }

    /// Returns the canonical issuer.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Returns the session id, the subject, the `jti` or the `kid`.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns up to when the revoked tokens of a subject were issued; `None` for other kinds.
    pub fn issued_before(&self) -> Option<Timestamp> {
        self.issued_before
    }

    /// Returns the session whose tokens stay valid.
    pub fn excepted_session(&self) -> Option<&str> {
        self.except_session.as_deref()
    }

    /// Returns when the entry is removed, if it was set.
    pub fn expiry(&self) -> Option<Timestamp> {
        self.expires_at
    }
}
