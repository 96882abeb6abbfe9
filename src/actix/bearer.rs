//! Where a request's token is: one Authorization header, or the cookie where one is configured.

use actix_web::{
    HttpRequest,
    http::{
        Method,
        header::{self, HeaderValue},
    },
};

use crate::{
    auth::error::Rejection,
    bearward::{CookieSource, Manners},
};

/// Finds the token without copying it (RFC 6750 §2.1). The query and the body are never looked at.
///
/// Another scheme than Bearer counts as no token: it may be meant for somebody else.
pub(super) fn token<'r>(request: &'r HttpRequest, manners: &Manners) -> Result<&'r str, Rejection> {
    let mut values = request.headers().get_all(header::AUTHORIZATION);
    let (first, second) = (values.next(), values.next());
    if second.is_some() {
        return Err(Rejection::SeveralCredentials);
    }
    let from_header = first.map(bearer).transpose()?.flatten();
    let from_cookie = match &manners.cookie {
        Some(cookie) => from_cookie(request, cookie)?,
        None => None,
    };
    match (from_header, from_cookie) {
        (Some(_), Some(_)) => Err(Rejection::SeveralCredentials),
        (Some(token), None) => Ok(token),
        (None, Some(token)) => {
            let cookie = manners.cookie.as_ref().ok_or(Rejection::NoToken)?;
            if is_safe(request.method()) || has_listed_origin(request, cookie) {
                Ok(token)
            } else {
                Err(Rejection::OriginRefused)
            }
        }
        (None, None) => Err(Rejection::NoToken),
    }
}

/// The token of a Bearer header; `None` when the scheme is another. Public for the fuzz target alone.
#[doc(hidden)]
pub fn bearer(value: &HeaderValue) -> Result<Option<&str>, Rejection> {
    let bytes = value.as_bytes();
    let scheme = bytes.split(|&byte| byte == b' ').next().unwrap_or_default();
    if !scheme.eq_ignore_ascii_case(b"bearer") {
        return Ok(None);
    }
    let text = value.to_str().map_err(|_| Rejection::BadAuthorization)?;
    let token = text[scheme.len()..].trim_start_matches(' ');
    if token.is_empty() || token.contains([' ', '\t', ',']) { Err(Rejection::BadAuthorization) } else { Ok(Some(token)) }
}

/// The cookie's value; two of that name are as wrong as two headers.
fn from_cookie<'r>(request: &'r HttpRequest, cookie: &CookieSource) -> Result<Option<&'r str>, Rejection> {
    let pairs =
        request.headers().get_all(header::COOKIE).filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(';'));
    let mut named = pairs.filter_map(|pair| {
        let (name, value) = pair.trim().split_once('=')?;
        (name == cookie.name).then(|| value.strip_prefix('"').and_then(|inner| inner.strip_suffix('"')).unwrap_or(value))
    });
    match (named.next(), named.next()) {
        (_, Some(_)) => Err(Rejection::SeveralCredentials),
        (Some("") | None, None) => Ok(None),
        (Some(token), None) => Ok(Some(token)),
    }
}

/// RFC 9110 §9.2.1.
fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE)
}

/// A browser sends Origin with every unsafe request; its absence therefore vouches for nothing.
fn has_listed_origin(request: &HttpRequest, cookie: &CookieSource) -> bool {
    let mut origins = request.headers().get_all(header::ORIGIN);
    let (Some(origin), None) = (origins.next(), origins.next()) else { return false };
    cookie.origins.iter().any(|listed| listed.as_bytes() == origin.as_bytes())
}
