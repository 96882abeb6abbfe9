//! Where a request's token is: one Authorization header, or the cookie where one is configured.

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
};

/// Finds the token without copying it (RFC 6750 §2.1). The query and the body are never looked at.
///
/// Another scheme than Bearer counts as no token: it may be meant for somebody else. So does an
/// empty cookie: it is what a sign-out leaves.
pub(super) fn token<'r>(
    request: &'r HttpRequest,
    challenge: &ChallengeConfig,
) -> Result<&'r str, AuthError> {
    let mut values = request.headers().get_all(header::AUTHORIZATION);
    let (first, second) = (values.next(), values.next());
    if second.is_some() {
        return Err(AuthError::SeveralCredentials);
    }
    let from_header = first.map(bearer).transpose()?.flatten();
    let from_cookie = match &challenge.cookie {
        Some(cookie) => from_cookie(request, cookie)?,
        None => None,
    };
    match (from_header, from_cookie) {
        (Some(_), Some(_)) => Err(AuthError::SeveralCredentials),
        (Some(token), None) => Ok(token),
        (None, Some(token)) => {
            let cookie = challenge.cookie.as_ref().ok_or(AuthError::NoToken)?;
            if is_safe_method(request) || has_listed_origin(request, cookie) {
                Ok(token)
            } else {
                Err(AuthError::OriginRefused)
            }
        }
        (None, None) => Err(AuthError::NoToken),
    }
}

/// The token of a Bearer header; `None` when the scheme is another. Public for the fuzz target
/// alone.
#[doc(hidden)]
pub fn bearer(value: &HeaderValue) -> Result<Option<&str>, AuthError> {
    const SCHEME: &[u8] = b"bearer";
    let Some((scheme, after)) = value.as_bytes().split_at_checked(SCHEME.len()) else {
        return Ok(None);
    };
    if !scheme.eq_ignore_ascii_case(SCHEME) || after.first().is_some_and(|&byte| is_tchar(byte)) {
        return Ok(None);
    }
    let spaces = after.iter().take_while(|&&byte| byte == b' ').count();
    let token = str::from_utf8(&after[spaces..]).map_err(|_| AuthError::BadAuthorization)?;
    if spaces > 0 && is_single_token(token.as_bytes()) {
        Ok(Some(token))
    } else {
        Err(AuthError::BadAuthorization)
    }
}

/// Visible characters other than the comma, and at least one. No branch for each byte, so that this
/// becomes vector code: looking for one after the other takes longer than everything else about a
/// token that is remembered.
#[expect(
    clippy::needless_bitwise_bool,
    reason = "a lazy operator is a branch for each byte"
)]
fn is_single_token(token: &[u8]) -> bool {
    let visible = token.iter().fold(true, |so_far, &byte| {
        so_far & byte.is_ascii_graphic() & (byte != b',')
    });
    visible && !token.is_empty()
}

/// RFC 9110 §5.6.2: what a scheme's name is made of. `Bearer:` and `Bearer` with a tab are then
/// Bearer written wrongly, not another scheme.
fn is_tchar(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// The cookie's value; two of that name are as wrong as two headers.
///
/// It reads bytes: what another application put into a cookie of its own must not hide this one.
fn from_cookie<'r>(
    request: &'r HttpRequest,
    cookie: &CookieSource,
) -> Result<Option<&'r str>, AuthError> {
    let pairs = request
        .headers()
        .get_all(header::COOKIE)
        .flat_map(|value| value.as_bytes().split(|&byte| byte == b';'));
    let mut named = pairs.filter_map(|pair| {
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
    match (named.next(), named.next()) {
        (_, Some(_)) => Err(AuthError::SeveralCredentials),
        (Some(b"") | None, None) => Ok(None),
        (Some(token), None) => str::from_utf8(token)
            .map(Some)
            .map_err(|_| AuthError::Form(FormatError::Base64)),
    }
}

/// RFC 9110 §9.2.1. A `WebSocket` handshake is a GET too, but opens a way to change things that no
/// CORS rule stands before.
fn is_safe_method(request: &HttpRequest) -> bool {
    let safe = matches!(
        *request.method(),
        Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE
    );
    safe && !request.headers().contains_key(header::UPGRADE)
}

/// A browser sends Origin with every unsafe request; its absence therefore vouches for nothing.
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
