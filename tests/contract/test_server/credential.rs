//! Finds the token in the request, in every way in which a server may interpret the request.

use std::collections::BTreeSet;

use actix_web::{
    HttpRequest,
    http::{Method, header::HeaderValue},
};

use super::{Flaw, Flaws, UNNAMED};

/// The flaws of requests without any credentials.
pub(super) const NO_CREDENTIALS: [Flaw; 7] = [
    "control.no-token",
    "http.method.head",
    "http.method.post",
    "http.query",
    "http.identity-headers",
    "http.internal-headers",
    "http.scheme.basic",
];

/// The flaws of requests that a correct server rejects with 400.
pub(super) const MALFORMED_REQUEST: [Flaw; 2] =
    ["http.two-headers.good-first", "http.two-headers.good-last"];

/// Returns each interpretation: its flaws, and the token that it finds.
pub(super) fn interpret(request: &HttpRequest) -> Vec<(Flaws, Option<String>)> {
    let headers: Vec<&[u8]> = request
        .headers()
        .get_all("authorization")
        .map(HeaderValue::as_bytes)
        .collect();
    match headers.as_slice() {
        [] => {
            let token = request
                .query_string()
                .split('&')
                .find_map(|pair| pair.strip_prefix("access_token="));
            let has = |name: &str| request.headers().contains_key(name);
            let flaw = match token {
                Some(_) => "http.query",
                None if has("x-user-id") => "http.identity-headers",
                None if has("x-middleware-subrequest") => "http.internal-headers",
                None => match *request.method() {
                    Method::GET => "control.no-token",
                    Method::HEAD => "http.method.head",
                    Method::POST => "http.method.post",
                    _ => UNNAMED,
                },
            };
            one(flaw, token)
        }
        [header] => interpret_header(header),
        [first, last] => {
            let with_flaw = |flaw: Flaw, header: &[u8]| -> Vec<_> {
                interpret_header(header)
                    .into_iter()
                    .map(|(flaws, token)| (flaws.into_iter().chain([flaw]).collect(), token))
                    .collect()
            };
            [
                with_flaw("http.two-headers.good-first", first),
                with_flaw("http.two-headers.good-last", last),
            ]
            .concat()
        }
        _ => one(UNNAMED, None),
    }
}

fn one(flaw: Flaw, token: Option<&str>) -> Vec<(Flaws, Option<String>)> {
    vec![(Flaws::from([flaw]), token.map(str::to_owned))]
}

fn interpret_header(header: &[u8]) -> Vec<(Flaws, Option<String>)> {
    if !header.is_ascii() {
        let rest: Vec<u8> = header.iter().copied().filter(u8::is_ascii).collect();
        let rest = String::from_utf8(rest).unwrap();
        return one("form.not-ascii", rest.strip_prefix("Bearer "));
    }
    let text = std::str::from_utf8(header).unwrap();
    let Some((scheme, rest)) = text.split_once(' ') else {
        return if text.eq_ignore_ascii_case("bearer") {
            one("http.scheme.only", None)
        } else {
            one("http.no-scheme", Some(text))
        };
    };
    let rest = rest.trim_start_matches(' ');
    match scheme.to_lowercase().as_str() {
        "bearer" | "dpop" => {}
        "basic" => return one("http.scheme.basic", None),
        _ => return one("http.scheme.other", Some(rest)),
    }
    if let Some((first, _)) = rest.split_once(", ") {
        return one("http.comma", Some(first));
    }
    if rest.starts_with('"') {
        return one("http.quoted", Some(rest.trim_matches('"')));
    }
    if rest.contains(' ') && !rest.starts_with('{') {
        return one("form.inner-space", Some(&rest.replace(' ', "")));
    }
    vec![(Flaws::new(), Some(rest.to_owned()))]
}

/// Returns the cases that a valid request with these headers belongs to.
pub(super) fn traits(request: &HttpRequest) -> BTreeSet<Flaw> {
    let text = request
        .headers()
        .get("authorization")
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let mut traits = BTreeSet::new();
    match text.split(' ').next() {
        Some("bearer") => drop(traits.insert("http.scheme.lower-case")),
        Some("BEARER") => drop(traits.insert("http.scheme.upper-case")),
        _ => {}
    }
    if text.contains("  ") {
        traits.insert("http.spaces");
    }
    traits
}

pub(super) fn bearer(request: &HttpRequest) -> Option<String> {
    request
        .headers()
        .get("authorization")?
        .to_str()
        .ok()?
        .strip_prefix("Bearer ")
        .map(str::to_owned)
}

/// Returns the decoded part of the token that contains a URL: the header, or else the payload.
pub(super) fn part_with_url(request: &HttpRequest) -> Option<String> {
    let token = bearer(request)?;
    let decode = |part: &str| {
        String::from_utf8(
            base64_simd::URL_SAFE_NO_PAD
                .decode_to_vec(part)
                .unwrap_or_default(),
        )
        .unwrap_or_default()
    };
    let mut parts = token.split('.').map(decode);
    let (header, payload) = (parts.next()?, parts.next()?);
    Some(if header.contains("http://") {
        header
    } else {
        payload
    })
}
