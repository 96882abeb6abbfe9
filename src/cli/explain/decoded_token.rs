//! The contents of a token, decoded and not verified.

use std::time::{Duration, UNIX_EPOCH};

use base64_simd::URL_SAFE_NO_PAD;
use bearward::{Issuer, SanitizedText, Timestamp};
use serde_json::{Map, Value};
use url::{Host, Url};

use super::{indented, style};

/// The claims that are times (RFC 7519 §4.1, OpenID Connect Core §2).
const TIMES: [&str; 4] = ["auth_time", "exp", "iat", "nbf"];

/// The header and the claims of a token. What cannot be decoded is empty.
pub(super) struct DecodedToken {
    pub(super) header: Map<String, Value>,
    pub(super) claims: Map<String, Value>,
}

impl DecodedToken {
    pub(super) fn decode(token: &str) -> Self {
        let mut parts = token.split('.').map(|part| {
            let bytes = URL_SAFE_NO_PAD.decode_to_vec(part.as_bytes()).ok()?;
            serde_json::from_slice(&bytes).ok()
        });
        let mut next = || parts.next().flatten().unwrap_or_default();
        Self {
            header: next(),
            claims: next(),
        }
    }

    /// Prints both, with times also in words.
    pub(super) fn print(&self, now: Timestamp) {
        let (plain, faint, strong) = (style::PLAIN, style::FAINT, style::STRONG);
        for (title, members) in [("header", &self.header), ("claims", &self.claims)] {
            if members.is_empty() {
                continue;
            }
            anstream::println!("{strong}{title}{plain}{faint} (unverified){plain}");
            for (name, value) in members {
                let text = value.as_str().map_or_else(
                    || SanitizedText::new(&value.to_string()),
                    SanitizedText::new,
                );
                let name = SanitizedText::new(name).to_string();
                let at = if TIMES.contains(&name.as_str()) {
                    time(value)
                } else {
                    None
                };
                let words = at.map_or_else(String::new, |at| format!("  {}", in_words(at, now)));
                let value = indented(&format!("{text}{words}"), 18);
                anstream::println!("    {strong}{name:<13}{plain} {value}");
            }
            anstream::println!();
        }
    }

    /// Returns whether the token expired so long ago that every configuration rejects it.
    pub(super) fn is_expired(&self, now: Timestamp) -> bool {
        let exp = self.claims.get("exp").and_then(time);
        exp.is_some_and(|at| at < now && now.since(at) > Issuer::LEEWAY.max)
    }

    /// Returns the lines that configure the token's issuer and audience, if they can be written in
    /// a shell without quotes.
    pub(super) fn configuration(&self) -> Option<Vec<String>> {
        let iss = self.claims.get("iss")?.as_str()?;
        let url = Url::parse(iss).ok().filter(|_| is_plain(iss))?;
        let is_loopback = match url.host()? {
            Host::Domain(name) => name == "localhost",
            Host::Ipv4(address) => address.is_loopback(),
            Host::Ipv6(address) => address.is_loopback(),
        };
        if url.scheme() != "https" && !is_loopback {
            return None;
        }
        if let Some(base) = iss.strip_suffix("/auth/v1") {
            return Some(vec![format!("SUPABASE_URL={base} \\")]);
        }
        let audience = match self.claims.get("aud") {
            Some(Value::Array(list)) => list.first()?.as_str(),
            Some(Value::String(one)) => Some(one.as_str()),
            _ => None,
        };
        let audience = audience.filter(|text| is_plain(text)).unwrap_or("YOUR-API");
        Some(vec![
            format!("BEARWARD_ISSUERS__IDP__ISSUER={iss} \\"),
            format!("BEARWARD_ISSUERS__IDP__AUDIENCES={audience} \\"),
        ])
    }
}

/// Returns whether a shell takes the text as it is.
fn is_plain(text: &str) -> bool {
    text.chars()
        .all(|c| c.is_ascii_alphanumeric() || "-._:/@".contains(c))
        && !text.is_empty()
}

/// Returns the time of a number of seconds since 1970. A fraction is dropped.
fn time(value: &Value) -> Option<Timestamp> {
    let text = value.is_number().then(|| value.to_string())?;
    let seconds = text.split('.').next()?.parse().ok()?;
    (0..=LAST_SECOND)
        .contains(&seconds)
        .then(|| Timestamp::from_unix(seconds))
}

/// 9999-12-31T23:59:59Z, the last second that RFC 3339 can represent.
const LAST_SECOND: i64 = 253_402_300_799;

/// Formats a time and its distance, for example `2026-11-30 17:15:00 UTC, 5m ago`.
fn in_words(at: Timestamp, now: Timestamp) -> String {
    let distance = |duration: Duration| {
        let seconds = Duration::from_secs(duration.as_secs());
        let units = humantime::format_duration(seconds).to_string();
        units.split(' ').take(2).collect::<Vec<_>>().join(" ")
    };
    let distance = if at > now {
        format!("in {}", distance(at.since(now)))
    } else {
        format!("{} ago", distance(now.since(at)))
    };
    let date = UNIX_EPOCH + Duration::from_secs(at.unix().unsigned_abs());
    let date = humantime::format_rfc3339_seconds(date)
        .to_string()
        .replace('T', " ")
        .replace('Z', " UTC");
    format!("{date}, {distance}")
}
