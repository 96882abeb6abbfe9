//! Where a token may be besides the `Authorization` header.

use std::{fmt, sync::Arc};

use super::request_head::RequestHead;
use crate::{
    cookie::{CookieError, CookieSource},
    error::{AuthError, FormatError},
    text::is_token_char,
};

/// A place besides the `Authorization` header where a request may carry its token.
///
/// Added with [`Builder::source`](crate::Builder::source). A request with tokens in two places is
/// rejected with 400 ([`AuthError::SeveralCredentials`]), and so is one with two tokens in one
/// place.
///
/// ```
/// use bearward::{Bearward, CookieSource, TokenSource};
///
/// let cookie = CookieSource::new("__Host-session", ["https://app.example.com"]);
/// let builder = Bearward::builder()
///     .source(TokenSource::header("x-access-token"))
///     .source(TokenSource::cookie(cookie))
///     .source(TokenSource::web_socket_protocol("bearer."));
/// ```
#[derive(Clone)]
pub struct TokenSource(Kind);

#[derive(Clone)]
enum Kind {
    Header(String),
    Cookie(CookieSource),
    WebSocketProtocol(String),
    Custom(Arc<ReadToken>),
}

type ReadToken = dyn for<'a, 'r> Fn(&'a RequestHead<'r>) -> Option<&'r str> + Send + Sync;

/// The reason why [`Builder::build`](crate::Builder::build) rejects a token source.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidSource {
    #[error(transparent)]
    Cookie(CookieError),
    #[error(
        "invalid header name {0:?}: use letters, digits and \"-\", and not Authorization or Cookie"
    )]
    Header(String),
    #[error("invalid subprotocol prefix {0:?}: use letters, digits, \".\", \"-\" and \"_\"")]
    Protocol(String),
}

impl TokenSource {
    /// A header field whose whole value is the token, such as `X-Access-Token`. An empty value
    /// counts as no token. Identity-aware proxies add such fields: `Cf-Access-Jwt-Assertion` of
    /// Cloudflare Access, `X-Goog-IAP-JWT-Assertion` of Google IAP.
    ///
    /// # Security
    /// A proxy that adds the field often identifies the browser by a cookie. Then a page of another
    /// site can send requests with the field: check `Origin`, or let the proxy do so.
    pub fn header(name: impl Into<String>) -> Self {
        Self(Kind::Header(name.into()))
    }

    /// A session cookie; see [`CookieSource`] for what it requires.
    pub fn cookie(cookie: CookieSource) -> Self {
        Self(Kind::Cookie(cookie))
    }

    /// A `WebSocket` subprotocol that consists of `prefix` and the token (RFC 6455 §11.3.4), because
    /// browsers cannot set other header fields of a handshake.
    ///
    /// A browser offers it next to the protocol of the application:
    /// `new WebSocket(url, ["chat.v1", "bearer." + token])`. The server must select the protocol of
    /// the application and never the one with the token.
    ///
    /// # Security
    /// Configure proxies not to log `Sec-WebSocket-Protocol`. `Origin` is not checked: browsers
    /// attach no token to a handshake by themselves, so another site cannot send one.
    pub fn web_socket_protocol(prefix: impl Into<String>) -> Self {
        Self(Kind::WebSocketProtocol(prefix.into()))
    }

    /// A function that returns the token of a request, or `None` if there is none. An empty token
    /// counts as none.
    ///
    /// ```
    /// use bearward::{Bearward, RequestHead, TokenSource};
    ///
    /// /// `EventSource` of browsers sends no header fields, so the token is in the query.
    /// fn query_token<'r>(request: &RequestHead<'r>) -> Option<&'r str> {
    ///     let (path, query) = request.target().split_once('?')?;
    ///     let token = query.split('&').find_map(|pair| pair.strip_prefix("access_token="))?;
    ///     (path == "/events").then_some(token)
    /// }
    ///
    /// let builder = Bearward::builder().source(TokenSource::custom(query_token));
    /// ```
    ///
    /// # Security
    /// A token in the query is written to logs and to the history of browsers (RFC 6750 §5.3). If
    /// the browser attaches the credential by itself, as with a cookie, the application must
    /// prevent cross-site requests; [`CookieSource`] does.
    pub fn custom(
        read: impl for<'a, 'r> Fn(&'a RequestHead<'r>) -> Option<&'r str> + Send + Sync + 'static,
    ) -> Self {
        Self(Kind::Custom(Arc::new(read)))
    }

    pub(crate) fn validate(&self) -> Result<(), InvalidSource> {
        let is_token = |text: &str| !text.is_empty() && text.bytes().all(is_token_char);
        let is_reserved = |name: &str| {
            let mut reserved = ["authorization", "cookie"].into_iter();
            reserved.any(|reserved| name.eq_ignore_ascii_case(reserved))
        };
        match &self.0 {
            Kind::Header(name) if !is_token(name) || is_reserved(name) => {
                Err(InvalidSource::Header(name.clone()))
            }
            Kind::WebSocketProtocol(prefix) if !is_token(prefix) => {
                Err(InvalidSource::Protocol(prefix.clone()))
            }
            Kind::Cookie(cookie) => cookie.validate().map_err(InvalidSource::Cookie),
            Kind::Header(_) | Kind::WebSocketProtocol(_) | Kind::Custom(_) => Ok(()),
        }
    }

    /// Returns the cookie, for warnings.
    pub(crate) fn as_cookie(&self) -> Option<&CookieSource> {
        match &self.0 {
            Kind::Cookie(cookie) => Some(cookie),
            Kind::Header(_) | Kind::WebSocketProtocol(_) | Kind::Custom(_) => None,
        }
    }

    /// Returns the origins whose unsafe requests are accepted; `None` if all are.
    pub(super) fn origins(&self) -> Option<&[String]> {
        self.as_cookie().map(|cookie| cookie.origins.as_slice())
    }

    /// Returns the token in this place; `None` if there is none.
    pub(super) fn read<'r>(&self, request: &RequestHead<'r>) -> Result<Option<&'r str>, AuthError> {
        match &self.0 {
            Kind::Header(name) => only_token(request.values(name).map(<[u8]>::trim_ascii)),
            Kind::Cookie(cookie) => only_token(cookie_values(request, &cookie.name)),
            Kind::WebSocketProtocol(prefix) => only_token(
                request
                    .values("sec-websocket-protocol")
                    .flat_map(|value| value.split(|&byte| byte == b','))
                    .filter_map(|offered| offered.trim_ascii().strip_prefix(prefix.as_bytes())),
            ),
            Kind::Custom(read) => Ok(read(request).filter(|token| !token.is_empty())),
        }
    }
}

/// Returns the only value; `None` if there is none or it is empty.
fn only_token<'r>(
    mut values: impl Iterator<Item = &'r [u8]>,
) -> Result<Option<&'r str>, AuthError> {
    match (values.next(), values.next()) {
        (_, Some(_)) => Err(AuthError::SeveralCredentials),
        (Some(b"") | None, None) => Ok(None),
        (Some(token), None) => str::from_utf8(token)
            .map(Some)
            .map_err(|_| AuthError::Format(FormatError::Base64)),
    }
}

/// Returns the values of the cookies with this name. The header is read as bytes, because cookies
/// of other applications may contain anything.
fn cookie_values<'s, 'r: 's>(
    request: &'s RequestHead<'r>,
    name: &'s str,
) -> impl Iterator<Item = &'r [u8]> + 's {
    request
        .values("cookie")
        .flat_map(|header| header.split(|&byte| byte == b';'))
        .filter_map(move |pair| {
            let value = pair
                .trim_ascii()
                .strip_prefix(name.as_bytes())?
                .strip_prefix(b"=")?;
            Some(
                value
                    .strip_prefix(b"\"")
                    .and_then(|inner| inner.strip_suffix(b"\""))
                    .unwrap_or(value),
            )
        })
}

impl fmt::Debug for TokenSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Header(name) => f.debug_tuple("Header").field(name).finish(),
            Kind::Cookie(cookie) => cookie.fmt(f),
            Kind::WebSocketProtocol(prefix) => {
                f.debug_tuple("WebSocketProtocol").field(prefix).finish()
            }
            Kind::Custom(_) => f.write_str("Custom"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_prefixes_are_tokens() {
        for valid in [
            TokenSource::header("x-access-token"),
            TokenSource::web_socket_protocol("bearer."),
            TokenSource::custom(|_| None),
        ] {
            assert_eq!(valid.validate(), Ok(()), "{valid:?}");
        }
        for invalid in [
            TokenSource::header(""),
            TokenSource::header("x token"),
            TokenSource::header("Authorization"),
            TokenSource::header("Cookie"),
            TokenSource::web_socket_protocol(""),
            TokenSource::web_socket_protocol("bearer,"),
            TokenSource::cookie(CookieSource::new("", ["https://app.example.com"])),
        ] {
            assert!(invalid.validate().is_err(), "{invalid:?}");
        }
    }
}
