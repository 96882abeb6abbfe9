//! Keys of machine callers: their configuration, their format and their verification.

mod format;
mod registry;
mod service;

use std::fmt;

pub use self::{format::NewServiceKey, service::Service};
pub(crate) use self::{
    format::{KEY_PREFIX, is_service_key},
    registry::ServiceKeys,
};
use crate::clock::Timestamp;

/// The digest of a key.
pub(crate) type Digest = [u8; 32];

/// A service that calls this resource server with a key of its own: its name, the digests of its
/// keys, its scopes and its expiry.
///
/// Only digests are configured, so the configuration does not have to be secret. Several digests
/// are accepted at the same time, so that a key can be replaced without an interruption.
///
/// ```
/// use bearward::{Bearward, NewServiceKey, ServiceKey};
///
/// # fn main() -> Result<(), bearward::ServiceKeyError> {
/// # let key = NewServiceKey::generate();
/// # let digest = key.sha256();
/// let cron = ServiceKey::new("cron")?
///     .sha256(&digest)? // 64 hexadecimal digits
///     .scope("reports:write")?;
/// let builder = Bearward::builder().service_key(cron);
/// # Ok(()) }
/// ```
///
/// # Security
/// A digest protects a key because the key has at least 128 random bits. [`NewServiceKey`] creates
/// such a key. Do not configure the digest of a password.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct ServiceKey {
    pub(crate) name: Box<str>,
    pub(crate) digests: Vec<Digest>,
    pub(crate) scopes: Vec<Box<str>>,
    pub(crate) expires: Option<Timestamp>,
}

/// The reason why the configuration of a [`ServiceKey`] is rejected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ServiceKeyError {
    /// The name is not usable as a metric label and as a header value.
    #[error(
        "invalid name of a service {0:?}: use 1 to 64 letters, digits, \".\", \"-\" and \"_\"; \"none\" is reserved"
    )]
    Name(String),
    /// The digest is not a SHA-256 digest. The text is not repeated: it may be the key.
    #[error(
        "a digest must have 64 hexadecimal digits; `bearward keys new` prints the digest of a new key, and `printf %s \"$KEY\" | sha256sum` that of another one"
    )]
    Digest,
    /// A scope has a character that is not allowed (RFC 6749 §3.3).
    #[error("invalid scope {0:?}: use visible ASCII characters without quotes and backslashes")]
    Scope(String),
    /// There is no digest, so no key would be accepted.
    #[error("service {0:?} has no digest")]
    NoDigest(String),
    /// Two services have the same name.
    #[error("two services have the name {0:?}")]
    DoubledName(String),
    /// Two services, or two keys of one service, have the same digest.
    #[error("services {0:?} and {1:?} have the same digest; each key names one service")]
    DoubledDigest(String, String),
}

/// The reason why a service key is rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ServiceKeyProblem {
    /// The text after `bwk_` does not have the length, the alphabet or the checksum of a key. It
    /// was not looked up.
    #[error(
        "the service key is mistyped or incomplete: its checksum does not match; copy it again"
    )]
    Mistyped,
    /// No configured digest is the digest of the key.
    #[error("unknown service key")]
    Unknown,
    /// The expiry of the key has passed.
    #[error("the service key has expired; get a new one from the operator of this service")]
    Expired {
        /// The configured expiry.
        at: Timestamp,
        /// The time of the check.
        now: Timestamp,
    },
}

impl ServiceKey {
    /// Creates a service without a key. The name is in logs and in the metric label `service`.
    ///
    /// # Errors
    /// [`ServiceKeyError::Name`] unless it has 1 to 64 letters, digits, `.`, `-` and `_`, or if it
    /// is `none`, the metric label of unknown keys.
    pub fn new(name: &str) -> Result<Self, ServiceKeyError> {
        let is_valid = (1..=64).contains(&name.len())
            && name != "none"
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'));
        if !is_valid {
            return Err(ServiceKeyError::Name(name.to_owned()));
        }
        Ok(Self {
            name: name.into(),
            digests: Vec::new(),
            scopes: Vec::new(),
            expires: None,
        })
    }

    /// Adds the SHA-256 digest of a key, in hexadecimal digits. At least one is required.
    ///
    /// # Errors
    /// [`ServiceKeyError::Digest`] unless it has 64 hexadecimal digits.
    pub fn sha256(mut self, digest: &str) -> Result<Self, ServiceKeyError> {
        self.digests
            .push(format::parse_digest(digest).ok_or(ServiceKeyError::Digest)?);
        Ok(self)
    }

    /// Adds scopes, separated by spaces. Without any, the service meets no requirement for a scope.
    ///
    /// # Errors
    /// [`ServiceKeyError::Scope`] for characters that RFC 6749 §3.3 does not allow.
    pub fn scope(mut self, scopes: &str) -> Result<Self, ServiceKeyError> {
        let is_allowed =
            |c: char| matches!(c, '\u{21}' | '\u{23}'..='\u{5b}' | '\u{5d}'..='\u{7e}');
        for scope in scopes.split(' ').filter(|scope| !scope.is_empty()) {
            if !scope.chars().all(is_allowed) {
                return Err(ServiceKeyError::Scope(scope.to_owned()));
            }
            self.scopes.push(scope.into());
        }
        Ok(self)
    }

    /// Sets the time from which the keys of this service are rejected. The default is never.
    ///
    /// ```
    /// use bearward::{ServiceKey, Timestamp};
    ///
    /// # fn main() -> Result<(), bearward::ServiceKeyError> {
    /// let until_2030 = ServiceKey::new("migration")?.expires(Timestamp::from_unix(1_893_456_000));
    /// # Ok(()) }
    /// ```
    pub fn expires(mut self, at: Timestamp) -> Self {
        self.expires = Some(at);
        self
    }

    /// Returns the name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the scopes.
    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        self.scopes.iter().map(AsRef::as_ref)
    }

    /// Returns the time from which the keys are rejected; `None` if there is none.
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.expires
    }

    /// Returns the ids of the keys; see [`Service::key_id`].
    pub fn key_ids(&self) -> impl Iterator<Item = String> {
        self.digests.iter().map(format::key_id)
    }
}

impl ServiceKeyProblem {
    /// Returns the label for logs and metrics.
    pub(crate) fn metric_label(self) -> &'static str {
        match self {
            Self::Mistyped => "service_key_mistyped",
            Self::Unknown => "service_key_unknown",
            Self::Expired { .. } => "service_key_expired",
        }
    }
}

/// Prints the id of the key and not the key.
impl fmt::Debug for NewServiceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewServiceKey")
            .field("key_id", &format::key_id(&format::digest(self.expose())))
            .finish_non_exhaustive()
    }
}
