//! Networks: which addresses belong to whoever is trusted.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};

use super::raw::{Hint, Raw};

/// IP addresses, and networks in CIDR notation. Names are refused: what they resolve to can change.
pub(super) fn networks(raw: Raw<'_>) -> Result<Vec<IpNet>, Hint> {
    raw.list()?.into_iter().map(network).collect()
}

fn network(text: &str) -> Result<IpNet, Hint> {
    let advice = || {
        format!(
            "{text:?} is no address: write IP addresses and networks, such as \"127.0.0.1\", \"10.0.0.0/8\" or \"fd00::/8\""
        )
    };
    let network = match text.parse::<IpAddr>() {
        Ok(address) => IpNet::from(address),
        Err(_) => text.parse::<IpNet>().map_err(|_| advice())?,
    };
    if network.prefix_len() == 0 {
        return Err(format!(
            "{text:?} is everybody, and who is trusted may write any address; name the networks of your proxies"
        ));
    }
    if network != network.trunc() {
        return Err(format!(
            "{text:?} has bits after its prefix: write {:?} for the network",
            network.trunc().to_string()
        ));
    }
    unmapped(network).ok_or_else(advice)
}

/// A socket that serves both families shows IPv4 as `::ffff:10.0.0.1`. Addresses are compared
/// unmapped, so networks are too. None: a network that holds all mapped addresses, which is every
/// IPv4 address, among others.
fn unmapped(network: IpNet) -> Option<IpNet> {
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
    fn an_address_is_a_network_of_one() {
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
    fn an_ipv4_network_written_as_ipv6_is_the_ipv4_network() {
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
    fn what_is_no_network_of_somebodys_is_refused() {
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
        let advice =
            "\"10.0.0.1/8\" has bits after its prefix: write \"10.0.0.0/8\" for the network"
                .to_owned();
        assert_eq!(network("10.0.0.1/8"), Err(advice));
    }
}
