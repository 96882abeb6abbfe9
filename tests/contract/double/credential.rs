//! Where the token stands, in every way to read the request.

use std::collections::BTreeSet;

use actix_web::{HttpRequest, http::header::HeaderValue};

use super::Violations;

/// Each way: what is wrong with it, and the token that it finds. None of them is wrong in nothing
/// and finds nothing.
pub(super) fn read(request: &HttpRequest) -> Vec<(Violations, Option<String>)> {
    let headers: Vec<&[u8]> = request
        .headers()
        .get_all("authorization")
        .map(HeaderValue::as_bytes)
        .collect();
    let one =
        |violation: String, token: Option<String>| vec![(Violations::from([violation]), token)];
    match headers.as_slice() {
        [] => {
            let query = request
                .query_string()
                .split('&')
                .find_map(|pair| pair.strip_prefix("access_token="));
            let named = |name: &str| request.headers().contains_key(name);
            match query {
                Some(token) => one(
                    "nothing sent but in the query".to_owned(),
                    Some(token.to_owned()),
                ),
                None if named("x-user-id") => {
                    one("nothing sent but headers that name a user".to_owned(), None)
                }
                None if named("x-middleware-subrequest") => one(
                    "nothing sent but headers of an inner network".to_owned(),
                    None,
                ),
                None => one(format!("nothing sent by {}", request.method()), None),
            }
        }
        [header] => of_header(header),
        [first, last] => {
            let named = |name: &str, header: &[u8]| {
                let readings = of_header(header).into_iter();
                readings
                    .map(|(reading, token)| {
                        (
                            reading.into_iter().chain([name.to_owned()]).collect(),
                            token,
                        )
                    })
                    .collect::<Vec<_>>()
            };
            [
                named("two headers, the first counts", first),
                named("two headers, the last counts", last),
            ]
            .concat()
        }
        _ => one("many headers".to_owned(), None),
    }
}

fn of_header(header: &[u8]) -> Vec<(Violations, Option<String>)> {
    let one = |violation: &str, token: Option<&str>| {
        vec![(
            Violations::from([violation.to_owned()]),
            token.map(str::to_owned),
        )]
    };
    if !header.is_ascii() {
        let rest: Vec<u8> = header.iter().copied().filter(u8::is_ascii).collect();
        let rest = String::from_utf8(rest).unwrap();
        return one("bytes outside ASCII", rest.strip_prefix("Bearer "));
    }
    let text = std::str::from_utf8(header).unwrap();
    let Some((scheme, rest)) = text.split_once(' ') else {
        return if text.eq_ignore_ascii_case("bearer") {
            one("the scheme alone", None)
        } else {
            one("no scheme", Some(text))
        };
    };
    let rest = rest.trim_start_matches(' ');
    match scheme.to_lowercase().as_str() {
        "bearer" => {}
        "basic" => return one("nothing sent but a password", None),
        _ => return one("another scheme", Some(rest)),
    }
    if let Some((first, _)) = rest.split_once(", ") {
        return one("a comma", Some(first));
    }
    if rest.starts_with('"') {
        return one("quotes", Some(rest.trim_matches('"')));
    }
    if rest.contains(' ') && !rest.starts_with('{') {
        return one("a space inside", Some(&rest.replace(' ', "")));
    }
    vec![(Violations::new(), Some(rest.to_owned()))]
}

/// What kind of good request this is.
pub(super) fn traits(request: &HttpRequest) -> BTreeSet<String> {
    let text = request
        .headers()
        .get("authorization")
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let scheme = text.split(' ').next().unwrap_or_default();
    let mut traits = BTreeSet::from([format!("scheme {scheme}")]);
    if text.contains("  ") {
        traits.insert("two spaces".to_owned());
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

/// Header and payload of the token as text.
pub(super) fn decoded(request: &HttpRequest) -> Option<String> {
    let token = bearer(request)?;
    let part = |part: &str| {
        String::from_utf8(
            base64_simd::URL_SAFE_NO_PAD
                .decode_to_vec(part)
                .unwrap_or_default(),
        )
        .unwrap_or_default()
    };
    let mut parts = token.split('.').map(part);
    let (header, payload) = (parts.next()?, parts.next()?);
    // What a visitor of `jku` reads stands in the header; of `iss` and others, in the claims.
    Some(if header.contains("http://") {
        header
    } else {
        payload
    })
}
