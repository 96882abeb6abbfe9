//! Checks that a form was submitted from this server's own page, with a token and a cookie.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{self, HeaderValue},
    },
};
use maud::html;
use url::Url;

use super::{html::page, random};

/// Holds the CSRF token of a consent page; its path is that page.
const COOKIE: &str = "bearward_consent";

/// Sets the cookie with the CSRF token, for the page at `path`.
pub(crate) fn set_cookie(response: &mut HttpResponse, csrf_token: &str, path: &str) {
    let cookie = format!("{COOKIE}={csrf_token}; Path={path}; HttpOnly; SameSite=Strict");
    if let Ok(cookie) = HeaderValue::try_from(cookie) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
}

/// Whether the form value and the cookie both match, so that neither a cross-site form nor a page of
/// another browser is accepted.
pub(crate) fn is_own_form(request: &HttpRequest, sent: &str, expected: &str) -> bool {
    let cookie = csrf_cookie(request).unwrap_or_default();
    let has_csrf_token =
        random::constant_time_eq(sent, expected) && random::constant_time_eq(&cookie, expected);
    has_csrf_token && is_same_origin(request)
}

/// The response to a form of another page.
pub(crate) fn rejected() -> HttpResponse {
    let body = html! {
        p { "This form was not submitted from its own page. Go back to the app and start again." }
    };
    page(StatusCode::FORBIDDEN, "Rejected", &body, "'none'")
}

/// The CSRF token in the cookie (RFC 6265 §4.2).
fn csrf_cookie(request: &HttpRequest) -> Option<String> {
    let pairs = request
        .headers()
        .get_all(header::COOKIE)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|text| text.split(';'));
    let mut named = pairs
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(name, _)| *name == COOKIE);
    named.next().map(|(_, value)| value.to_owned())
}

/// Whether the form comes from this server's own page: browsers send `Origin` with every form.
fn is_same_origin(request: &HttpRequest) -> bool {
    let text = |name| {
        request
            .headers()
            .get(name)
            .map(|value| value.to_str().unwrap_or("?"))
    };
    let origin_host = |origin: &str| {
        Url::parse(origin).ok().and_then(|url| {
            Some(
                origin
                    .strip_prefix(url.scheme())?
                    .strip_prefix("://")?
                    .to_owned(),
            )
        })
    };
    let host = text(header::HOST);
    text(header::ORIGIN)
        .is_none_or(|origin| host.is_some() && origin_host(origin).as_deref() == host)
}
