//! The network as an argument: the request for a document and the possible responses.

use std::{fmt, future::Future, pin::Pin};

use url::Url;

use super::{credentials::FetchHeaders, fetch_error::FetchError, freshness::Freshness};
use crate::clock::Timestamp;

/// The future that [`Fetch::fetch`] returns.
pub type FetchFuture = Pin<Box<dyn Future<Output = Result<FetchResponse, FetchError>> + Send>>;

/// Fetches one document. [`HttpFetch`](super::HttpFetch) is the implementation for HTTP; tests
/// provide their own.
///
/// # Security
/// An implementation must bound its own time, must not follow redirects, must not read more than
/// the configured `max_bytes`, and must not request any URL other than the given one, which is the
/// configured URL or the `jwks_uri` of the configured issuer. A panic counts as a failed attempt.
pub trait Fetch: fmt::Debug + Send + Sync + 'static {
    /// Starts one fetch.
    fn fetch(&self, request: FetchRequest) -> FetchFuture;
}

/// The document to fetch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchRequest {
    /// The URL of the document.
    pub url: Url,
    /// The ETag of the cached document, for `If-None-Match`.
    pub etag: Option<String>,
    /// Header fields with credentials, which must be sent to this URL only.
    pub headers: FetchHeaders,
}

/// A successful fetch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FetchResponse {
    /// 304: the cached document is current.
    NotModified {
        /// How long the document is fresh.
        freshness: Freshness,
        /// The server's time: `Date`. `None` if a cache answered (`Age` above 0).
        server_time: Option<Timestamp>,
    },
    /// 200.
    Document {
        /// The document.
        body: Vec<u8>,
        /// The `ETag` field, unchanged.
        etag: Option<String>,
        /// How long the document is fresh.
        freshness: Freshness,
        /// The server's time: `Date`. `None` if a cache answered (`Age` above 0).
        server_time: Option<Timestamp>,
    },
}
