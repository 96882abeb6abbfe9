//! Reads the token of a request: from the `Authorization` header, or from the session cookie if one
//! is configured.

use actix_web::{
    HttpRequest,
    http::{
        Method,
        header::{self, HeaderValue},
    },
};

use crate::{
    bearward::ChallengeConfig,
    cookie::CookieSource,
    error::{AuthError, FormatError},
    text::is_token_char,
};

/// Returns the token of a request (RFC 6750 §2.1). The query and the body are not read.
///
/// An `Authorization` header with another scheme than Bearer counts as no token, and so does an
/// empty cookie, which remains after a sign-out.
pub(super) fn token<'r>(
    request: &'r HttpRequest,
    challenge: &ChallengeConfig,
) -> Result<&'r str, AuthError> {
    let mut values = request.headers().get_all(header::AUTHORIZATION);
    let (first, second) = (values.next(), values.next());
    if second.is_some() {
        return Err(AuthError::SeveralCredentials);
    }
    let from_header = first.map(parse_authorization).transpose()?.flatten();
    let from_cookie = match &challenge.cookie {
        Some(cookie) => cookie_token(request, cookie)?.map(|token| (token, cookie)),
        None => None,
    };
    let from_token_header = match &challenge.token_header {
        Some(name) => token_header(request, name)?,
        None => None,
    };
    if from_token_header.is_some() && (from_header.is_some() || from_cookie.is_some()) {
        return Err(AuthError::SeveralCredentials);
    }
    match (from_header.or(from_token_header), from_cookie) {
        (Some(_), Some(_)) => Err(AuthError::SeveralCredentials),
        (Some(token), None) => Ok(token),
        (None, Some((token, cookie))) => {
            if is_safe(request) || has_listed_origin(request, cookie) {
                Ok(token)
            } else {
                Err(AuthError::OriginNotAllowed)
            }
        }
        (None, None) => Err(AuthError::NoToken),
    }
}

/// Parses an `Authorization` header. Returns `None` if the scheme is not Bearer.
///
/// # Errors
/// [`AuthError::BadAuthorization`] if the scheme is Bearer and no single token follows.
pub fn parse_authorization(value: &HeaderValue) -> Result<Option<&str>, AuthError> {
    const SCHEME: &[u8] = b"bearer";
    let Some((scheme, rest)) = value.as_bytes().split_at_checked(SCHEME.len()) else {
        return Ok(None);
    };
    // The scheme ends where its token (RFC 9110 §5.6.2) ends: "Bearer:" and "Bearer" with a tab are
    // malformed Bearer credentials and not another scheme.
    if !scheme.eq_ignore_ascii_case(SCHEME) || rest.first().is_some_and(|&byte| is_token_char(byte))
    {
        return Ok(None);
    }
    let spaces = rest.iter().take_while(|&&byte| byte == b' ').count();
    let token = str::from_utf8(&rest[spaces..]).map_err(|_| AuthError::BadAuthorization)?;
    if spaces > 0 && is_single_token(token.as_bytes()) {
        Ok(Some(token))
    } else {
        Err(AuthError::BadAuthorization)
    }
}

/// Returns the value of the configured token header; `None` if it is absent or empty.
///
/// # Errors
/// [`AuthError::SeveralCredentials`] if there are two, [`AuthError::BadAuthorization`] if the value is
/// not a single token.
fn token_header<'r>(request: &'r HttpRequest, name: &str) -> Result<Option<&'r str>, AuthError> {
    let mut values = request.headers().get_all(name);
    match (values.next().map(HeaderValue::as_bytes), values.next()) {
        (_, Some(_)) => Err(AuthError::SeveralCredentials),
        (None | Some(b""), None) => Ok(None),
        (Some(value), None) if is_single_token(value) => str::from_utf8(value)
            .map(Some)
            .map_err(|_| AuthError::BadAuthorization),
        (Some(_), None) => Err(AuthError::BadAuthorization),
    }
}

/// Returns whether the text is not empty and consists of visible characters other than the comma.
///
/// The loop has no branch per byte, so that it is vectorized: with a branch, it would take longer
/// than the rest of the verification of a cached token.
#[expect(
    clippy::needless_bitwise_bool,
    reason = "a lazy operator would be a branch per byte"
)]
fn is_single_token(token: &[u8]) -> bool {
    let is_visible = token.iter().fold(true, |is_visible, &byte| {
        is_visible & byte.is_ascii_graphic() & (byte != b',')
    });
    is_visible && !token.is_empty()
}

/// Returns the value of the session cookie; `None` if it is absent or empty.
///
/// Two cookies of that name are an error, like two headers. The header is read as bytes, because
/// cookies of other applications may contain anything.
fn cookie_token<'r>(
    request: &'r HttpRequest,
    cookie: &CookieSource,
) -> Result<Option<&'r str>, AuthError> {
    let mut values = request
        .headers()
        .get_all(header::COOKIE)
        .flat_map(|header| header.as_bytes().split(|&byte| byte == b';'))
        .filter_map(|pair| {
            let value = pair
                .trim_ascii()
                .strip_prefix(cookie.name.as_bytes())?
                .strip_prefix(b"=")?;
            Some(
                value
                    .strip_prefix(b"\"")
                    .and_then(|inner| inner.strip_suffix(b"\""))
                    .unwrap_or(value),
            )
        });
    match (values.next(), values.next()) {
        (_, Some(_)) => Err(AuthError::SeveralCredentials),
        (Some(b"") | None, None) => Ok(None),
        (Some(token), None) => str::from_utf8(token)
            .map(Some)
            .map_err(|_| AuthError::Format(FormatError::Base64)),
    }
}

/// Returns whether the method is safe (RFC 9110 §9.2.1) and the request is not a `WebSocket`
/// handshake. A handshake is a GET request, but CORS does not apply to the connection that it
/// opens.
fn is_safe(request: &HttpRequest) -> bool {
    let is_safe_method = matches!(
        *request.method(),
        Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE
    );
    is_safe_method && !request.headers().contains_key(header::UPGRADE)
}

/// Returns whether the request has one `Origin` header with a listed origin. Browsers send it with
/// every unsafe request, so a request without it is not accepted.
fn has_listed_origin(request: &HttpRequest, cookie: &CookieSource) -> bool {
    let mut origins = request.headers().get_all(header::ORIGIN);
    let (Some(origin), None) = (origins.next(), origins.next()) else {
        return false;
    };
    cookie
        .origins
        .iter()
        .any(|listed| listed.as_bytes() == origin.as_bytes())
}
