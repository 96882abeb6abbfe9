//! URLs that keys may be fetched from.

use std::net::{Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

/// Parses a URL from the configuration: `https`, or plain `http` if the host is loopback or
/// `allow_http` is set.
///
/// # Errors
/// [`UrlError`] names the rule that the URL violates. The server is not contacted.
pub fn key_url(url: &str, allow_http: bool) -> Result<Url, UrlError> {
    let url = Url::parse(url).map_err(|_| UrlError::NotAUrl)?;
    check(&url, allow_http)?;
    Ok(url)
}

/// Checks a parsed URL by the rules of [`key_url`].
pub(super) fn check(url: &Url, allow_http: bool) -> Result<(), UrlError> {
    if url.host().is_none() {
        return Err(UrlError::NotAUrl);
    }
    if !matches!(url.scheme(), "https" | "http") {
        return Err(UrlError::Scheme);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(UrlError::Credentials);
    }
    if url.fragment().is_some() {
        return Err(UrlError::Fragment);
    }
    if url.scheme() == "http" && !allow_http && !is_loopback(url) {
        return Err(UrlError::PlainHttp);
    }
    Ok(())
}

/// Whether the host is `localhost` or in 127.0.0.0/8 or ::1, so that plain http stays on this
/// machine. Names are not resolved, and names below `localhost` are excluded: a resolver may map
/// them to any address.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Whether the host is any notation of a loopback, unspecified or link-local address; cloud
/// providers serve machine credentials on 169.254.169.254.
///
/// Broader than [`is_loopback`], which is used to allow; this one is used to deny. Private networks
/// are not included, because identity providers run there.
pub(super) fn is_local_or_link_local(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => {
            let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
            name == "localhost" || name.ends_with(".localhost")
        }
        Some(Host::Ipv4(address)) => is_local_or_link_local_v4(address),
        Some(Host::Ipv6(address)) => {
            address.is_loopback()
                || address.is_unspecified()
                || address.is_unicast_link_local()
                || address == AWS_IMDS_V6
                || embedded_v4(address).is_some_and(is_local_or_link_local_v4)
        }
        None => false,
    }
}

/// The instance metadata service of AWS, the only such address in a private network.
const AWS_IMDS_V6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);

fn is_local_or_link_local_v4(address: Ipv4Addr) -> bool {
    // All of 0.0.0.0/8 is "this host on this network" (RFC 6890 §2.2.2).
    address.is_loopback() || address.is_link_local() || address.octets()[0] == 0
}

/// Returns the IPv4 address in a mapped, compatible (RFC 4291 §2.5.5) or NAT64 (RFC 6052 §2.1)
/// address.
fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    const NAT64: [u16; 6] = [0x64, 0xff9b, 0, 0, 0, 0];
    if address.segments().starts_with(&NAT64) {
        let [.., a, b, c, d] = address.octets();
        return Some(Ipv4Addr::new(a, b, c, d));
    }
    address.to_ipv4()
}

/// Why keys may not be fetched from a URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// It does not parse, or has no host.
    #[error("is not a URL with a scheme and a host, such as https://idp.example/keys")]
    NotAUrl,
    /// The scheme is neither `https` nor `http`.
    #[error("must begin with https://")]
    Scheme,
    /// Plain `http` to another machine.
    #[error(
        "must begin with https://: with plain http, an attacker on the network can replace the keys and sign in as any user (allow_http = true permits it)"
    )]
    PlainHttp,
    /// It contains a user name or password.
    #[error("must not contain a user name or password")]
    Credentials,
    /// It contains a `#` part.
    #[error("must not contain a fragment (#...)")]
    Fragment,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn https_and_loopback_http_are_accepted() {
        for url in [
            "https://idp.example/keys",
            "https://127.0.0.1:8443/keys?tenant=a",
            "http://localhost:9999/jwks",
            "http://LOCALHOST/jwks",
            "http://127.0.0.1:9999/jwks",
            "http://127.8.9.10/jwks",
            "http://[::1]:9999/jwks",
        ] {
            assert!(key_url(url, false).is_ok(), "{url}");
        }
    }

    #[test]
    fn other_urls_are_rejected_with_the_reason() {
        let cases = [
            ("http://idp.example/keys", UrlError::PlainHttp),
            ("http://localhost.example/keys", UrlError::PlainHttp),
            ("http://127.0.0.1.example/keys", UrlError::PlainHttp),
            ("http://10.0.0.1/keys", UrlError::PlainHttp),
            ("http://0.0.0.0/keys", UrlError::PlainHttp),
            ("http://[::ffff:127.0.0.1]/keys", UrlError::PlainHttp),
            ("ftp://idp.example/keys", UrlError::Scheme),
            ("file:///etc/passwd", UrlError::NotAUrl),
            ("data:application/json,{}", UrlError::NotAUrl),
            ("https://user@idp.example/keys", UrlError::Credentials),
            ("https://:secret@idp.example/keys", UrlError::Credentials),
            ("https://idp.example/keys#part", UrlError::Fragment),
            ("idp.example/keys", UrlError::NotAUrl),
            ("", UrlError::NotAUrl),
        ];
        for (url, error) in cases {
            assert_eq!(key_url(url, false), Err(error), "{url}");
        }
    }

    #[test]
    fn allow_http_relaxes_only_the_scheme() {
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
    fn loopback_lookalikes_are_not_loopback() {
        for loopback in [
            "http://localhost",
            "http://127.0.0.1:9999",
            "http://127.8.9.10",
            "http://[::1]:1",
        ] {
            assert!(is_loopback(&Url::parse(loopback).unwrap()), "{loopback}");
        }
        for host in [
            "localhost.example.com",
            "kong.localhost",
            "notlocalhost",
            "128.0.0.1",
            "0.0.0.0",
            "10.0.0.1",
            "evil.example",
        ] {
            assert!(
                !is_loopback(&Url::parse(&format!("http://{host}")).unwrap()),
                "{host}"
            );
        }
    }
}
