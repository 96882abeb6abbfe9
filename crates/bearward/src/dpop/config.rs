//! How proofs are checked.

use std::{fmt, net::IpAddr, sync::Arc, time::Duration};

use url::Url;

use super::nonce::NonceKey;
use crate::{algorithm::Algorithm, setting::Setting};

/// How proofs are checked: limits, nonces, and the URL of the service.
///
/// ```
/// use bearward::{Bearward, DpopConfig, DpopMode, Issuer};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let issuer = Issuer::new("https://id.example.com", "https://api.example.com")?
///     .dpop(DpopMode::Accepted);
/// let builder = Bearward::builder()
///     .issuer(issuer)
///     .dpop(DpopConfig::default().base_url("https://api.example.com".parse()?));
/// # Ok(()) }
/// ```
#[derive(Clone)]
#[must_use]
pub struct DpopConfig {
    pub(crate) max_age: Duration,
    pub(super) replay_entries: usize,
    pub(super) algorithms: Vec<Algorithm>,
    /// Empty if no nonce is required.
    pub(super) nonce_keys: Vec<NonceKey>,
    pub(super) base_url: Option<Url>,
    pub(super) is_trusted_proxy: Option<Arc<IsTrustedProxy>>,
    pub(super) proxy_headers: ProxyHeaders,
    pub(super) is_always_secure: bool,
}

/// The header fields in which reverse proxies describe the request that they received.
///
/// Only those are read that all proxies write: a client can send the others through most proxies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum ProxyHeaders {
    /// `X-Forwarded-Proto`, `X-Forwarded-Host` and `X-Forwarded-Prefix`.
    #[default]
    XForwarded,
    /// `Forwarded` (RFC 7239), with the parameters `proto`, `host` and `for`.
    Forwarded,
}

pub(super) type IsTrustedProxy = dyn Fn(IpAddr) -> bool + Send + Sync;

/// The reason why [`Builder::build`](crate::Builder::build) rejects a [`DpopConfig`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DpopConfigError {
    /// The maximum age is outside of [`DpopConfig::MAX_AGE`].
    #[error("the maximum age of DPoP proofs must be 1 second to 5 minutes")]
    MaxAge,
    /// The number of entries is outside of [`DpopConfig::REPLAY_ENTRIES`].
    #[error("the number of remembered DPoP proofs must be 1 to 100,000,000")]
    ReplayEntries,
    /// The list of algorithms is empty.
    #[error("no algorithm of DPoP proofs is accepted")]
    NoAlgorithm,
    /// A nonce key is shorter than [`DpopConfig::MIN_NONCE_KEY_BYTES`], or the list is empty.
    #[error("a nonce key must have at least 32 bytes")]
    NonceKey,
    /// The base URL is not an `http` or `https` URL.
    #[error("the base URL must be an http or https URL")]
    BaseUrl,
}

impl DpopConfig {
    /// How far `iat` of a proof may differ from the clock of this machine, in both directions
    /// ([`max_age`](Self::max_age)): 60 seconds; 1 second to 5 minutes.
    pub const MAX_AGE: Setting<Duration> = Setting::new(
        Duration::from_secs(60),
        Duration::from_secs(1),
        Duration::from_secs(5 * 60),
    );

    /// The maximum number of proofs that are remembered
    /// ([`replay_entries`](Self::replay_entries)): 100,000; 1 to 100,000,000.
    pub const REPLAY_ENTRIES: Setting<usize> = Setting::new(100_000, 1, 100_000_000);

    /// The minimum length of a nonce key, in bytes.
    pub const MIN_NONCE_KEY_BYTES: usize = 32;

    /// Sets how far `iat` of a proof may differ from the clock of this machine, in both directions
    /// ([`MAX_AGE`](Self::MAX_AGE)).
    pub fn max_age(mut self, max_age: Duration) -> Self {
        self.max_age = max_age;
        self
    }

    /// Sets the maximum number of proofs that are remembered to detect replays
    /// ([`REPLAY_ENTRIES`](Self::REPLAY_ENTRIES)). An entry takes 16 to 60 bytes, for at most twice
    /// [`max_age`](Self::max_age). At the limit, proofs are rejected with 503 instead of being
    /// accepted twice, so set it to more than the number of requests within that time.
    ///
    /// A key may have at most four times as many entries as are free, so one client cannot make the
    /// proofs of all others be rejected. If all clients use one key, four fifths of the entries are
    /// of use.
    ///
    /// # Security
    /// Each process has its own memory: a proof can be replayed once at every replica within its
    /// lifetime. [`nonce_keys`](Self::nonce_keys) shorten the time.
    pub fn replay_entries(mut self, entries: usize) -> Self {
        self.replay_entries = entries;
        self
    }

    /// Sets the signature algorithms of proofs. The default is every [`Algorithm`].
    pub fn algorithms(mut self, algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        self.algorithms = algorithms.into_iter().collect();
        self
    }

    /// Requires a nonce of this server in every proof (RFC 9449 §9), with a key that is generated
    /// now. Replicas do not accept each other's nonces; use [`nonce_keys`](Self::nonce_keys) then.
    pub fn require_nonce(mut self) -> Self {
        self.nonce_keys = vec![NonceKey::random()];
        self
    }

    /// Requires a nonce of this server in every proof (RFC 9449 §9). The first key creates nonces,
    /// and all of them verify. Replicas share the keys.
    ///
    /// To rotate, add the new key at the end on every replica, then move it to the front, and remove
    /// the old one after two minutes.
    ///
    /// ```
    /// # let (new, old) = ([7; 32], [8; 32]);
    /// let config = bearward::DpopConfig::default().nonce_keys([new, old]);
    /// ```
    pub fn nonce_keys<K: AsRef<[u8]>>(mut self, keys: impl IntoIterator<Item = K>) -> Self {
        self.nonce_keys = keys
            .into_iter()
            .map(|key| NonceKey::new(key.as_ref()))
            .collect();
        if self.nonce_keys.is_empty() {
            // Rejected when the verifier is built: an empty list must not disable nonces.
            self.nonce_keys.push(NonceKey::new(&[]));
        }
        self
    }

    /// Sets the URL at which clients reach the path `/` of this service. `htu` of a proof must be
    /// this URL followed by the path of the request; a path of this URL is a prefix that a proxy
    /// removes.
    ///
    /// Without it the URL is that of the request: see [`trusted_proxies`](Self::trusted_proxies).
    ///
    /// # Security
    /// Without it the client chooses the host: another server that receives a proof for itself can
    /// send it here with its own name in `Host`. The audience of the token is then the only
    /// protection.
    pub fn base_url(mut self, url: Url) -> Self {
        self.base_url = Some(url);
        self
    }

    /// Sets which peers are reverse proxies. Without a [`base_url`](Self::base_url), the URL of a
    /// request from such a peer is read from `X-Forwarded-Proto`, `X-Forwarded-Host` and
    /// `X-Forwarded-Prefix`, as far as they are present; all others can forge these fields. Several
    /// values of a field are rejected, because it is unknown which proxy wrote which.
    ///
    /// [`proxy_headers`](Self::proxy_headers) selects `Forwarded` (RFC 7239) in their place.
    ///
    /// ```
    /// use std::net::{IpAddr, Ipv4Addr};
    ///
    /// let proxy = IpAddr::from(Ipv4Addr::new(10, 0, 0, 1));
    /// let config = bearward::DpopConfig::default().trusted_proxies(move |peer| peer == proxy);
    /// ```
    pub fn trusted_proxies(
        mut self,
        is_trusted: impl Fn(IpAddr) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.is_trusted_proxy = Some(Arc::new(is_trusted));
        self
    }

    /// Sets which header fields [`trusted_proxies`](Self::trusted_proxies) write. The others are not
    /// read, so that they cannot disagree.
    ///
    /// Each proxy adds an element to `Forwarded`. They are read from the right, as long as `for`
    /// names a trusted proxy; the last one read describes the request of the client. A malformed
    /// element makes the URL unknown, and proofs are then rejected.
    ///
    /// # Security
    /// The proxies must write the selected fields, or remove those of their clients.
    pub fn proxy_headers(mut self, headers: ProxyHeaders) -> Self {
        self.proxy_headers = headers;
        self
    }

    /// Sets that every connection uses TLS, for a TLS listener that the framework does not know of.
    /// Without a [`base_url`](Self::base_url), the URL of requests is then an `https` URL.
    pub fn always_secure(mut self) -> Self {
        self.is_always_secure = true;
        self
    }

    /// Returns whether a nonce is required.
    pub fn requires_nonce(&self) -> bool {
        !self.nonce_keys.is_empty()
    }

    /// Returns the accepted signature algorithms.
    pub fn accepted_algorithms(&self) -> &[Algorithm] {
        &self.algorithms
    }

    pub(crate) fn validate(&self) -> Result<(), DpopConfigError> {
        let is_http = |url: &Url| matches!(url.scheme(), "http" | "https") && url.has_host();
        if !Self::MAX_AGE.range().contains(&self.max_age) {
            Err(DpopConfigError::MaxAge)
        } else if !Self::REPLAY_ENTRIES.range().contains(&self.replay_entries) {
            Err(DpopConfigError::ReplayEntries)
        } else if self.algorithms.is_empty() {
            Err(DpopConfigError::NoAlgorithm)
        } else if !self.nonce_keys.iter().all(NonceKey::is_long_enough) {
            Err(DpopConfigError::NonceKey)
        } else if !self.base_url.as_ref().is_none_or(is_http) {
            Err(DpopConfigError::BaseUrl)
        } else {
            Ok(())
        }
    }

    /// Returns whether the host of a request decides about its URL.
    pub(crate) fn uses_host_header(&self) -> bool {
        self.base_url.is_none()
    }
}

impl Default for DpopConfig {
    fn default() -> Self {
        Self {
            max_age: Self::MAX_AGE.default,
            replay_entries: Self::REPLAY_ENTRIES.default,
            algorithms: Algorithm::ALL.to_vec(),
            nonce_keys: Vec::new(),
            base_url: None,
            is_trusted_proxy: None,
            proxy_headers: ProxyHeaders::default(),
            is_always_secure: false,
        }
    }
}

/// Prints no key.
impl fmt::Debug for DpopConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DpopConfig")
            .field("max_age", &self.max_age)
            .field("replay_entries", &self.replay_entries)
            .field("algorithms", &self.algorithms)
            .field("requires_nonce", &self.requires_nonce())
            .field("base_url", &self.base_url.as_ref().map(Url::as_str))
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_checked_just_inside_and_just_outside() {
        let second = Duration::from_secs(1);
        let valid = |config: DpopConfig| config.validate();
        let config = DpopConfig::default;
        assert_eq!(valid(config()), Ok(()));
        assert_eq!(valid(config().max_age(second)), Ok(()));
        assert_eq!(valid(config().max_age(second * 300)), Ok(()));
        let short = second - Duration::from_millis(1);
        assert_eq!(valid(config().max_age(short)), Err(DpopConfigError::MaxAge));
        let long = second * 300 + Duration::from_millis(1);
        assert_eq!(valid(config().max_age(long)), Err(DpopConfigError::MaxAge));
        assert_eq!(valid(config().replay_entries(1)), Ok(()));
        let none = config().replay_entries(0);
        assert_eq!(valid(none), Err(DpopConfigError::ReplayEntries));
        let many = config().replay_entries(100_000_001);
        assert_eq!(valid(many), Err(DpopConfigError::ReplayEntries));
        assert_eq!(
            valid(config().algorithms([])),
            Err(DpopConfigError::NoAlgorithm)
        );
        assert_eq!(valid(config().nonce_keys([[1; 32]])), Ok(()));
        let short = config().nonce_keys([vec![1; 32], vec![1; 31]]);
        assert_eq!(valid(short), Err(DpopConfigError::NonceKey));
        let empty = config().nonce_keys(Vec::<Vec<u8>>::new());
        assert_eq!(valid(empty), Err(DpopConfigError::NonceKey));
        let ftp = config().base_url("ftp://example.com".parse().unwrap());
        assert_eq!(valid(ftp), Err(DpopConfigError::BaseUrl));
    }

    #[test]
    fn debug_prints_no_key() {
        let config = DpopConfig::default().nonce_keys([[0xab; 32]]);
        let text = format!("{config:?}");
        assert!(text.contains("requires_nonce: true") && !text.contains("171"));
    }
}
