//! What response headers say about time: for how long a key set is fresh, and when to come back.

use std::time::Duration;

use reqwest::header::{AGE, CACHE_CONTROL, DATE, HeaderMap, HeaderName, RETRY_AFTER};

use crate::clock::Timestamp;

/// What a response says about the time in which its content is fresh (RFC 9111 §5.2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// Nothing, or nothing readable. A 304 that says nothing repeats what the set had.
    Unspecified,
    /// `no-cache` or `no-store`.
    NoCache,
    /// `max-age` less `Age`.
    Seconds(u64),
}

/// Reads `Cache-Control` and `Age`. Of two `max-age` the smaller one counts; one too large to count
/// is as large as can be (RFC 9111 §1.2.2); `s-maxage` is for caches that serve others.
pub(super) fn lifetime(headers: &HeaderMap) -> Freshness {
    let mut max_age = None::<u64>;
    for directive in values(headers, &CACHE_CONTROL).flat_map(directives) {
        let (name, value) = directive
            .split_once('=')
            .map_or((directive, None), |(name, value)| (name, Some(value)));
        match (name.trim().to_ascii_lowercase().as_str(), value) {
            ("no-cache" | "no-store", _) => return Freshness::NoCache,
            ("max-age", Some(value)) => {
                max_age = [max_age, seconds(unquoted(value.trim()))]
                    .into_iter()
                    .flatten()
                    .min();
            }
            _ => {}
        }
    }
    max_age.map_or(Freshness::Unspecified, |max_age| {
        Freshness::Seconds(max_age.saturating_sub(age(headers)))
    })
}

/// What time it is where the response came from: a cache on the way passes the old `Date` on and
/// tells its `Age`.
pub(super) fn server_time(headers: &HeaderMap) -> Option<Timestamp> {
    values(headers, &DATE)
        .find_map(date)
        .map(|date| date.plus(Duration::from_secs(age(headers))))
}

/// Reads `Retry-After` (RFC 9110 §10.2.3): seconds, or a date, which is compared with the
/// response's own `Date` where it has one, so that two clocks that differ do no harm.
pub fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let now = values(headers, &DATE).find_map(date).unwrap_or(now);
    let pause = |value: &str| {
        let after_seconds = seconds(value).map(Duration::from_secs);
        after_seconds.or_else(|| date(value).map(|date| date.since(now)))
    };
    values(headers, &RETRY_AFTER)
        .filter_map(|value| pause(value.trim()))
        .max()
}

fn values<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
}

/// Splits at commas, but not within a quoted string.
fn directives(line: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    let mut escaped = false;
    line.split(move |c| {
        let separates = c == ',' && !quoted;
        quoted ^= c == '"' && !escaped;
        escaped = c == '\\' && quoted && !escaped;
        separates
    })
}

fn age(headers: &HeaderMap) -> u64 {
    values(headers, &AGE)
        .filter_map(|value| seconds(value.trim()))
        .max()
        .unwrap_or(0)
}

fn unquoted(value: &str) -> &str {
    value
        .strip_prefix('"')
        .and_then(|value| value.strip_suffix('"'))
        .unwrap_or(value)
}

fn seconds(digits: &str) -> Option<u64> {
    let whole = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    whole.then(|| digits.parse().unwrap_or(u64::MAX))
}

fn date(value: &str) -> Option<Timestamp> {
    let since_epoch = httpdate::parse_http_date(value)
        .ok()?
        .duration_since(std::time::UNIX_EPOCH)
        .ok()?;
    i64::try_from(since_epoch.as_secs())
        .ok()
        .map(Timestamp::from_unix)
}

#[cfg(test)]
mod tests {
    use super::{Freshness::*, *};

    fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
        lines
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()))
            .collect()
    }

    #[test]
    fn cache_control_is_read_as_rfc_9111_says() {
        let cases = [
            ("max-age=600", Seconds(600)),
            ("public, MAX-AGE=600, must-revalidate", Seconds(600)),
            ("max-age=\"600\"", Seconds(600)),
            ("max-age=600, max-age=60", Seconds(60)),
            ("max-age=99999999999999999999999999", Seconds(u64::MAX)),
            ("max-age=0", Seconds(0)),
            ("max-age=-1", Unspecified),
            ("max-age=1.5", Unspecified),
            ("max-age=+5", Unspecified),
            ("max-age=", Unspecified),
            ("max-age", Unspecified),
            ("s-maxage=600", Unspecified),
            ("private=\"a, max-age=5\", max-age=600", Seconds(600)),
            ("private=\"a\\\", max-age=5\", max-age=600", Seconds(600)),
            ("private=\"never closed, max-age=5", Unspecified),
            ("x-max-age=600", Unspecified),
            ("no-cache, max-age=600", NoCache),
            ("max-age=600, No-Store", NoCache),
            ("", Unspecified),
            (",,,", Unspecified),
        ];
        for (line, expected) in cases {
            assert_eq!(
                lifetime(&headers(&[("cache-control", line)])),
                expected,
                "{line}"
            );
        }
        assert_eq!(lifetime(&HeaderMap::new()), Unspecified);
    }

    #[test]
    fn age_is_taken_off() {
        let with_age = |age| lifetime(&headers(&[("cache-control", "max-age=600"), ("age", age)]));
        assert_eq!(with_age("100"), Seconds(500));
        assert_eq!(with_age("601"), Seconds(0));
        assert_eq!(with_age("soon"), Seconds(600));
        assert_eq!(lifetime(&headers(&[("age", "100")])), Unspecified);
    }

    #[test]
    fn the_time_of_the_server_is_its_date_plus_the_age_of_the_copy() {
        let date = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(
            server_time(&headers(&[date])),
            Some(Timestamp::from_unix(784_111_777))
        );
        assert_eq!(
            server_time(&headers(&[date, ("age", "60")])),
            Some(Timestamp::from_unix(784_111_837))
        );
        assert_eq!(server_time(&headers(&[("date", "today")])), None);
    }

    #[test]
    fn directives_are_gathered_from_all_lines() {
        let two = headers(&[
            ("cache-control", "max-age=600"),
            ("cache-control", "max-age=30"),
        ]);
        assert_eq!(lifetime(&two), Seconds(30));
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = Timestamp::from_unix(784_111_777); // Sun, 06 Nov 1994 08:49:37 GMT
        let read = |value| retry_after(&headers(&[("retry-after", value)]), now);
        assert_eq!(read("120"), Some(Duration::from_mins(2)));
        assert_eq!(
            read("Sun, 06 Nov 1994 08:50:37 GMT"),
            Some(Duration::from_mins(1))
        );
        assert_eq!(
            read("Sun, 06 Nov 1994 08:00:00 GMT"),
            Some(Duration::ZERO),
            "a date that has passed"
        );
        assert_eq!(read("tomorrow"), None);
        assert_eq!(read("-5"), None);
    }

    #[test]
    fn a_date_is_compared_with_the_servers_own_clock() {
        let answer = headers(&[
            ("date", "Sun, 06 Nov 1994 08:49:37 GMT"),
            ("retry-after", "Sun, 06 Nov 1994 08:50:37 GMT"),
        ]);
        assert_eq!(
            retry_after(&answer, Timestamp::from_unix(0)),
            Some(Duration::from_mins(1))
        );
    }
}
