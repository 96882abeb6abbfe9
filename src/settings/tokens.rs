//! The `[tokens]` section: what a request may carry, and how much of it is remembered.

use super::{
    raw::{Hint, Raw, integer},
    section::{Reported, Section},
    units::size,
};

/// Limits of tokens.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Tokens {
    /// The longest token that is looked at, in bytes.
    pub max_bytes: usize,
    /// How many verified tokens are remembered; 0 remembers none.
    pub cache_entries: usize,
    /// The cookie that may hold a token. None: the Authorization header only.
    pub cookie: Option<String>,
}

impl Tokens {
    pub(super) fn read(mut section: Section<'_>) -> Result<Self, Reported> {
        let max_bytes = section.take("max_bytes", size(256..=65_536));
        let cache_entries = section.take("cache_entries", integer(0..=10_000_000));
        let cookie = section.optional("cookie", cookie_name);
        section.finish();
        Ok(Self {
            max_bytes: max_bytes?,
            cache_entries: cache_entries?,
            cookie: cookie?,
        })
    }
}

/// A token of RFC 9110 §5.6.2, as RFC 6265 §4.1.1 asks of a cookie's name.
fn cookie_name(raw: Raw<'_>) -> Result<String, Hint> {
    let name = raw.text()?;
    let is_token = name
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b));
    if is_token && name.len() <= 64 {
        return Ok(name.to_owned());
    }
    Err("a cookie name has letters, digits and - _ . without spaces, 64 at most, such as \"__Host-session\"".to_owned())
}
