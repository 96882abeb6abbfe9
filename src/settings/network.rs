//! Parses the networks of trusted proxies.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};

use super::raw::{Hint, Raw};

/// Parses IP addresses and networks in CIDR notation. Host names are rejected, because what they
/// resolve to can change.
pub(super) fn networks(raw: Raw<'_>) -> Result<Vec<IpNet>, Hint> {
    raw.list()?.into_iter().map(network).collect()
}

fn network(text: &str) -> Result<IpNet, Hint> {
    let hint = || {
        format!(
            "{text:?} is not an IP address or network; write for example \"127.0.0.1\", \"10.0.0.0/8\" or \"fd00::/8\""
        )
    };
    let network = match text.parse::<IpAddr>() {
        Ok(address) => IpNet::from(address),
        Err(_) => text.parse::<IpNet>().map_err(|_| hint())?,
    };
    if network.prefix_len() == 0 {
        return Err(format!(
            "{text:?} contains every address, and a trusted proxy can set any client address; write the networks of your proxies"
        ));
    }
    if network != network.trunc() {
        return Err(format!(
            "{text:?} has bits set after the prefix; write {:?}",
            network.trunc().to_string()
        ));
    }
    unmap(network).ok_or_else(hint)
}

/// Converts a network of IPv4-mapped IPv6 addresses to IPv4, because a dual-stack socket reports an
/// IPv4 client as `::ffff:10.0.0.1` and client addresses are converted before they are compared.
///
/// Returns `None` for a network that contains every IPv4 address.
fn unmap(network: IpNet) -> Option<IpNet> {
    let IpNet::V6(v6) = network else {
        return Some(network);
    };
    match v6.addr().to_ipv4_mapped() {
        Some(v4) => Ipv4Net::new(v4, v6.prefix_len().checked_sub(96)?)
            .ok()
            .filter(|v4| v4.prefix_len() > 0)
            .map(IpNet::V4),
        None => Some(network),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_network_with_one_address() {
        for (text, network) in [
            ("127.0.0.1", "127.0.0.1/32"),
            ("::1", "::1/128"),
            ("10.0.0.0/8", "10.0.0.0/8"),
            ("fd00::/8", "fd00::/8"),
            ("0.0.0.0/1", "0.0.0.0/1"),
        ] {
            assert_eq!(
                super::network(text)
                    .map(|network| network.to_string())
                    .as_deref(),
                Ok(network),
                "{text}"
            );
        }
    }

    #[test]
    fn an_ipv4_mapped_network_becomes_an_ipv4_network() {
        for (text, network) in [
            ("::ffff:10.0.0.1", "10.0.0.1/32"),
            ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
        ] {
            assert_eq!(
                super::network(text)
                    .map(|network| network.to_string())
                    .as_deref(),
                Ok(network),
                "{text}"
            );
        }
        assert!(network("::ffff:0:0/96").is_err(), "every IPv4 address");
    }

    #[test]
    fn invalid_and_unlimited_networks_are_rejected() {
        for text in [
            "localhost",
            "",
            "10.0.0.1:80",
            "10.0.0.0/33",
            "10.0.0",
            "0.0.0.0/0",
            "::/0",
            "fe80::1%eth0",
            "10.0.0.0/255.0.0.0",
        ] {
            assert!(network(text).is_err(), "{text}");
        }
        let hint = "\"10.0.0.1/8\" has bits set after the prefix; write \"10.0.0.0/8\"".to_owned();
        assert_eq!(network("10.0.0.1/8"), Err(hint));
    }
}
