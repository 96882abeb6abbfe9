//! The validity period of a certificate.
//!
//! Hand-written because it is the only part of X.509 that is needed: rustls parses and checks
//! certificates, but does not return the period, and a parser of the whole structure would add eight
//! crates.

use std::fmt;

use time::{Date, Month, OffsetDateTime, Time, format_description::well_known::Rfc3339};

/// When a certificate is valid, and whether it is self-signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    not_before: OffsetDateTime,
    not_after: OffsetDateTime,
    is_self_issued: bool,
}

impl Validity {
    /// Reads the period of a certificate in DER (RFC 5280 §4.1). `None` if it is malformed.
    pub(crate) fn parse(der: &[u8]) -> Option<Self> {
        let mut certificate = Der(der).take(SEQUENCE)?;
        let mut tbs = certificate.take(SEQUENCE)?;
        // The version is absent in version 1.
        let _ = tbs.take(VERSION);
        tbs.take(INTEGER)?;
        tbs.take(SEQUENCE)?;
        let issuer = tbs.take(SEQUENCE)?;
        let mut period = tbs.take(SEQUENCE)?;
        let subject = tbs.take(SEQUENCE)?;
        Some(Self {
            not_before: period.take_time()?,
            not_after: period.take_time()?,
            is_self_issued: issuer == subject,
        })
    }

    /// Returns the time after which the certificate is not valid, in seconds since 1970.
    pub(crate) fn expiry_unix(self) -> i64 {
        self.not_after.unix_timestamp()
    }

    pub(crate) fn is_expired(self, now: OffsetDateTime) -> bool {
        now > self.not_after
    }

    pub(crate) fn is_not_yet_valid(self, now: OffsetDateTime) -> bool {
        now < self.not_before
    }

    /// Returns whether the issuer and the subject are the same, so that there is no intermediate
    /// certificate.
    pub(crate) fn is_self_issued(self) -> bool {
        self.is_self_issued
    }

    /// Returns whether the certificate should have been renewed: less than 14 days, or less than a
    /// fifth of the period for one that is valid for less than 70 days, are left. Clients of ACME renew
    /// when a third is left.
    pub(crate) fn is_renewal_due(self, now: OffsetDateTime) -> bool {
        let fifth: time::Duration = (self.not_after - self.not_before) / 5;
        self.not_after - now < fifth.min(time::Duration::days(14))
    }

    /// Returns how many whole days are left; 0 if it has expired.
    pub(crate) fn days_left(self, now: OffsetDateTime) -> i64 {
        (self.not_after - now).whole_days().max(0)
    }
}

/// Prints when the certificate expires.
impl fmt::Display for Validity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.not_after.format(&Rfc3339).map_err(|_| fmt::Error)?;
        f.write_str(&text)
    }
}

const INTEGER: u8 = 0x02;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
/// `[0]`, explicit.
const VERSION: u8 = 0xa0;

/// The rest of a sequence of DER elements.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Der<'d>(&'d [u8]);

impl<'d> Der<'d> {
    /// Takes the contents of the next element if it has this tag.
    fn take(&mut self, tag: u8) -> Option<Der<'d>> {
        let (&[found, length], rest) = self.0.split_first_chunk::<2>()?;
        if found != tag {
            return None;
        }
        let (length, rest) = if length < 0x80 {
            (usize::from(length), rest)
        } else {
            let (octets, rest) = rest.split_at_checked(usize::from(length & 0x7f))?;
            if octets.len() > 4 {
                return None;
            }
            let length = octets
                .iter()
                .fold(0, |length, octet| length * 256 + usize::from(*octet));
            (length, rest)
        };
        let (contents, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some(Der(contents))
    }

    /// Takes a time, which is in UTC and has seconds (RFC 5280 §4.1.2.5).
    fn take_time(&mut self) -> Option<OffsetDateTime> {
        let (text, century) = match self.take(UTC_TIME) {
            Some(text) => (text, None),
            None => (self.take(GENERALIZED_TIME)?, Some(())),
        };
        let digits = text.0.strip_suffix(b"Z")?;
        if !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let number = |digits: &[u8]| {
            digits
                .iter()
                .fold(0_u16, |number, digit| number * 10 + u16::from(digit - b'0'))
        };
        let (year, rest) = digits.split_at_checked(if century.is_some() { 4 } else { 2 })?;
        let year = match (century, number(year)) {
            (Some(()), year) => year,
            (None, year) if year < 50 => 2000 + year,
            (None, year) => 1900 + year,
        };
        let &[month, day, hour, minute, second] = rest
            .chunks_exact(2)
            .map(|pair| u8::try_from(number(pair)).unwrap_or(u8::MAX))
            .collect::<Vec<_>>()
            .as_slice()
        else {
            return None;
        };
        if rest.len() != 10 {
            return None;
        }
        let date = Date::from_calendar_date(year.into(), Month::try_from(month).ok()?, day).ok()?;
        let time = Time::from_hms(hour, minute, second).ok()?;
        Some(OffsetDateTime::new_utc(date, time))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An element with contents shorter than 128 bytes.
    fn element(tag: u8, contents: &[u8]) -> Vec<u8> {
        let length = u8::try_from(contents.len()).expect("short contents");
        [&[tag, length], contents].concat()
    }

    fn certificate(period: &[u8], subject: &[u8]) -> Vec<u8> {
        let tbs = [
            element(VERSION, &element(INTEGER, &[2])),
            element(INTEGER, &[1]),
            element(SEQUENCE, &[]),
            element(SEQUENCE, b"issuer"),
            element(SEQUENCE, period),
            element(SEQUENCE, subject),
        ]
        .concat();
        element(SEQUENCE, &element(SEQUENCE, &tbs))
    }

    fn period(not_before: (u8, &str), not_after: (u8, &str)) -> Vec<u8> {
        [not_before, not_after]
            .map(|(tag, text)| element(tag, text.as_bytes()))
            .concat()
    }

    fn parse(not_after: (u8, &str)) -> Option<String> {
        let period = period((UTC_TIME, "260101000000Z"), not_after);
        Validity::parse(&certificate(&period, b"subject")).map(|validity| validity.to_string())
    }

    #[test]
    fn both_forms_of_a_time_are_read() {
        for (tag, text, time) in [
            (UTC_TIME, "260630235959Z", "2026-06-30T23:59:59Z"),
            (UTC_TIME, "491231235959Z", "2049-12-31T23:59:59Z"),
            (UTC_TIME, "500101000000Z", "1950-01-01T00:00:00Z"),
            (GENERALIZED_TIME, "20500101000000Z", "2050-01-01T00:00:00Z"),
            (GENERALIZED_TIME, "99991231235959Z", "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(parse((tag, text)).as_deref(), Some(time));
        }
        for (tag, text) in [
            (UTC_TIME, "2606302359Z"),
            (UTC_TIME, "260630235959"),
            (UTC_TIME, "260630235959+0000"),
            (UTC_TIME, "261330235959Z"),
            (UTC_TIME, "260230235959Z"),
            (UTC_TIME, "260630245959Z"),
            (UTC_TIME, "2606302359595Z"),
            (GENERALIZED_TIME, "260630235959Z"),
            (GENERALIZED_TIME, "20260630235959.5Z"),
            (INTEGER, "260630235959Z"),
            (UTC_TIME, ""),
        ] {
            assert_eq!(parse((tag, text)), None, "{text}");
        }
    }

    #[test]
    fn a_truncated_certificate_is_malformed() {
        let period = period((UTC_TIME, "260101000000Z"), (UTC_TIME, "270101000000Z"));
        let der = certificate(&period, b"subject");
        assert!(Validity::parse(&der).is_some_and(|validity| !validity.is_self_issued()));
        for length in 0..der.len() {
            assert_eq!(Validity::parse(&der[..length]), None, "{length}");
        }
        let own = certificate(&period, b"issuer");
        assert!(Validity::parse(&own).is_some_and(Validity::is_self_issued));
    }

    #[test]
    fn renewal_is_due_in_the_last_14_days_or_the_last_fifth() {
        let at = |text: &str| OffsetDateTime::parse(text, &Rfc3339).expect("a time");
        let validity = |not_after| {
            let period = period((UTC_TIME, "260101000000Z"), (UTC_TIME, not_after));
            Validity::parse(&certificate(&period, b"subject")).expect("a certificate")
        };
        // 90 days, until 1 April.
        let long = validity("260401000000Z");
        assert!(!long.is_renewal_due(at("2026-03-18T00:00:00Z")));
        assert!(long.is_renewal_due(at("2026-03-18T00:00:01Z")));
        assert_eq!(long.days_left(at("2026-03-18T00:00:00Z")), 14);
        // 5 days.
        let short = validity("260106000000Z");
        assert!(!short.is_renewal_due(at("2026-01-05T00:00:00Z")));
        assert!(short.is_renewal_due(at("2026-01-05T00:00:01Z")));
        assert!(!short.is_expired(at("2026-01-06T00:00:00Z")));
        assert!(short.is_expired(at("2026-01-06T00:00:01Z")));
        assert!(short.is_not_yet_valid(at("2025-12-31T23:59:59Z")));
        assert!(!short.is_not_yet_valid(at("2026-01-01T00:00:00Z")));
    }
}
