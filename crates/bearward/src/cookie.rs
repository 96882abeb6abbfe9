//! The session cookie as an optional token source, and the origins that may use it.

use super::{origin::serialized_origin, text::is_token_char};

/// A session cookie that may carry the token, in addition to the `Authorization` header.
///
/// Browsers send cookies automatically, so requests need protection against cross-site request
/// forgery: an unsafe request (RFC 9110 §9.2.1) or a WebSocket handshake is accepted only with an
/// `Origin` header that equals a listed origin. GET, HEAD, OPTIONS and TRACE requests without an
/// `Upgrade` header are accepted from any origin, so their handlers must not change state.
///
/// The value must be the bare access token; `@supabase/ssr` session cookies are not supported.
///
/// ```
/// use bearward::{Bearward, CookieSource};
///
/// let builder = Bearward::builder()
///     .cookie(CookieSource::new("__Host-session", ["https://app.example.com"]));
/// ```
///
/// # Security
/// Set the cookie with `Secure; HttpOnly; SameSite=Lax` and a name that begins with `__Host-`, so
/// that a neighbouring subdomain cannot set a second cookie of that name. A request with two such
/// cookies, or with a header and a cookie, is rejected with 400; a page that signs in again must
/// delete the old cookie first. Responses that depend on the cookie should have `Cache-Control:
/// private`.
#[derive(Debug, Clone)]
pub struct CookieSource {
    pub(crate) name: String,
    pub(crate) origins: Vec<String>,
}

/// The reason why a [`CookieSource`] is invalid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CookieError {
    /// The name is not a token (RFC 6265 §4.1.1).
    #[error("invalid session cookie name {0:?}: use letters, digits, \"-\" and \"_\"")]
    Name(String),
    /// The origin is not written as browsers send it, so it would never match.
    #[error(
        "invalid session cookie origin {0:?}: write scheme, host and port as browsers send them, like \"https://app.example.com\""
    )]
    Origin(String),
}

impl CookieSource {
    /// Creates a source from the cookie's name and the origins (`https://app.example.com`) whose
    /// unsafe requests are accepted. [`Builder::build`](crate::Builder::build) validates both.
    pub fn new(
        name: impl Into<String>,
        origins: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        Self {
            name: name.into(),
            origins: origins.into_iter().map(Into::into).collect(),
        }
    }

    pub(crate) fn validate(&self) -> Result<(), CookieError> {
        if self.name.is_empty() || !self.name.bytes().all(is_token_char) {
            return Err(CookieError::Name(self.name.clone()));
        }
        match self
            .origins
            .iter()
            .find(|origin| serialized_origin(origin).as_ref() != Some(*origin))
        {
            Some(invalid) => Err(CookieError::Origin(invalid.clone())),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_serialized_origins_are_valid() {
        let accepted = [
            "https://app.example.com",
            "http://localhost:3000",
            "http://[::1]:3000",
            "capacitor://localhost",
        ];
        assert_eq!(CookieSource::new("session", accepted).validate(), Ok(()));
        for invalid in [
            "",
            "*",
            "null",
            "app.example.com",
            "https://app.example.com/",
            "https://app.example.com/app",
            "https://APP.example.com",
            "https://app.example.com:443",
            "https://user@app.example.com",
            "https://*.example.com",
            "file:///",
            "data:text/plain,",
        ] {
            assert_eq!(
                CookieSource::new("session", [invalid]).validate(),
                Err(CookieError::Origin(invalid.to_owned())),
                "{invalid}"
            );
        }
    }

    #[test]
    fn only_tokens_are_valid_names() {
        let origins = ["https://app.example.com"];
        assert_eq!(
            CookieSource::new("__Host-session", origins).validate(),
            Ok(())
        );
        for invalid in ["", "a b", "a=b", "a;b", "session\u{e4}"] {
            assert_eq!(
                CookieSource::new(invalid, origins).validate(),
                Err(CookieError::Name(invalid.to_owned())),
                "{invalid}"
            );
        }
    }
}
