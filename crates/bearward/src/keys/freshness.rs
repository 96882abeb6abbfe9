//! Time-related response headers: how long a key set is fresh, and when to retry.
//!
//! Hand-written because the crates for RFC 9111 implement a complete cache; a key set needs only a
//! lifetime.

use bearward_http::headers::{delta_seconds, parse_http_date, values};
use reqwest::header::{AGE, CACHE_CONTROL, DATE, HeaderMap};

use crate::clock::Timestamp;

/// How long a response is fresh (RFC 9111 §5.2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// No directive, or none that can be parsed. For a 304, the previous lifetime applies again.
    Unspecified,
    /// `no-cache` or `no-store`.
    NoCache,
    /// `max-age` minus `Age`, in seconds.
    MaxAge(u64),
}

/// Reads `Cache-Control` and `Age`. The smallest `max-age` wins; a value that overflows is the
/// largest possible one (RFC 9111 §1.2.2). `s-maxage` is ignored: it applies to shared caches.
pub(super) fn freshness(headers: &HeaderMap) -> Freshness {
    let mut max_age = None::<u64>;
    for directive in values(headers, &CACHE_CONTROL).flat_map(directives) {
        let (name, value) = directive
            .split_once('=')
            .map_or((directive, None), |(name, value)| (name, Some(value)));
        match (name.trim().to_ascii_lowercase().as_str(), value) {
            ("no-cache" | "no-store", _) => return Freshness::NoCache,
            ("max-age", Some(value)) => {
                max_age = [max_age, delta_seconds(unquote(value.trim()))]
                    .into_iter()
                    .flatten()
                    .min();
            }
            _ => {}
        }
    }
    max_age.map_or(Freshness::Unspecified, |max_age| {
        Freshness::MaxAge(max_age.saturating_sub(age(headers)))
    })
}

/// Returns the server's time: `Date`. If a cache answered (`Age` above 0), there is none: some caches
/// forward the original `Date` and others write their own.
pub(super) fn server_time(headers: &HeaderMap) -> Option<Timestamp> {
    if age(headers) > 0 {
        return None;
    }
    values(headers, &DATE)
        .find_map(parse_http_date)
        .map(Timestamp::from)
}

/// Splits at commas outside of quoted strings.
fn directives(line: &str) -> impl Iterator<Item = &str> {
    let mut is_quoted = false;
    let mut is_escaped = false;
    line.split(move |c| {
        let is_separator = c == ',' && !is_quoted;
        is_quoted ^= c == '"' && !is_escaped;
        is_escaped = c == '\\' && is_quoted && !is_escaped;
        is_separator
    })
}

fn age(headers: &HeaderMap) -> u64 {
    values(headers, &AGE)
        .filter_map(|value| delta_seconds(value.trim()))
        .max()
        .unwrap_or(0)
}

fn unquote(value: &str) -> &str {
    value
        .strip_prefix('"')
        .and_then(|value| value.strip_suffix('"'))
        .unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderName;

    use super::{Freshness::*, *};

    fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
        lines
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()))
            .collect()
    }

    #[test]
    fn cache_control_follows_rfc_9111() {
        let cases = [
            ("max-age=600", MaxAge(600)),
            ("public, MAX-AGE=600, must-revalidate", MaxAge(600)),
            ("max-age=\"600\"", MaxAge(600)),
            ("max-age=600, max-age=60", MaxAge(60)),
            ("max-age=99999999999999999999999999", MaxAge(u64::MAX)),
            ("max-age=0", MaxAge(0)),
            ("max-age=-1", Unspecified),
            ("max-age=1.5", Unspecified),
            ("max-age=+5", Unspecified),
            ("max-age=", Unspecified),
            ("max-age", Unspecified),
            ("s-maxage=600", Unspecified),
            ("private=\"a, max-age=5\", max-age=600", MaxAge(600)),
            ("private=\"a\\\", max-age=5\", max-age=600", MaxAge(600)),
            ("private=\"never closed, max-age=5", Unspecified),
            ("x-max-age=600", Unspecified),
            ("no-cache, max-age=600", NoCache),
            ("max-age=600, No-Store", NoCache),
            ("", Unspecified),
            (",,,", Unspecified),
        ];
        for (line, expected) in cases {
            assert_eq!(
                freshness(&headers(&[("cache-control", line)])),
                expected,
                "{line}"
            );
        }
        assert_eq!(freshness(&HeaderMap::new()), Unspecified);
    }

    #[test]
    fn age_is_subtracted() {
        let with_age = |age| freshness(&headers(&[("cache-control", "max-age=600"), ("age", age)]));
        assert_eq!(with_age("100"), MaxAge(500));
        assert_eq!(with_age("601"), MaxAge(0));
        assert_eq!(with_age("soon"), MaxAge(600));
        assert_eq!(freshness(&headers(&[("age", "100")])), Unspecified);
    }

    #[test]
    fn server_time_is_the_date_of_an_uncached_response() {
        let date = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(
            server_time(&headers(&[date])),
            Some(Timestamp::from_unix(784_111_777))
        );
        assert_eq!(
            server_time(&headers(&[date, ("age", "0")])),
            Some(Timestamp::from_unix(784_111_777))
        );
        assert_eq!(server_time(&headers(&[date, ("age", "1")])), None);
        assert_eq!(server_time(&headers(&[("date", "today")])), None);
    }

    #[test]
    fn directives_of_all_header_lines_count() {
        let two = headers(&[
            ("cache-control", "max-age=600"),
            ("cache-control", "max-age=30"),
        ]);
        assert_eq!(freshness(&two), MaxAge(30));
    }
}
