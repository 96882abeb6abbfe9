//! Response headers with times.

use std::time::{Duration, SystemTime};

use reqwest::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};

/// Returns the field values of a name that are text, one for each field line.
pub fn values<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
}

/// Parses `delta-seconds` (RFC 9111 §1.2.2): digits only; a value that overflows is `u64::MAX`.
#[must_use]
pub fn delta_seconds(digits: &str) -> Option<u64> {
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().unwrap_or(u64::MAX))
}

/// Parses an HTTP date (RFC 9110 §5.6.7).
#[must_use]
pub fn parse_http_date(value: &str) -> Option<SystemTime> {
    httpdate::parse_http_date(value).ok()
}

/// Reads `Retry-After` (RFC 9110 §10.2.3): seconds, or a date. A date is compared with the
/// response's own `Date`, so a difference between the clocks does not matter; `now` is used if
/// there is none. A date in the past is a delay of zero.
#[must_use]
pub fn parse_retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let now = values(headers, &DATE)
        .find_map(parse_http_date)
        .unwrap_or(now);
    let parse = |value: &str| {
        let delay = delta_seconds(value).map(Duration::from_secs);
        let until = |date: SystemTime| date.duration_since(now).unwrap_or(Duration::ZERO);
        delay.or_else(|| parse_http_date(value).map(until))
    };
    values(headers, &RETRY_AFTER)
        .filter_map(|value| parse(value.trim()))
        .max()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
        lines
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()))
            .collect()
    }

    #[test]
    fn retry_after_accepts_seconds_and_dates() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777); // Sun, 06 Nov 1994 08:49:37 GMT
        let read = |value| parse_retry_after(&headers(&[("retry-after", value)]), now);
        assert_eq!(read("120"), Some(Duration::from_mins(2)));
        assert_eq!(
            read("Sun, 06 Nov 1994 08:50:37 GMT"),
            Some(Duration::from_mins(1))
        );
        assert_eq!(
            read("Sun, 06 Nov 1994 08:00:00 GMT"),
            Some(Duration::ZERO),
            "a date in the past"
        );
        assert_eq!(read("tomorrow"), None);
        assert_eq!(read("-5"), None);
    }

    #[test]
    fn retry_after_date_is_relative_to_the_date_header() {
        let response = headers(&[
            ("date", "Sun, 06 Nov 1994 08:49:37 GMT"),
            ("retry-after", "Sun, 06 Nov 1994 08:50:37 GMT"),
        ]);
        assert_eq!(
            parse_retry_after(&response, SystemTime::UNIX_EPOCH),
            Some(Duration::from_mins(1))
        );
    }
}
