//! Determines the address of a client behind trusted proxies.
//!
//! Hand-written because actix-web's `ConnectionInfo` trusts `X-Forwarded-For` of every peer.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Once,
};

use actix_web::{
    HttpRequest,
    http::header::{FORWARDED, HeaderValue, X_FORWARDED_FOR},
};
use bearward::ProxyHeaders;
use bearward_http::elements_from_the_right;
use ipnet::IpNet;

/// Maximum number of elements of `X-Forwarded-For` that are read.
const MAX_HOPS: usize = 32;

/// Length of the longest element that can be an address:
/// `[ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255]:65535` has 53 bytes.
const MAX_ELEMENT: usize = 53;

/// Limits the warning about an ignored header to one per process, because clients can
/// trigger it.
static WARNED: Once = Once::new();

/// The networks of proxies, and the header in which they name the sender of a request:
/// `X-Forwarded-For`, or `Forwarded` (RFC 7239).
///
/// Only one of both is read. A proxy that writes one of them forwards the other one as the client
/// has sent it.
#[derive(Debug, Clone, Default)]
pub(super) struct TrustedProxies {
    networks: Vec<IpNet>,
    headers: ProxyHeaders,
}

impl TrustedProxies {
    /// Trusts proxies in these networks, which write these headers.
    pub(super) fn new(networks: impl IntoIterator<Item = IpNet>, headers: ProxyHeaders) -> Self {
        Self {
            networks: networks.into_iter().collect(),
            headers,
        }
    }

    /// Returns the address of the client. IPv4-mapped IPv6 addresses are canonicalized.
    ///
    /// The header is read only if the peer is a trusted proxy. The list is read from the
    /// right, where the nearest proxy appends its peer. The first address that is not a trusted
    /// proxy is the client; elements to its left are under the client's control. Reading stops at
    /// the first invalid element or after 32 elements; the last valid address is then the client. A
    /// request without a socket, as in tests, comes from 0.0.0.0.
    pub(super) fn client_address(&self, request: &HttpRequest) -> IpAddr {
        let peer = request
            .peer_addr()
            .map_or(Ipv4Addr::UNSPECIFIED.into(), |peer| {
                peer.ip().to_canonical()
            });
        let (name, shown) = if self.headers == ProxyHeaders::Forwarded {
            (FORWARDED, "Forwarded")
        } else {
            (X_FORWARDED_FOR, "X-Forwarded-For")
        };
        if !self.is_trusted(peer) {
            if request.headers().contains_key(&name) {
                WARNED.call_once(|| {
                    tracing::warn!(
                        "ignored {shown} of a request from {peer}, which is not a trusted proxy; if it is your proxy, add it to \
                         server.trusted_proxies, otherwise all its clients share one rate limit"
                    );
                });
            }
            return peer;
        }
        let values = request.headers().get_all(&name);
        let lines: Vec<&[u8]> = values.map(HeaderValue::as_bytes).collect();
        if self.headers == ProxyHeaders::Forwarded {
            let elements = elements_from_the_right(&lines);
            return self.walk(peer, elements.map(|element| element.ok()?.address()));
        }
        let elements = lines
            .iter()
            .rev()
            .flat_map(|line| line.rsplit(|&byte| byte == b','))
            .map(<[u8]>::trim_ascii)
            .take(MAX_HOPS)
            // Recipients ignore empty list elements (RFC 9110 §5.6.1.2).
            .filter(|element| !element.is_empty());
        self.walk(peer, elements.map(parse_element))
    }

    /// Returns the first address that is not a trusted proxy, or else the last one before the end or
    /// an invalid element.
    fn walk(&self, peer: IpAddr, elements: impl Iterator<Item = Option<IpAddr>>) -> IpAddr {
        let mut address = peer;
        for forwarded in elements.map_while(|element| element) {
            address = forwarded;
            if !self.is_trusted(address) {
                break;
            }
        }
        address
    }

    /// Returns whether the peer of a connection is a trusted proxy.
    pub(super) fn is_trusted_peer(&self, peer: Option<SocketAddr>) -> bool {
        peer.is_some_and(|peer| self.is_trusted(peer.ip().to_canonical()))
    }

    fn is_trusted(&self, address: IpAddr) -> bool {
        self.networks
            .iter()
            .any(|network| network.contains(&address))
    }
}

/// Returns the key under which requests of an address are counted: an IPv4 address, or the /64
/// network of an IPv6 address, which is the smallest allocation per customer (RFC 6177 §2).
pub(super) fn rate_limit_key(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX)).into(),
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// Parses an element of `X-Forwarded-For`: an address, optionally with a port or with brackets
/// around IPv6.
fn parse_element(element: &[u8]) -> Option<IpAddr> {
    let text = str::from_utf8(element)
        .ok()
        .filter(|text| text.len() <= MAX_ELEMENT)?;
    let without_brackets = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .filter(|inner| inner.contains(':'))
        .unwrap_or(text);
    let address = without_brackets
        .parse()
        .or_else(|_| text.parse::<SocketAddr>().map(|socket| socket.ip()));
    address.ok().map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    const LOAD_BALANCER: &str = "10.0.0.1:4711";

    /// Returns the client of a request from `peer` with these `X-Forwarded-For` lines. Trusts
    /// `10.0.0.0/8` and `fd00::/8`.
    fn client(peer: &str, lines: &[&str]) -> String {
        let lines: Vec<_> = lines
            .iter()
            .map(|line| ("x-forwarded-for", *line))
            .collect();
        client_with(ProxyHeaders::XForwarded, peer, &lines)
    }

    fn client_with(headers: ProxyHeaders, peer: &str, lines: &[(&str, &str)]) -> String {
        let trusted = ["10.0.0.0/8", "fd00::/8"].map(|network| network.parse().expect("a network"));
        let request = TestRequest::get().peer_addr(peer.parse().expect("an address"));
        let request = lines
            .iter()
            .fold(request, |request, line| request.append_header(*line));
        TrustedProxies::new(trusted, headers)
            .client_address(&request.to_http_request())
            .to_string()
    }

    #[test]
    fn forwarded_is_read_only_if_the_proxies_write_it() {
        let forwarded = ("forwarded", "for=198.51.100.7;proto=https");
        let x_forwarded = ("x-forwarded-for", "203.0.113.1");
        let both = [forwarded, x_forwarded];
        let rfc_7239 = |peer, lines: &[_]| client_with(ProxyHeaders::Forwarded, peer, lines);
        assert_eq!(rfc_7239(LOAD_BALANCER, &both), "198.51.100.7");
        assert_eq!(rfc_7239(LOAD_BALANCER, &[x_forwarded]), "10.0.0.1");
        assert_eq!(rfc_7239("192.0.2.1:1", &both), "192.0.2.1");
        assert_eq!(
            rfc_7239("11.0.0.0:1", &both),
            "11.0.0.0",
            "just outside the network"
        );
        assert_eq!(
            rfc_7239("10.255.255.255:1", &both),
            "198.51.100.7",
            "just inside"
        );
        let x_only = |lines: &[_]| client_with(ProxyHeaders::XForwarded, LOAD_BALANCER, lines);
        assert_eq!(x_only(&both), "203.0.113.1");
        assert_eq!(x_only(&[forwarded]), "10.0.0.1");
    }

    #[test]
    fn forwarded_is_read_from_the_right_past_trusted_proxies() {
        let client = |value| {
            let lines = [("forwarded", value)];
            client_with(ProxyHeaders::Forwarded, LOAD_BALANCER, &lines)
        };
        for (value, address) in [
            (
                "for=1.1.1.1, for=198.51.100.7, for=10.2.2.2",
                "198.51.100.7",
            ),
            ("for=\"[2001:db8::1]:443\";by=10.0.0.1", "2001:db8::1"),
            ("for=198.51.100.7, for=unknown, for=10.2.2.2", "10.2.2.2"),
            ("for=198.51.100.7, for=_hidden", "10.0.0.1"),
            ("for=\"1.1.1.1, for=198.51.100.7", "198.51.100.7"),
            ("for=198.51.100.7, proto=https", "10.0.0.1"),
            ("for=198.51.100.7, for=2001:db8::1", "10.0.0.1"),
            ("", "10.0.0.1"),
        ] {
            assert_eq!(client(value), address, "{value}");
        }
    }

    #[test]
    fn the_peer_is_the_client_without_a_header() {
        assert_eq!(client("192.0.2.1:1", &[]), "192.0.2.1");
        assert_eq!(client(LOAD_BALANCER, &[]), "10.0.0.1");
        assert_eq!(client(LOAD_BALANCER, &[""]), "10.0.0.1");
    }

    #[test]
    fn the_header_of_an_untrusted_peer_is_ignored() {
        assert_eq!(client("192.0.2.1:1", &["198.51.100.7"]), "192.0.2.1");
        assert_eq!(
            client("11.0.0.0:1", &["198.51.100.7"]),
            "11.0.0.0",
            "just outside the network"
        );
        assert_eq!(
            client("10.255.255.255:1", &["198.51.100.7"]),
            "198.51.100.7",
            "just inside"
        );
    }

    #[test]
    fn no_proxy_is_trusted_by_default() {
        let request = TestRequest::get().peer_addr("127.0.0.1:1".parse().expect("an address"));
        let request = request
            .insert_header(("x-forwarded-for", "198.51.100.7"))
            .to_http_request();
        assert_eq!(
            TrustedProxies::default()
                .client_address(&request)
                .to_string(),
            "127.0.0.1"
        );
    }

    #[test]
    fn the_list_is_read_from_the_right_past_trusted_proxies() {
        assert_eq!(
            client(LOAD_BALANCER, &["198.51.100.7, 10.2.2.2, 10.3.3.3"]),
            "198.51.100.7"
        );
        assert_eq!(
            client(LOAD_BALANCER, &["1.1.1.1, 198.51.100.7,10.2.2.2"]),
            "198.51.100.7",
            "1.1.1.1 is under the client's control"
        );
        assert_eq!(
            client(LOAD_BALANCER, &["10.9.9.9, 198.51.100.7"]),
            "198.51.100.7",
            "a prepended proxy address is not reached"
        );
        assert_eq!(
            client(LOAD_BALANCER, &["10.2.2.2, 10.3.3.3"]),
            "10.2.2.2",
            "a request that a proxy sends itself"
        );
    }

    #[test]
    fn several_lines_are_one_list() {
        assert_eq!(
            client(
                LOAD_BALANCER,
                &["1.1.1.1", "198.51.100.7, 10.2.2.2", "10.3.3.3"]
            ),
            "198.51.100.7"
        );
        assert_eq!(
            client(LOAD_BALANCER, &["198.51.100.7", "", ", ,10.3.3.3,"]),
            "198.51.100.7"
        );
    }

    #[test]
    fn reading_stops_at_the_first_invalid_element() {
        for garbage in [
            "unknown",
            "_hidden",
            "localhost",
            "1.2.3",
            "fe80::1%eth0",
            "[1.2.3.4]",
            "1.2.3.4:x",
            "\"1.2.3.4\"",
            "a b",
        ] {
            assert_eq!(
                client(
                    LOAD_BALANCER,
                    &[&format!("198.51.100.7, {garbage}, 10.2.2.2")]
                ),
                "10.2.2.2",
                "{garbage}"
            );
            assert_eq!(
                client(LOAD_BALANCER, &[&format!("198.51.100.7, {garbage}")]),
                "10.0.0.1",
                "{garbage}"
            );
            assert_eq!(
                client(LOAD_BALANCER, &[&format!("{garbage}, 198.51.100.7")]),
                "198.51.100.7",
                "{garbage}"
            );
        }
    }

    #[test]
    fn ports_and_brackets_are_removed() {
        for (element, address) in [
            ("198.51.100.7:443", "198.51.100.7"),
            ("2001:db8::1", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("[2001:db8::1]:443", "2001:db8::1"),
            (
                "[ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255]:65535",
                "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
            ),
        ] {
            assert_eq!(client(LOAD_BALANCER, &[element]), address, "{element}");
        }
    }

    #[test]
    fn ipv4_mapped_addresses_are_canonicalized() {
        assert_eq!(
            client("[::ffff:10.0.0.1]:1", &["::ffff:198.51.100.7"]),
            "198.51.100.7"
        );
        assert_eq!(
            client("[::ffff:192.0.2.1]:1", &["198.51.100.7"]),
            "192.0.2.1"
        );
        assert_eq!(
            client("[fd00::1]:1", &["198.51.100.7, ::ffff:10.0.0.2"]),
            "198.51.100.7"
        );
    }

    #[test]
    fn at_most_32_elements_are_read() {
        let behind_proxies =
            |proxies: usize| format!("198.51.100.7{}", ", 10.2.2.2".repeat(proxies));
        assert_eq!(
            client(LOAD_BALANCER, &[&behind_proxies(31)]),
            "198.51.100.7"
        );
        assert_eq!(client(LOAD_BALANCER, &[&behind_proxies(32)]), "10.2.2.2");
        assert_eq!(client(LOAD_BALANCER, &[&",".repeat(100_000)]), "10.0.0.1");
        assert_eq!(client(LOAD_BALANCER, &[&"1".repeat(100_000)]), "10.0.0.1");
    }

    #[test]
    fn ipv6_clients_are_counted_by_their_64_bit_network() {
        let key = |text: &str| rate_limit_key(text.parse().expect("an address")).to_string();
        assert_eq!(key("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(key("2001:db8:1:2:ffff:ffff:ffff:ffff"), "2001:db8:1:2::");
        assert_eq!(key("2001:db8:1:3::"), "2001:db8:1:3::");
        assert_eq!(key("192.0.2.1"), "192.0.2.1");
        assert_eq!(
            key("::ffff:192.0.2.1"),
            "192.0.2.1",
            "not ::/64, which all IPv4 clients would share"
        );
    }
}
