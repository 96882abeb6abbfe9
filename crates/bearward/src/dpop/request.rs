//! The request that a proof is compared with.

use std::{
    net::IpAddr,
    sync::atomic::{AtomicU64, Ordering},
};

use bearward_http::{ForwardedElement, elements_from_the_right};

use super::{DpopConfig, ProofError, ProxyHeaders, htu, replay::ProofId};
use crate::http::RequestHead;

/// A request with a proof: its `DPoP` header fields, its method and its URL.
#[derive(Debug)]
pub struct ProofRequest {
    pub(super) proof: Result<String, ProofError>,
    pub(super) method: String,
    /// Normalized; `None` if the URL of the request is unknown.
    pub(super) url: Option<String>,
    /// The id of the accepted proof, or 0. Several extractors of one request check its proof.
    accepted: AtomicU64,
}

impl ProofRequest {
    /// Collects the values of all `DPoP` header fields, the method, and the URL at which the client
    /// has sent the request. A query and a fragment of the URL are ignored.
    ///
    /// # Security
    /// Pass every `DPoP` header field: a request with two must be rejected. The URL must not be
    /// taken from fields that clients can forge, see
    /// [`DpopConfig::base_url`](super::DpopConfig::base_url).
    pub fn new<V: AsRef<[u8]>>(
        proofs: impl IntoIterator<Item = V>,
        method: &str,
        url: &str,
    ) -> Self {
        Self::with_url(proofs, method, htu::normalize(url))
    }

    pub(crate) fn from_head(head: &RequestHead<'_>, config: &DpopConfig) -> Self {
        let url = url(head, config).and_then(|url| htu::normalize(&url));
        Self::with_url(head.values("dpop"), head.method(), url)
    }

    fn with_url<V: AsRef<[u8]>>(
        proofs: impl IntoIterator<Item = V>,
        method: &str,
        url: Option<String>,
    ) -> Self {
        let mut proofs = proofs.into_iter();
        let proof = match (proofs.next(), proofs.next()) {
            (None, _) => Err(ProofError::Missing),
            (Some(_), Some(_)) => Err(ProofError::SeveralHeaders),
            (Some(proof), None) => str::from_utf8(proof.as_ref().trim_ascii())
                .map(str::to_owned)
                .map_err(|_| ProofError::Malformed),
        };
        Self {
            proof,
            method: method.to_owned(),
            url,
            accepted: AtomicU64::new(0),
        }
    }

    /// Returns the method of the request.
    pub fn method(&self) -> &str {
        &self.method
    }

    /// Returns the proof; `None` if there is none or more than one.
    pub(crate) fn proof(&self) -> Option<&str> {
        self.proof.as_deref().ok()
    }

    /// Returns the normalized URL that `htu` is compared with; `None` if it is unknown.
    pub fn url(&self) -> Option<&str> {
        self.url.as_deref()
    }

    /// Returns whether this proof of this request was accepted before.
    pub(super) fn has_accepted(&self, ProofId { proof, .. }: ProofId) -> bool {
        proof != 0 && self.accepted.load(Ordering::Relaxed) == proof
    }

    pub(super) fn set_accepted(&self, ProofId { proof, .. }: ProofId) {
        self.accepted.store(proof, Ordering::Relaxed);
    }
}

/// Returns the URL at which the client has sent a request, without its query.
fn url(head: &RequestHead<'_>, config: &DpopConfig) -> Option<String> {
    let path = head.path();
    if let Some(base) = &config.base_url {
        let prefix = base.path().trim_end_matches('/');
        let origin = base.origin().ascii_serialization();
        return Some(format!("{origin}{prefix}{path}"));
    }
    let is_trusted = |peer: IpAddr| {
        let is_trusted = config.is_trusted_proxy.as_ref();
        is_trusted.is_some_and(|is_trusted| is_trusted(peer.to_canonical()))
    };
    let forwarded = match config.proxy_headers {
        _ if !head.peer().is_some_and(is_trusted) => Forwarded::default(),
        ProxyHeaders::XForwarded => Forwarded::x_forwarded(head)?,
        ProxyHeaders::Forwarded => Forwarded::rfc_7239(head, is_trusted)?,
    };
    let scheme = match &forwarded.scheme {
        Some(scheme) => scheme,
        None if head.is_secure() || config.is_always_secure => "https",
        None => "http",
    };
    let host = match &forwarded.host {
        Some(host) => host,
        None => only_value(head, "host").ok()?.or(head.authority())?,
    };
    let prefix = &forwarded.prefix;
    let is_prefix = prefix.is_empty() || prefix.starts_with('/');
    // A delimiter would move the end of the host or of the path.
    let is_plain = !host.contains(['/', '?', '#', '@']) && !prefix.contains(['?', '#']);
    (is_prefix && is_plain)
        .then(|| format!("{scheme}://{host}{}{path}", prefix.trim_end_matches('/')))
}

/// The parts of the URL of a request that a trusted proxy knows. Empty for other peers.
#[derive(Debug, Default)]
struct Forwarded {
    scheme: Option<String>,
    host: Option<String>,
    prefix: String,
}

impl Forwarded {
    /// Reads `X-Forwarded-*`. `None` if a field has several values.
    fn x_forwarded(head: &RequestHead<'_>) -> Option<Self> {
        let value = |name| Some(only_value(head, name).ok()?.map(str::to_owned));
        Some(Self {
            scheme: value("x-forwarded-proto")?,
            host: value("x-forwarded-host")?,
            prefix: value("x-forwarded-prefix")?.unwrap_or_default(),
        })
    }

    /// Reads `Forwarded` (RFC 7239): the element of the first trusted proxy that the request
    /// reached. `None` if an element that a trusted proxy wrote is malformed.
    fn rfc_7239(head: &RequestHead<'_>, is_trusted: impl Fn(IpAddr) -> bool) -> Option<Self> {
        let lines: Vec<&[u8]> = head.values("forwarded").collect();
        let mut outermost = ForwardedElement::default();
        for element in elements_from_the_right(&lines) {
            outermost = element.ok()?;
            if !outermost.address().is_some_and(&is_trusted) {
                break;
            }
        }
        Some(Self {
            scheme: outermost.scheme,
            host: outermost.host,
            prefix: String::new(),
        })
    }
}

/// Returns the value of a header field; `None` if it is absent.
///
/// # Errors
/// If there is more than one field, or more than one value in it.
fn only_value<'r>(head: &RequestHead<'r>, name: &str) -> Result<Option<&'r str>, ()> {
    let mut values = head.values(name);
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) if !value.contains(&b',') => {
            str::from_utf8(value.trim_ascii()).map(Some).map_err(|_| ())
        }
        _ => Err(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROXY: &str = "10.0.0.1";
    const CLIENT: &str = "192.0.2.1";

    fn config() -> DpopConfig {
        let proxy: IpAddr = PROXY.parse().unwrap();
        DpopConfig::default().trusted_proxies(move |peer| peer == proxy)
    }

    /// Returns the URL of `GET /orders?page=2` from a peer with these header fields.
    fn url_of(config: &DpopConfig, peer: &str, headers: &[(&str, &str)]) -> Option<String> {
        let headers = headers.iter().map(|(name, value)| (*name, *value));
        let head = RequestHead::new("GET", "/orders?page=2", headers)
            .with_peer(peer.parse().unwrap(), false);
        ProofRequest::from_head(&head, config).url
    }

    #[test]
    fn the_base_url_replaces_everything_that_clients_send() {
        let config = config().base_url("https://api.example.com/v1/".parse().unwrap());
        for peer in [PROXY, CLIENT] {
            let headers = [("host", "other.example"), ("x-forwarded-host", "b.example")];
            assert_eq!(
                url_of(&config, peer, &headers).as_deref(),
                Some("https://api.example.com/v1/orders")
            );
        }
    }

    #[test]
    fn headers_of_trusted_proxies_are_read() {
        let headers = [
            ("host", "internal:8000"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "API.example.com:443"),
            ("x-forwarded-prefix", "/v1/"),
        ];
        assert_eq!(
            url_of(&config(), PROXY, &headers).as_deref(),
            Some("https://api.example.com/v1/orders")
        );
        let mapped = url_of(&config(), "::ffff:10.0.0.1", &headers);
        assert_eq!(mapped.as_deref(), Some("https://api.example.com/v1/orders"));
        assert_eq!(
            url_of(&config(), CLIENT, &headers).as_deref(),
            Some("http://internal:8000/orders")
        );
        assert_eq!(
            url_of(&DpopConfig::default(), PROXY, &headers).as_deref(),
            Some("http://internal:8000/orders")
        );
    }

    #[test]
    fn ambiguous_headers_make_the_url_unknown() {
        let host = ("host", "a.example");
        for headers in [
            vec![],
            vec![host, ("host", "b.example")],
            vec![host, ("x-forwarded-host", "b.example, c.example")],
            vec![
                host,
                ("x-forwarded-host", "b.example"),
                ("x-forwarded-host", "b.example"),
            ],
            vec![host, ("x-forwarded-host", "b.example/path")],
            vec![host, ("x-forwarded-host", "b.example#")],
            vec![host, ("x-forwarded-proto", "https,http")],
            vec![host, ("x-forwarded-proto", "ftp")],
            vec![host, ("x-forwarded-prefix", "v1")],
            vec![host, ("x-forwarded-prefix", "/v1?")],
            vec![("host", "a.example@b.example")],
        ] {
            assert_eq!(url_of(&config(), PROXY, &headers), None, "{headers:?}");
        }
    }

    #[test]
    fn forwarded_is_read_only_if_the_proxies_write_it() {
        let headers = [
            ("host", "internal:8000"),
            ("x-forwarded-proto", "http"),
            ("x-forwarded-host", "other.example"),
            ("x-forwarded-prefix", "/v1"),
            (
                "forwarded",
                "for=192.0.2.9;proto=https;host=\"API.example.com:443\"",
            ),
        ];
        let rfc_7239 = || config().proxy_headers(ProxyHeaders::Forwarded);
        assert_eq!(
            url_of(&rfc_7239(), PROXY, &headers).as_deref(),
            Some("https://api.example.com/orders")
        );
        assert_eq!(
            url_of(&rfc_7239(), CLIENT, &headers).as_deref(),
            Some("http://internal:8000/orders")
        );
        assert_eq!(
            url_of(&config(), PROXY, &headers).as_deref(),
            Some("http://other.example/v1/orders")
        );
        assert_eq!(
            url_of(&rfc_7239(), PROXY, &headers[..4]).as_deref(),
            Some("http://internal:8000/orders")
        );
    }

    #[test]
    fn the_first_trusted_proxy_knows_the_url() {
        let config = config().proxy_headers(ProxyHeaders::Forwarded);
        let url = |value| {
            url_of(
                &config,
                PROXY,
                &[("host", "a.example"), ("forwarded", value)],
            )
        };
        for (value, expected) in [
            // The client has sent the first element.
            (
                "for=192.0.2.7;host=evil.example, for=192.0.2.1;host=b.example;proto=https",
                "https://b.example/orders",
            ),
            // Two trusted proxies: the inner one has received the request of the outer one.
            (
                "host=evil.example, for=192.0.2.1;host=b.example;proto=https, for=10.0.0.1;host=inner;proto=http",
                "https://b.example/orders",
            ),
            // The inner proxy does not say who sent the request.
            (
                "for=192.0.2.1;host=b.example, for=_hidden;host=c.example",
                "http://c.example/orders",
            ),
            ("for=192.0.2.1;proto=https", "https://a.example/orders"),
            (
                "for=\"a, for=192.0.2.1;host=b.example",
                "http://b.example/orders",
            ),
        ] {
            assert_eq!(url(value).as_deref(), Some(expected), "{value}");
        }
        for value in [
            "host=b.example, for=",
            "for=192.0.2.1;host=b.example;host=c.example",
            "for=192.0.2.1;host=\"b.example/x\"",
            "for=192.0.2.1;proto=ftp",
            "for=\"a, for=10.0.0.1;host=b.example",
        ] {
            assert_eq!(url(value), None, "{value}");
        }
    }

    #[test]
    fn the_target_may_have_the_absolute_form() {
        let config = config().base_url("https://api.example.com".parse().unwrap());
        for (target, path) in [
            ("http://internal/orders?a=b://c", "/orders"),
            ("http://internal", "/"),
            ("http://internal?a=/orders", "/"),
            ("/orders?next=https://other.example/x", "/orders"),
            ("/a://b", "/a://b"),
        ] {
            let head = RequestHead::new("GET", target, [("a", "b")]);
            let url = ProofRequest::from_head(&head, &config).url;
            assert_eq!(
                url,
                Some(format!("https://api.example.com{path}")),
                "{target}"
            );
        }
    }
}
