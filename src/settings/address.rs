//! Parses socket addresses, URLs and browser origins.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
};

use actix_web::http::header::HeaderName;
use bearward::keys::is_loopback;
use bearward_http::is_bare_web_origin;
use url::Url;

use super::raw::{Hint, Raw};

/// A URL together with its original text. RFC 9728 §3.3 requires metadata to repeat the identifier
/// exactly, and parsing adds a trailing slash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl {
    written: String,
    url: Url,
}

impl PublicUrl {
    /// Returns the original text.
    pub fn as_str(&self) -> &str {
        &self.written
    }

    /// Returns the parsed URL.
    pub fn url(&self) -> &Url {
        &self.url
    }
}

/// A browser origin as it appears in an `Origin` header: `scheme://host[:port]`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CorsOrigin(String);

impl CorsOrigin {
    /// Returns the text that the `Origin` header must equal.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CorsOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The port of `server.bind` if neither it nor `PORT` names one.
pub(super) const DEFAULT_PORT: u16 = 8000;

/// Parses the address of the API: an IP address, with or without a port.
pub(super) fn listen_address(raw: Raw<'_>) -> Result<SocketAddr, Hint> {
    let text = raw.text()?;
    let without_brackets = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(text);
    match without_brackets.parse::<IpAddr>() {
        Ok(ip) => Ok(SocketAddr::new(ip, DEFAULT_PORT)),
        Err(_) => socket_address(raw),
    }
}

/// Parses an address to listen on. Host names are rejected, because what they resolve to can change
/// between two starts.
pub(super) fn socket_address(raw: Raw<'_>) -> Result<SocketAddr, Hint> {
    let text = raw.text()?;
    text.parse().map_err(|_| {
        let localhost = text
            .strip_prefix("localhost:")
            .map(|port| format!("; for localhost write \"127.0.0.1:{port}\""));
        format!(
            "write an IP address and a port, such as \"127.0.0.1:8000\" or \"0.0.0.0:8000\"{}",
            localhost.unwrap_or_default()
        )
    })
}

/// Parses an http or https URL without user name and password.
pub(super) fn http_url(raw: Raw<'_>) -> Result<Url, Hint> {
    let text = raw.text()?;
    let hint = || "write a URL that begins with https:// or http://".to_owned();
    let url = Url::parse(text).map_err(|_| hint())?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(hint());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(
            "a user name or password in the URL is not accepted; remove the part before the @"
                .to_owned(),
        );
    }
    Ok(url)
}

/// Parses an https URL, or an http URL with a loopback host.
pub(super) fn https_or_loopback_url(raw: Raw<'_>) -> Result<Url, Hint> {
    let url = http_url(raw)?;
    if url.scheme() == "https" || is_loopback(&url) {
        Ok(url)
    } else {
        Err("plain http is accepted only for loopback hosts; write https://".to_owned())
    }
}

/// Parses the URL at which clients reach the server.
pub(super) fn public_url(raw: Raw<'_>) -> Result<PublicUrl, Hint> {
    let url = http_url(raw)?;
    if url.query().is_some() || url.fragment().is_some() {
        return Err("remove the query and the fragment (RFC 9728 §1.2)".to_owned());
    }
    Ok(PublicUrl {
        written: raw.text()?.to_owned(),
        url,
    })
}

/// Parses origins that browsers may call the API from.
pub(super) fn cors_origins(raw: Raw<'_>) -> Result<Vec<CorsOrigin>, Hint> {
    raw.list()?.into_iter().map(cors_origin).collect()
}

/// Parses names of request headers.
pub(super) fn header_names(raw: Raw<'_>) -> Result<Vec<HeaderName>, Hint> {
    raw.list()?.into_iter().map(header_name).collect()
}

fn header_name(text: &str) -> Result<HeaderName, Hint> {
    if text == "*" {
        return Err(
            "\"*\" is not accepted, because browsers do not apply it to Authorization; list the headers"
                .to_owned(),
        );
    }
    HeaderName::from_bytes(text.as_bytes()).map_err(|_| {
        format!("{text:?} is not the name of a header; write names such as \"x-tenant-id\"")
    })
}

fn cors_origin(text: &str) -> Result<CorsOrigin, Hint> {
    if text.contains('*') {
        return Err(
            "\"*\" is not accepted, because every site could then read responses for signed-in users; list the origins".to_owned()
        );
    }
    let url = Url::parse(text)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    let url =
        url.ok_or("write an origin as scheme://host[:port], such as \"https://app.example.com\"")?;
    let origin = url.origin().ascii_serialization();
    if text.ends_with('/') || !is_bare_web_origin(&url) {
        return Err(format!("an origin has no path; write {origin:?}"));
    }
    Ok(CorsOrigin(origin))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_of_a_listen_address_is_optional() {
        let parse = |text: &str| {
            let kind = ::config::ValueKind::String(text.to_owned());
            listen_address(Raw {
                kind: &kind,
                is_text: true,
            })
            .map(|address| address.to_string())
        };
        for (text, address) in [
            ("0.0.0.0", "0.0.0.0:8000"),
            ("::", "[::]:8000"),
            ("[::1]", "[::1]:8000"),
            ("[::1]:1", "[::1]:1"),
            ("127.0.0.1:0", "127.0.0.1:0"),
        ] {
            assert_eq!(parse(text).as_deref(), Ok(address), "{text}");
        }
        for text in ["", "localhost", "0.0.0.0:", ":8000", "[127.0.0.1]:x"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_origin_is_scheme_host_and_port_only() {
        for (text, header) in [
            ("http://localhost:3000", "http://localhost:3000"),
            ("https://App.example.com", "https://app.example.com"),
            ("https://app.example.com:443", "https://app.example.com"),
            ("http://[::1]:3000", "http://[::1]:3000"),
        ] {
            assert_eq!(
                cors_origin(text).map(|origin| origin.0).as_deref(),
                Ok(header),
                "{text}"
            );
        }
        for text in [
            "*",
            "https://*.example.com",
            "null",
            "app.example.com",
            "https://a.com/",
            "https://a.com/x",
            "https://a.com?x",
            "ftp://a",
        ] {
            assert!(cors_origin(text).is_err(), "{text}");
        }
        assert_eq!(
            cors_origin("https://a.com/").map(|_| ()),
            Err("an origin has no path; write \"https://a.com\"".to_owned())
        );
    }
}
