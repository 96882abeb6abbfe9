//! The addresses that keys may be fetched from.

use std::net::{Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

/// Reads an address that the configuration names: `https`, or plain `http` where the host is
/// loopback or `allow_http` is set.
///
/// # Errors
/// [`UrlError`] says which rule the address breaks. Whether anything answers there is not looked
/// at.
pub fn key_url(address: &str, allow_http: bool) -> Result<Url, UrlError> {
    let url = Url::parse(address).map_err(|_| UrlError::NotAnAddress)?;
    check(&url, allow_http)?;
    Ok(url)
}

/// The same rules for an address that is parsed already.
pub(super) fn check(url: &Url, allow_http: bool) -> Result<(), UrlError> {
    match url.scheme() {
        _ if url.host().is_none() => Err(UrlError::NotAnAddress),
        "https" | "http" if !url.username().is_empty() || url.password().is_some() => {
            Err(UrlError::Credentials)
        }
        "https" | "http" if url.fragment().is_some() => Err(UrlError::Fragment),
        "https" => Ok(()),
        "http" if allow_http || is_loopback(url) => Ok(()),
        "http" => Err(UrlError::PlainHttp),
        _ => Err(UrlError::Scheme),
    }
}

/// Whether plain http to this host stays on the machine: `localhost`, 127.0.0.0/8 and ::1, as
/// written. No name is looked up, and names below `localhost` are not meant: a resolver may send
/// them anywhere.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Every way to write an address of this machine, and of its own link, where clouds keep a
/// machine's credentials (169.254.169.254). Wider than [`is_loopback`], which grants something;
/// private networks are not meant, an identity provider may well live there.
pub(super) fn is_local_or_link_local(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => {
            let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
            name == "localhost" || name.ends_with(".localhost")
        }
        Some(Host::Ipv4(address)) => is_inward_v4(address),
        Some(Host::Ipv6(address)) => {
            let is_own = address.is_loopback()
                || address.is_unspecified()
                || address.is_unicast_link_local();
            is_own || address == AWS_IMDS_V6 || embedded_v4(address).is_some_and(is_inward_v4)
        }
        None => false,
    }
}

/// The one such address that lies in a private network.
const AWS_IMDS_V6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);

fn is_inward_v4(address: Ipv4Addr) -> bool {
    // The whole of 0.0.0.0/8 is "this host on this network" (RFC 6890 §2.2.2).
    address.is_loopback() || address.is_link_local() || address.octets()[0] == 0
}

/// Mapped, compatible (RFC 4291 §2.5.5) or translated by NAT64 (RFC 6052 §2.1).
fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    const NAT64: [u16; 6] = [0x64, 0xff9b, 0, 0, 0, 0];
    let [a, b, c, d] = [
        address.octets()[12],
        address.octets()[13],
        address.octets()[14],
        address.octets()[15],
    ];
    let translated = address
        .segments()
        .starts_with(&NAT64)
        .then_some(Ipv4Addr::new(a, b, c, d));
    translated.or_else(|| address.to_ipv4())
}

/// Why keys may not be fetched from an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// It does not parse, or has no host.
    #[error("is not an address with a scheme and a host, like https://idp.example/keys")]
    NotAnAddress,
    /// Neither `https` nor `http`.
    #[error("must begin with https://")]
    Scheme,
    /// Plain `http` to another machine.
    #[error(
        "must begin with https://: whoever can answer a plain http request can sign in as anybody (allow_http = true accepts that)"
    )]
    PlainHttp,
    /// A user name or password stands in it.
    #[error("must not contain a user name or password")]
    Credentials,
    /// A `#` part stands in it.
    #[error("must not contain a fragment (#...)")]
    Fragment,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn https_anywhere_and_http_to_loopback_are_accepted() {
        for address in [
            "https://idp.example/keys",
            "https://127.0.0.1:8443/keys?tenant=a",
            "http://localhost:9999/jwks",
            "http://LOCALHOST/jwks",
            "http://127.0.0.1:9999/jwks",
            "http://127.8.9.10/jwks",
            "http://[::1]:9999/jwks",
        ] {
            assert!(key_url(address, false).is_ok(), "{address}");
        }
    }

    #[test]
    fn everything_else_is_refused_by_name() {
        let cases = [
            ("http://idp.example/keys", UrlError::PlainHttp),
            ("http://localhost.example/keys", UrlError::PlainHttp),
            ("http://127.0.0.1.example/keys", UrlError::PlainHttp),
            ("http://10.0.0.1/keys", UrlError::PlainHttp),
            ("http://0.0.0.0/keys", UrlError::PlainHttp),
            ("http://[::ffff:127.0.0.1]/keys", UrlError::PlainHttp),
            ("ftp://idp.example/keys", UrlError::Scheme),
            ("file:///etc/passwd", UrlError::NotAnAddress),
            ("data:application/json,{}", UrlError::NotAnAddress),
            ("https://user@idp.example/keys", UrlError::Credentials),
            ("https://:secret@idp.example/keys", UrlError::Credentials),
            ("https://idp.example/keys#part", UrlError::Fragment),
            ("idp.example/keys", UrlError::NotAnAddress),
            ("", UrlError::NotAnAddress),
        ];
        for (address, error) in cases {
            assert_eq!(key_url(address, false), Err(error), "{address}");
        }
    }

    #[test]
    fn allow_http_widens_the_scheme_and_nothing_else() {
        assert!(key_url("http://idp.example/keys", true).is_ok());
        assert_eq!(
            key_url("ftp://idp.example/keys", true),
            Err(UrlError::Scheme)
        );
        assert_eq!(
            key_url("http://user@idp.example/keys", true),
            Err(UrlError::Credentials)
        );
    }

    #[test]
    fn loopback_is_this_machine_and_no_lookalike() {
        for ours in [
            "http://localhost",
            "http://127.0.0.1:9999",
            "http://127.8.9.10",
            "http://[::1]:1",
        ] {
            assert!(is_loopback(&Url::parse(ours).unwrap()), "{ours}");
        }
        for theirs in [
            "localhost.example.com",
            "kong.localhost",
            "notlocalhost",
            "128.0.0.1",
            "0.0.0.0",
            "10.0.0.1",
            "evil.example",
        ] {
            assert!(
                !is_loopback(&Url::parse(&format!("http://{theirs}")).unwrap()),
                "{theirs}"
            );
        }
    }
}
