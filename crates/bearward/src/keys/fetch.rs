//! The network as an argument: what a fetch is asked for and what it may answer.

use std::{fmt, future::Future, pin::Pin, time::Duration};

use url::Url;

use super::freshness::Freshness;
use crate::clock::Timestamp;

/// What [`Fetch::fetch`] returns.
pub type Fetching = Pin<Box<dyn Future<Output = Result<Fetched, FetchError>> + Send>>;

/// Gets one document. [`HttpFetch`](super::HttpFetch) does it over HTTP; tests script it.
///
/// An implementation bounds its own time, follows no redirect, reads no more than its policy
/// allows, and asks for no other address than the one it was given: the configured one, or the one
/// that the configured issuer's metadata names. When it panics, the attempt has failed.
pub trait Fetch: fmt::Debug + Send + Sync + 'static {
    /// Starts one fetch.
    fn fetch(&self, request: FetchRequest) -> Fetching;
}

/// What to fetch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchRequest {
    /// From where.
    pub url: Url,
    /// The ETag of the document that is there already, for `If-None-Match`.
    pub etag: Option<String>,
}

/// What a fetch brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fetched {
    /// 304: the document that is there already is the current one.
    NotModified {
        /// For how long.
        lifetime: Freshness,
        /// What time it is there: `Date` plus `Age`.
        server_time: Option<Timestamp>,
    },
    /// 200.
    Document {
        /// The document.
        body: Vec<u8>,
        /// Its `ETag`, as it was sent.
        etag: Option<String>,
        /// For how long it is fresh.
        lifetime: Freshness,
        /// What time it is there: `Date` plus `Age`.
        server_time: Option<Timestamp>,
    },
}

/// A failed fetch.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct FetchError {
    /// Its kind, for counters.
    pub failure: Failure,
    /// For operators: no credential, no address with one.
    pub detail: String,
    /// When the server asked to come back.
    pub retry_after: Option<Duration>,
}

impl FetchError {
    /// A failure whose server did not say when to come back.
    pub fn new(failure: Failure, detail: impl Into<String>) -> Self {
        Self {
            failure,
            detail: detail.into(),
            retry_after: None,
        }
    }
}

/// The ways in which an attempt fails. Each leaves the keys that are there in place and starts or
/// prolongs the backoff.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Failure {
    /// No connection: name look-up, TCP or TLS.
    Connect,
    /// No whole answer in time.
    Timeout,
    /// The answer broke off, or was not HTTP.
    Interrupted,
    /// A redirect, which is never followed.
    Redirect,
    /// Any other status but 200, and 304 where it was asked for.
    Status,
    /// More bytes than `max_bytes`.
    TooLarge,
    /// A `Content-Encoding`, which was not asked for.
    Encoded,
    /// The issuer's metadata does not lead to its keys.
    Discovery,
    /// Not JSON.
    NotJson,
    /// JSON, but no JWK Set.
    NotASet,
    /// More keys than `max_keys`.
    TooManyKeys,
    /// A set without a single usable key, such as `{"keys":[]}`.
    NoUsableKey,
    /// The fetch or the parser panicked.
    Panicked,
}

impl Failure {
    /// Every failure.
    pub const ALL: [Self; 13] = [
        Self::Connect,
        Self::Timeout,
        Self::Interrupted,
        Self::Redirect,
        Self::Status,
        Self::TooLarge,
        Self::Encoded,
        Self::Discovery,
        Self::NotJson,
        Self::NotASet,
        Self::TooManyKeys,
        Self::NoUsableKey,
        Self::Panicked,
    ];

    /// The label in metrics and logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Timeout => "timeout",
            Self::Interrupted => "interrupted",
            Self::Redirect => "redirect",
            Self::Status => "status",
            Self::TooLarge => "too_large",
            Self::Encoded => "encoded",
            Self::Discovery => "discovery",
            Self::NotJson => "not_json",
            Self::NotASet => "not_a_set",
            Self::TooManyKeys => "too_many_keys",
            Self::NoUsableKey => "no_usable_key",
            Self::Panicked => "panicked",
        }
    }
}
