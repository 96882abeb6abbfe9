//! The `[service_keys.NAME]` sections: services that call with a key of their own.

use ::config::{Map, Value};
use bearward::{ServiceKey, Timestamp};
use time::{Date, OffsetDateTime, format_description::well_known::Rfc3339};

use super::{
    Problem,
    issuer_values::names,
    raw::{Hint, Raw},
    redact::hidden,
    report::Report,
    section::{Reported, Section},
};

/// Reads every service.
pub(super) fn read(tree: &mut Map<String, Value>, report: &mut Report) -> Vec<ServiceKey> {
    let mut services = Vec::new();
    let Ok(mut section) = Section::open(tree, "", "service_keys", report) else {
        return services;
    };
    for name in section.names() {
        if !is_name(&name) {
            let hint = "the name of a service may contain only lower-case letters, digits and _, and not be \"none\", because it is part of variable and metric names";
            section
                .report
                .problems
                .push(Problem::plain(format!("service_keys.{name}: {hint}")));
        }
        let service = section
            .subsection(&name)
            .and_then(|section| read_service(&name, section));
        services.extend(service);
    }
    services
}

/// Returns whether a service can have this name.
pub(crate) fn is_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name != "none"
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

fn read_service(name: &str, mut section: Section<'_>) -> Result<ServiceKey, Reported> {
    let digests = section.secret("sha256", hidden, digests);
    let digests = section.require(
        "sha256",
        digests.map(|digests| digests.filter(|digests| !digests.is_empty())),
        "write the SHA-256 digest of the key; `bearward keys new NAME` creates a key and prints its digest",
    );
    let scopes = section.with_default("scopes", Vec::new(), "", |raw| {
        let scopes = names(raw)?;
        // The scopes are checked on their own, so that the error names this key.
        ServiceKey::new("scopes")
            .and_then(|service| service.scope(&scopes.join(" ")))
            .map(|_| scopes)
            .map_err(|error| error.to_string())
    });
    let expires = section.optional("expires", expiry);
    let (Ok(digests), Ok(scopes), Ok(expires)) = (digests, scopes, expires) else {
        section.finish();
        return Err(Reported);
    };
    let build = || {
        let mut service = ServiceKey::new(name)?.scope(&scopes.join(" "))?;
        for digest in &digests {
            service = service.sha256(digest)?;
        }
        Ok(match expires {
            Some(at) => service.expires(at),
            None => service,
        })
    };
    let service = build().map_err(|error: bearward::ServiceKeyError| section.invalid(&error));
    section.finish();
    service
}

/// Parses digests: a list, or text with digests separated by line breaks or commas.
fn digests(raw: Raw<'_>) -> Result<Vec<String>, Hint> {
    let digests = raw.one_or_list()?;
    digests
        .into_iter()
        .flat_map(str::lines)
        .map(str::trim)
        .filter(|digest| !digest.is_empty())
        .enumerate()
        .map(|(index, digest)| {
            // The error does not repeat the text, which may be the key itself.
            ServiceKey::new("digest")
                .and_then(|service| service.sha256(digest))
                .map(|_| digest.to_owned())
                .map_err(|error| format!("digest number {}: {error}", index + 1))
        })
        .collect()
}

/// Parses a day in UTC, which the key does not see, or a point in time of RFC 3339.
fn expiry(raw: Raw<'_>) -> Result<Timestamp, Hint> {
    parse_expiry(raw.text()?).ok_or_else(|| {
        "write a day such as \"2027-01-31\", from whose start in UTC the keys are rejected, or a time such as \"2027-01-31T12:00:00Z\""
            .to_owned()
    })
}

/// Parses a day or a point in time of RFC 3339.
pub(crate) fn parse_expiry(text: &str) -> Option<Timestamp> {
    let at = OffsetDateTime::parse(text, &Rfc3339).ok().or_else(|| {
        let mut parts = text.splitn(3, '-');
        let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
        if (year.len(), month.len(), day.len()) != (4, 2, 2) {
            return None;
        }
        let month = month.parse::<u8>().ok()?.try_into().ok()?;
        let date = Date::from_calendar_date(year.parse().ok()?, month, day.parse().ok()?).ok()?;
        Some(date.midnight().assume_utc())
    })?;
    Some(Timestamp::from_unix(at.unix_timestamp()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_at_midnight_in_utc() {
        let seconds = |text| parse_expiry(text).map(Timestamp::unix);
        assert_eq!(seconds("1970-01-02"), Some(86_400));
        assert_eq!(seconds("1970-01-02T00:00:01Z"), Some(86_401));
        assert_eq!(seconds("1970-01-02T01:00:00+01:00"), Some(86_400));
        for invalid in [
            "",
            "1970",
            "1970-1-2",
            "1970-13-01",
            "1970-02-30",
            "tomorrow",
            "1970-01-02 10:00",
        ] {
            assert_eq!(seconds(invalid), None, "{invalid}");
        }
    }
}
