//! The `[tokens]` section: size limit, token cache, cookie and header.

use actix_web::http::header::HeaderName;

use super::{
    raw::{Hint, Raw, integer},
    section::{Reported, Section},
    units::size,
};

/// How tokens are read and cached.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Tokens {
    /// The maximum length of a token in bytes.
    pub max_bytes: usize,
    /// The capacity of the verified-token cache; 0 disables it.
    pub cache_entries: usize,
    /// The cookie that may carry a token. `None`: only the Authorization header is read.
    pub cookie: Option<String>,
    /// One more header that may carry a token.
    pub header: Option<String>,
}

impl Tokens {
    pub(super) fn read(mut section: Section<'_>) -> Result<Self, Reported> {
        let max_bytes = section.take("max_bytes", size(256..=65_536));
        let cache_entries = section.take("cache_entries", integer(0..=10_000_000));
        let cookie = section.optional("cookie", cookie_name);
        let header = section.optional("header", header_name);
        section.finish();
        Ok(Self {
            max_bytes: max_bytes?,
            cache_entries: cache_entries?,
            cookie: cookie?,
            header: header?,
        })
    }
}

/// Parses a cookie name, which is a token as in RFC 9110 §5.6.2 (RFC 6265 §4.1.1).
fn cookie_name(raw: Raw<'_>) -> Result<String, Hint> {
    let name = raw.text()?;
    // The name of a header is a token, too.
    let is_token = HeaderName::from_bytes(name.as_bytes()).is_ok();
    if is_token && name.len() <= 64 {
        return Ok(name.to_owned());
    }
    Err("a cookie name has at most 64 letters, digits and - _ . and no spaces, such as \"__Host-session\"".to_owned())
}

/// Parses the name of a header (RFC 9110 §5.1) that has no other meaning.
fn header_name(raw: Raw<'_>) -> Result<String, Hint> {
    let name = raw.text()?.to_ascii_lowercase();
    let is_token = HeaderName::from_bytes(name.as_bytes()).is_ok();
    if is_token && name.len() <= 64 && !matches!(name.as_str(), "authorization" | "cookie") {
        return Ok(name);
    }
    Err("write the name of a header other than Authorization and Cookie, such as \"Cf-Access-Jwt-Assertion\"".to_owned())
}
