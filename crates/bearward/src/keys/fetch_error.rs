//! Why an attempt to fetch a key set failed.

use std::time::Duration;

/// A failed attempt to fetch a key set.
///
/// `Display` writes [`message`](Self::message).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
#[non_exhaustive]
pub struct FetchError {
    /// What went wrong.
    pub kind: FetchErrorKind,
    /// The description for operators, with the URL and the cause. Contains no credentials and no
    /// URL query.
    pub message: String,
    /// The pause that the server requested with `Retry-After`.
    pub retry_after: Option<Duration>,
}

impl FetchError {
    /// Creates an error without a `Retry-After`.
    pub fn new(kind: FetchErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            retry_after: None,
        }
    }

    /// Sets the pause that the server requested.
    #[must_use]
    pub fn with_retry_after(mut self, retry_after: Option<Duration>) -> Self {
        self.retry_after = retry_after;
        self
    }
}

/// The kind of a [`FetchError`]. No failure removes keys; each starts or extends the backoff.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FetchErrorKind {
    /// The host refused the TCP connection: nothing listens on that port.
    ConnectionRefused,
    /// The host name could not be resolved.
    NameResolution,
    /// The TLS handshake failed: the certificate is not trusted, or the server does not speak TLS.
    Tls,
    /// No connection within `connect_timeout`.
    ConnectTimeout,
    /// The connection failed for another reason, such as an unreachable network.
    Connect,
    /// No complete response within `timeout`.
    Timeout,
    /// The connection closed before the response was complete, or the response was not HTTP.
    Interrupted,
    /// The server redirected; redirects are not followed.
    Redirect {
        /// The target without credentials, query and fragment, cut to 120 characters; `None` if
        /// `Location` is missing or not a URL.
        location: Option<String>,
        /// Whether the status says that the document has moved permanently: 301 or 308.
        is_permanent: bool,
    },
    /// A status other than 200, or a 304 that was not requested.
    Status(u16),
    /// The document is larger than `max_bytes`.
    TooLarge,
    /// The response has a `Content-Encoding`, which was not requested, or its body is compressed
    /// with gzip.
    ContentEncoding,
    /// A file with credentials for the fetch cannot be used; nothing was requested.
    Credentials,
    /// The discovery document is for another issuer.
    IssuerMismatch,
    /// The discovery document is malformed, or its `jwks_uri` is not allowed.
    InvalidMetadata,
    /// The document is not a JSON object.
    NotJson,
    /// The document begins with a byte order mark, which JSON must not have (RFC 8259 §8.1).
    ByteOrderMark,
    /// The document is JSON, but not a JWK Set.
    NotJwks,
    /// The document is a map of X.509 certificates, as Firebase publishes beside its JWK Set.
    X509Certificates,
    /// The set has more than `max_keys` keys.
    TooManyKeys,
    /// The set is empty: `{"keys":[]}`.
    EmptyJwks,
    /// The set has keys, but none is usable.
    NoUsableKey,
    /// The fetch or the parser panicked.
    Panicked,
    /// The tokio runtime that the key set was built on has stopped; there are no further attempts.
    RuntimeStopped,
}

impl FetchErrorKind {
    /// The metric labels of failed attempts, in a fixed order.
    #[cfg(feature = "remote")]
    pub(super) const METRIC_LABELS: [&'static str; 14] = [
        "connect",
        "timeout",
        "interrupted",
        "redirect",
        "status",
        "too_large",
        "encoded",
        "credentials",
        "discovery",
        "not_json",
        "not_a_set",
        "too_many_keys",
        "no_usable_key",
        "panicked",
    ];

    /// Whether the server answers, but has no document at this URL. Many servers redirect to a
    /// sign-in page instead of answering 404.
    #[cfg(feature = "remote")]
    pub(super) fn is_missing_document(&self) -> bool {
        match self {
            Self::Status(status) => (400..500).contains(status) && *status != 429,
            Self::Redirect { .. } => true,
            Self::ConnectionRefused
            | Self::NameResolution
            | Self::Tls
            | Self::ConnectTimeout
            | Self::Connect
            | Self::Timeout
            | Self::Interrupted
            | Self::TooLarge
            | Self::ContentEncoding
            | Self::Credentials
            | Self::IssuerMismatch
            | Self::InvalidMetadata
            | Self::NotJson
            | Self::ByteOrderMark
            | Self::NotJwks
            | Self::X509Certificates
            | Self::TooManyKeys
            | Self::EmptyJwks
            | Self::NoUsableKey
            | Self::Panicked
            | Self::RuntimeStopped => false,
        }
    }

    /// The label in metrics and logs. Several kinds share a label, so that the number of time
    /// series stays small.
    pub const fn metric_label(&self) -> &'static str {
        match self {
            Self::ConnectionRefused
            | Self::NameResolution
            | Self::Tls
            | Self::ConnectTimeout
            | Self::Connect => "connect",
            Self::Timeout => "timeout",
            Self::Interrupted => "interrupted",
            Self::Redirect { .. } => "redirect",
            Self::Status(_) => "status",
            Self::TooLarge => "too_large",
            Self::ContentEncoding => "encoded",
            Self::Credentials => "credentials",
            Self::IssuerMismatch | Self::InvalidMetadata => "discovery",
            Self::NotJson | Self::ByteOrderMark => "not_json",
            Self::NotJwks | Self::X509Certificates => "not_a_set",
            Self::TooManyKeys => "too_many_keys",
            Self::EmptyJwks | Self::NoUsableKey => "no_usable_key",
            Self::Panicked => "panicked",
            // Not the outcome of an attempt, so never counted.
            Self::RuntimeStopped => "runtime_stopped",
        }
    }
}
