//! The address of the client: the socket's peer, or whom a trusted proxy names.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Once,
};

use actix_web::{
    HttpRequest,
    http::header::{HeaderValue, X_FORWARDED_FOR},
};
use ipnet::IpNet;

/// So many elements of `X-Forwarded-For` are read; nobody has that many proxies in a row.
const MAX_HOPS: usize = 32;

/// The longest element that can be an address:
/// `[ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255]:65535` has 53 bytes.
const MAX_ELEMENT: usize = 53;

/// Told once a process: a client can write the header as often as it likes.
static UNREAD: Once = Once::new();

/// The proxies in front of the server, whose word about their client is believed.
///
/// Only `X-Forwarded-For` is read: nginx, Caddy, Envoy, Traefik and the load balancers of the
/// clouds write it unless told otherwise, and none of them writes RFC 7239's `Forwarded`. To read
/// both would let a client write the one that its proxy does not.
#[derive(Debug, Clone, Default)]
pub(super) struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    /// These and no other.
    pub(super) fn new(networks: impl IntoIterator<Item = IpNet>) -> Self {
        Self(networks.into_iter().collect())
    }

    /// The address that a request comes from, never IPv4 in IPv6 clothes.
    ///
    /// The list is read from the right, where the nearest proxy has written whom it saw; trusted
    /// proxies are skipped, and the first address that is none of them is the client. What
    /// stands left of it was written by the client. Reading ends at anything that
    /// is no address: the last one before it is the client then, and a trusted proxy itself when it
    /// names nobody. Without a socket, as in tests inside the process, it is 0.0.0.0.
    pub(super) fn client(&self, request: &HttpRequest) -> IpAddr {
        let mut address = request
            .peer_addr()
            .map_or(Ipv4Addr::UNSPECIFIED.into(), |peer| {
                peer.ip().to_canonical()
            });
        if !self.trusts(address) {
            if request.headers().contains_key(X_FORWARDED_FOR) {
                UNREAD.call_once(|| {
                    tracing::warn!(
                        "a request from {address} has an X-Forwarded-For, which is not read: if that is a proxy of yours, name it in \
                         server.trusted_proxies, or all its clients share one quota"
                    );
                });
            }
            return address;
        }
        let lines: Vec<&[u8]> = request
            .headers()
            .get_all(X_FORWARDED_FOR)
            .map(HeaderValue::as_bytes)
            .collect();
        let elements = lines
            .iter()
            .rev()
            .flat_map(|line| line.rsplit(|&byte| byte == b','))
            .map(<[u8]>::trim_ascii);
        // RFC 9110 §5.6.1.2: empty elements of a list say nothing.
        for element in elements
            .take(MAX_HOPS)
            .filter(|element| !element.is_empty())
        {
            let Some(named) = self::address(element) else {
                break;
            };
            address = named;
            if !self.trusts(address) {
                break;
            }
        }
        address
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }
}

/// What a client cannot change at will: an IPv4 address, and of IPv6 the /64 that the smallest
/// customer gets whole (RFC 6177 §2).
pub(super) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX)).into(),
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// An address; some proxies write its port, and brackets around IPv6.
fn address(element: &[u8]) -> Option<IpAddr> {
    let text = str::from_utf8(element)
        .ok()
        .filter(|text| text.len() <= MAX_ELEMENT)?;
    let bare = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .filter(|inner| inner.contains(':'))
        .unwrap_or(text);
    let address = bare
        .parse()
        .or_else(|_| text.parse::<SocketAddr>().map(|socket| socket.ip()));
    address.ok().map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    const LOAD_BALANCER: &str = "10.0.0.1:4711";

    /// Who is the client of a request from this peer with these lines, where `10.0.0.0/8` and
    /// `fd00::/8` are trusted.
    fn client(peer: &str, lines: &[&str]) -> String {
        let trusted = ["10.0.0.0/8", "fd00::/8"].map(|network| network.parse().expect("a network"));
        let request = TestRequest::get().peer_addr(peer.parse().expect("an address"));
        let request = lines.iter().fold(request, |request, line| {
            request.append_header(("x-forwarded-for", *line))
        });
        TrustedProxies::new(trusted)
            .client(&request.to_http_request())
            .to_string()
    }

    #[test]
    fn without_a_header_the_peer_is_the_client() {
        assert_eq!(client("192.0.2.1:1", &[]), "192.0.2.1");
        assert_eq!(client(LOAD_BALANCER, &[]), "10.0.0.1");
        assert_eq!(client(LOAD_BALANCER, &[""]), "10.0.0.1");
    }

    #[test]
    fn whoever_is_not_trusted_cannot_say_who_he_is() {
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
    fn nobody_is_trusted_until_somebody_is_named() {
        let request = TestRequest::get().peer_addr("127.0.0.1:1".parse().expect("an address"));
        let request = request
            .insert_header(("x-forwarded-for", "198.51.100.7"))
            .to_http_request();
        assert_eq!(
            TrustedProxies::default().client(&request).to_string(),
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
            "the client wrote 1.1.1.1"
        );
        assert_eq!(
            client(LOAD_BALANCER, &["10.9.9.9, 198.51.100.7"]),
            "198.51.100.7",
            "nor can it hide behind a proxy's address"
        );
        assert_eq!(
            client(LOAD_BALANCER, &["10.2.2.2, 10.3.3.3"]),
            "10.2.2.2",
            "a request of a proxy itself"
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
    fn reading_ends_at_the_first_thing_that_is_no_address() {
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
    fn ports_and_brackets_are_left_off() {
        for (written, address) in [
            ("198.51.100.7:443", "198.51.100.7"),
            ("2001:db8::1", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("[2001:db8::1]:443", "2001:db8::1"),
            (
                "[ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255]:65535",
                "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
            ),
        ] {
            assert_eq!(client(LOAD_BALANCER, &[written]), address, "{written}");
        }
    }

    #[test]
    fn ipv4_in_ipv6_clothes_is_ipv4() {
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
    fn no_more_than_32_elements_are_read() {
        let behind = |proxies: usize| format!("198.51.100.7{}", ", 10.2.2.2".repeat(proxies));
        assert_eq!(client(LOAD_BALANCER, &[&behind(31)]), "198.51.100.7");
        assert_eq!(client(LOAD_BALANCER, &[&behind(32)]), "10.2.2.2");
        assert_eq!(client(LOAD_BALANCER, &[&",".repeat(100_000)]), "10.0.0.1");
        assert_eq!(client(LOAD_BALANCER, &[&"1".repeat(100_000)]), "10.0.0.1");
    }

    #[test]
    fn ipv6_clients_are_known_by_their_64_bit_network() {
        let network = |text: &str| super::network(text.parse().expect("an address")).to_string();
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(
            network("2001:db8:1:2:ffff:ffff:ffff:ffff"),
            "2001:db8:1:2::"
        );
        assert_eq!(network("2001:db8:1:3::"), "2001:db8:1:3::");
        assert_eq!(network("192.0.2.1"), "192.0.2.1");
        assert_eq!(
            network("::ffff:192.0.2.1"),
            "192.0.2.1",
            "not ::/64, which all of them would share"
        );
    }
}
