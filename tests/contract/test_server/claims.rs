//! Validates the claims, in every way in which a server may read them.

use serde_json::{Value, value::RawValue};

use super::{Flaw, Flaws, Observations, Trust, UNNAMED};
use crate::helpers::{CLIENT_ID, REQUIRED_CLAIM, TENANT_CLAIM};

pub(super) fn analyze(trust: &Trust, payload: &[u8], found: &mut Observations) -> Vec<Flaws> {
    let text = String::from_utf8_lossy(payload);
    let Some((members, rest)) = parse_members(&text) else {
        return vec![Flaws::from([not_an_object(&text)])];
    };
    let mut flaws = Flaws::new();
    if !rest.is_empty() {
        flaws.insert("form.payload-trailing");
    }
    if text.contains("[[[[") {
        flaws.insert("form.deep-nesting");
    }
    record_traits(&text, &members, found);
    let duplicates: Vec<&str> = members
        .iter()
        .enumerate()
        .filter(|(at, (name, _))| members[..*at].iter().any(|(earlier, _)| earlier == name))
        .map(|(_, (name, _))| name.as_str())
        .collect();
    if duplicates.is_empty() {
        flaws.extend(validate(trust, &members));
        return vec![flaws];
    }
    // A server may use the first or the last of duplicate members.
    let is_escaped = text.contains("\\u");
    [true, false]
        .map(|use_first| {
            let used: Vec<(String, String)> = members
                .iter()
                .enumerate()
                .filter(|(at, (name, _))| {
                    let others = if use_first {
                        &members[..*at]
                    } else {
                        &members[at + 1..]
                    };
                    !others.iter().any(|(other, _)| other == name)
                })
                .map(|(_, member)| member.clone())
                .collect();
            duplicates
                .iter()
                .map(|name| duplicate_claim(name, is_escaped, use_first))
                .chain(validate(trust, &used))
                .chain(flaws.iter().copied())
                .collect()
        })
        .into()
}

fn duplicate_claim(name: &str, is_escaped: bool, use_first: bool) -> Flaw {
    match (name, is_escaped, use_first) {
        ("exp", false, true) => "claims.twice.exp",
        ("exp", true, true) => "claims.twice.exp-escaped",
        ("exp", false, false) => "claims.twice.exp-first",
        ("aud", false, true) => "claims.twice.aud",
        ("iss", false, true) => "claims.twice.iss",
        ("nbf", false, true) => "claims.twice.nbf",
        ("sub", false, _) => "claims.twice.sub",
        ("sub", true, _) => "claims.twice.sub-escaped",
        ("x", false, _) => "claims.twice.unknown",
        _ => UNNAMED,
    }
}

/// Returns the members of a JSON object in order, each value as text, and the text that follows.
pub(super) fn parse_members(text: &str) -> Option<(Vec<(String, String)>, String)> {
    struct Members(Vec<(String, String)>);
    impl<'de> serde::Deserialize<'de> for Members {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Visitor;
            impl<'de> serde::de::Visitor<'de> for Visitor {
                type Value = Members;
                fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str("an object")
                }
                fn visit_map<A: serde::de::MapAccess<'de>>(
                    self,
                    mut map: A,
                ) -> Result<Members, A::Error> {
                    let mut members = Vec::new();
                    while let Some((name, value)) = map.next_entry::<String, Box<RawValue>>()? {
                        members.push((name, value.get().to_owned()));
                    }
                    Ok(Members(members))
                }
            }
            deserializer.deserialize_map(Visitor)
        }
    }
    let mut stream = serde_json::Deserializer::from_str(text).into_iter::<Members>();
    let members = stream.next()?.ok()?.0;
    Some((members, text[stream.byte_offset()..].trim().to_owned()))
}

fn not_an_object(text: &str) -> Flaw {
    match text {
        "" => "form.no-payload",
        "\"sub\"" => "form.payload-string",
        "1" => "form.payload-number",
        "null" => "form.payload-null",
        "sub=admin" => "form.payload-not-json",
        text if text.starts_with('[') => "form.payload-array",
        text if text.starts_with("eyJ") => "form.nested",
        _ => UNNAMED,
    }
}

/// Records the cases that a valid token with this payload belongs to.
fn record_traits(text: &str, members: &[(String, String)], found: &mut Observations) {
    let value = |name: &str| {
        members
            .iter()
            .find(|(known, _)| known == name)
            .map_or("", |(_, value)| value.as_str())
    };
    let aud: Value = serde_json::from_str(value("aud")).unwrap_or_default();
    let audiences = aud.as_array().map(Vec::len);
    let traits = [
        (audiences == Some(1), "control.aud-array"),
        (audiences == Some(2), "control.aud-array-of-two"),
        (value("nbf").parse::<i64>().is_ok(), "control.nbf-past"),
        (value("exp").contains('.'), "control.exp-fraction"),
        (text.contains("\n  "), "control.white-space"),
        (text.contains("\\u0078"), "control.escaped-names"),
        (!text.is_ascii(), "control.unicode"),
        (
            (2500..10_000).contains(&text.len()) && !text.contains("[["),
            "control.large",
        ),
        (text.len() > 10_000, "form.oversize"),
        (
            members.iter().any(|(name, _)| name == "x-made-up"),
            "control.unknown-claims",
        ),
    ];
    let present = traits.into_iter().filter(|(is_present, _)| *is_present);
    found.traits.extend(present.map(|(_, id)| id));
}

fn validate(trust: &Trust, members: &[(String, String)]) -> Flaws {
    if members.is_empty() {
        return Flaws::from(["form.payload-empty-object"]);
    }
    let raw = |name: &str| {
        members
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    };
    // A number that the parser cannot represent becomes a string.
    let value = |name: &str| {
        raw(name).map(|raw| serde_json::from_str(raw).unwrap_or(Value::String(raw.to_owned())))
    };
    let times = ["exp", "nbf", "iat"]
        .into_iter()
        .filter_map(|name| time_flaw(name, raw(name), value(name)));
    let issuer_or_tenant =
        match tenant_flaw(trust, value("iss").as_ref(), value(TENANT_CLAIM).as_ref()) {
            Ok(flaw) => flaw,
            Err(()) => issuer_flaw(trust, value("iss")),
        };
    [
        issuer_or_tenant,
        client_flaw(trust, value("client_id")),
        at_jwt_flaw(trust, value("jti"), value("iat")),
        required_claim_flaw(value(REQUIRED_CLAIM.0)),
        audience_flaw(trust, value("aud")),
        subject_flaw(value("sub")),
        raw("cnf").map(|_| "claims.cnf"),
    ]
    .into_iter()
    .flatten()
    .chain(times)
    .collect()
}

/// Returns the flaw of the identifier and the time that RFC 9068 requires.
fn at_jwt_flaw(trust: &Trust, jti: Option<Value>, iat: Option<Value>) -> Option<Flaw> {
    if !trust.requires_at_jwt {
        return None;
    }
    match jti {
        None => Some("at-jwt.jti.missing"),
        Some(Value::String(_)) => iat.is_none().then_some("at-jwt.iat.missing"),
        Some(_) => Some("at-jwt.jti.number"),
    }
}

fn client_flaw(trust: &Trust, client: Option<Value>) -> Option<Flaw> {
    if trust.requires_at_jwt {
        return match client {
            None => Some("at-jwt.client-id.missing"),
            Some(Value::String(client)) => client.is_empty().then_some("at-jwt.client-id.empty"),
            Some(Value::Array(_)) => Some("at-jwt.client-id.array"),
            Some(_) => Some("at-jwt.client-id.number"),
        };
    }
    Some(match client {
        None => "claims.client.missing",
        Some(Value::String(client)) if client == CLIENT_ID => return None,
        Some(Value::String(client)) if client.starts_with(CLIENT_ID) => "claims.client.longer",
        Some(Value::String(_)) => "claims.client.other",
        Some(Value::Array(_)) => "claims.client.array",
        Some(_) => UNNAMED,
    })
}

fn required_claim_flaw(value: Option<Value>) -> Option<Flaw> {
    let required = REQUIRED_CLAIM.1;
    Some(match value {
        None => "claims.required.missing",
        Some(Value::String(value)) if value == required => return None,
        Some(Value::String(value)) if value.starts_with(required) => "claims.required.longer",
        Some(Value::String(_)) => "claims.required.other",
        Some(_) => UNNAMED,
    })
}

/// Returns the flaw of the tenant, or an error if the issuer has no tenant, so that its own flaw
/// matters.
fn tenant_flaw(
    trust: &Trust,
    iss: Option<&Value>,
    claim: Option<&Value>,
) -> Result<Option<Flaw>, ()> {
    let base = trust.issuer.trim_end_matches("auth/v1");
    let iss = iss.and_then(Value::as_str).ok_or(())?;
    let in_iss = iss
        .strip_prefix(base)
        .and_then(|rest| rest.strip_suffix("/v1"));
    let in_claim = claim.and_then(Value::as_str);
    match (in_iss, in_claim) {
        (Some("auth"), Some("auth")) => Ok(None),
        (Some("auth"), None) => Ok(Some("claims.tenant.missing")),
        (Some("auth"), Some(_)) => Ok(Some("claims.tenant.mismatch")),
        (Some(in_iss), Some(in_claim)) if in_iss == in_claim && in_iss.contains("..") => {
            Ok(Some("claims.tenant.path"))
        }
        (Some(in_iss), Some(in_claim)) if in_iss == in_claim => Ok(Some("claims.tenant.other")),
        (_, _) => Err(()),
    }
}

fn issuer_flaw(trust: &Trust, iss: Option<Value>) -> Option<Flaw> {
    let iss = match iss {
        None => return Some("iss.missing"),
        Some(Value::String(iss)) if iss == trust.issuer => return None,
        Some(Value::String(iss)) if is_canary(&iss, trust) => return Some("ssrf.iss"),
        Some(iss) => iss,
    };
    let (issuer, base) = (&trust.issuer, trust.issuer.trim_end_matches("/auth/v1"));
    let text = iss
        .to_string()
        .replace(issuer, "ISSUER")
        .replace(base, "BASE")
        .replace(&issuer.to_uppercase(), "UPPER")
        .replace(base.trim_start_matches("http://"), "HOST");
    Some(match text.as_str() {
        "\"https://evil.example/auth/v1\"" => "iss.other",
        "null" => "iss.null",
        "\"\"" => "iss.empty",
        "1" => "iss.number",
        "[\"ISSUER\"]" => "iss.array",
        "{\"ISSUER\":true}" => "iss.object",
        "\"ISSUER/\"" => "iss.slash",
        "\"UPPER\"" => "iss.case",
        "\"BASE\"" => "iss.base",
        "\"BASE.evil.example/auth/v1\"" => "iss.longer-host",
        "\"ISSUER/evil\"" => "iss.longer-path",
        "\"https://evil.example/ISSUER\"" => "iss.contained",
        "\"BASE@evil.example/auth/v1\"" => "iss.user",
        "\"ISSUER?x=1\"" => "iss.query",
        "\"ISSUER#x\"" => "iss.fragment",
        "\" ISSUER\"" => "iss.space",
        "\"ISSUER,https://evil.example\"" => "iss.list",
        "\"BASE/x/../auth/v1\"" => "iss.dots",
        "\"HOST/auth/v1\"" => "iss.scheme",
        "\"ISSUER\\u0000.evil.example\"" => "iss.nul",
        "\"BASE/\u{430}uth/v1\"" => "iss.look-alike",
        _ => UNNAMED,
    })
}

/// Whether the issuer is another port of this machine: the canary host.
fn is_canary(iss: &str, trust: &Trust) -> bool {
    let port = |text: &str| {
        text.strip_prefix("http://127.0.0.1:")?
            .strip_suffix("/auth/v1")?
            .parse::<u16>()
            .ok()
    };
    port(iss).is_some_and(|found| Some(found) != port(&trust.issuer))
}

fn audience_flaw(trust: &Trust, aud: Option<Value>) -> Option<Flaw> {
    let aud = match aud {
        None if !trust.requires_audience => return None,
        None => return Some("claims.aud.missing"),
        Some(Value::String(aud)) if aud == trust.audience => return None,
        Some(Value::Array(all))
            if all.iter().all(Value::is_string)
                && all.iter().any(|aud| *aud == trust.audience.as_str()) =>
        {
            return None;
        }
        Some(aud) => aud,
    };
    Some(match aud.to_string().as_str() {
        "\"https://other.example\"" => "claims.aud.other",
        "null" => "claims.aud.null",
        "\"\"" => "claims.aud.empty",
        "[]" => "claims.aud.empty-array",
        "[\"https://a.example\",\"https://b.example\"]" => "claims.aud.array-of-others",
        "1" => "claims.aud.number",
        "true" => "claims.aud.true",
        "{\"authenticated\":true}" => "claims.aud.object",
        "[[\"authenticated\"]]" => "claims.aud.nested",
        "\"authenticated.evil.example\"" => "claims.aud.prefix",
        "\"evil-authenticated\"" => "claims.aud.suffix",
        "\"authen\"" => "claims.aud.beginning",
        "\"AUTHENTICATED\"" => "claims.aud.case",
        "\"other authenticated\"" => "claims.aud.words",
        "\"other,authenticated\"" => "claims.aud.commas",
        "\"authenticated \"" => "claims.aud.space",
        "\"*\"" => "claims.aud.star",
        "[\"authenticated\",1]" => "claims.aud.mixed",
        _ => UNNAMED,
    })
}

/// What is wrong with a `NumericDate`.
#[derive(Debug, PartialEq, Eq)]
enum TimeProblem {
    Missing,
    /// A number outside the range of dates, as written.
    OutOfRange(String),
    /// A number up to zero.
    NotPositive(String),
    /// A valid date that is this many seconds past or ahead.
    Off {
        seconds: i64,
        has_fraction: bool,
    },
    PastText,
    FutureText,
    OtherText,
    Array,
    /// Another JSON value, as written.
    Other(String),
}

fn time_flaw(name: &str, raw: Option<&str>, value: Option<Value>) -> Option<Flaw> {
    use TimeProblem::{
        Array, FutureText, Missing, NotPositive, Off, Other, OtherText, OutOfRange, PastText,
    };
    let problem = time_problem(name, raw, value)?;
    let out_of_range = |text: &str| match text {
        "9223372036854775808" => "claims.exp.huge",
        "1e300" => "claims.exp.float",
        "1e999" => "claims.exp.overflow",
        "-9223372036854775808" => "claims.exp.lowest",
        _ => UNNAMED,
    };
    Some(match (name, problem) {
        ("exp", Missing) => "claims.exp.missing",
        ("exp", OutOfRange(text)) => out_of_range(&text),
        ("exp", NotPositive(text)) if text == "0" => "claims.exp.zero",
        ("exp", NotPositive(text)) if text == "-1" => "claims.exp.negative",
        (
            "exp",
            Off {
                seconds: 3600,
                has_fraction: false,
            },
        ) => "claims.exp.past",
        (
            "exp",
            Off {
                seconds: 600,
                has_fraction: false,
            },
        ) => "claims.exp.ten-minutes",
        (
            "exp",
            Off {
                seconds: 3600,
                has_fraction: true,
            },
        ) => "claims.exp.fraction-past",
        ("exp", PastText) => "claims.exp.string-past",
        ("exp", FutureText) => "claims.exp.string-future",
        ("exp", Array) => "claims.exp.array",
        ("exp", Other(text)) => match text.as_str() {
            "null" => "claims.exp.null",
            "true" => "claims.exp.true",
            "{}" => "claims.exp.object",
            _ => UNNAMED,
        },
        ("nbf", Off { seconds: 3600, .. }) => "claims.nbf.future",
        ("nbf", Off { seconds: 600, .. }) => "claims.nbf.ten-minutes",
        ("nbf", FutureText) => "claims.nbf.string",
        ("iat", Off { seconds: 3600, .. }) => "claims.iat.future",
        ("iat", OtherText) => "claims.iat.string",
        _ => UNNAMED,
    })
}

fn time_problem(name: &str, raw: Option<&str>, value: Option<Value>) -> Option<TimeProblem> {
    let now = super::now();
    match value {
        None => (name == "exp").then_some(TimeProblem::Missing),
        Some(Value::Number(number)) => {
            let number = number.as_f64().unwrap();
            let is_off = if name == "exp" {
                number <= now - 60.0
            } else {
                number > now + 60.0
            };
            if number.abs() > 253_402_300_799.0 {
                return Some(TimeProblem::OutOfRange(raw?.to_owned()));
            }
            if !is_off {
                return None;
            }
            if number <= 0.0 {
                return Some(TimeProblem::NotPositive(number.to_string()));
            }
            #[expect(clippy::cast_possible_truncation, reason = "a few hours")]
            let seconds = ((now - number).abs() / 100.0).round() as i64 * 100;
            Some(TimeProblem::Off {
                seconds,
                has_fraction: number.fract() != 0.0,
            })
        }
        Some(Value::String(text)) if raw.is_some_and(|raw| raw.starts_with('"')) => {
            Some(match text.parse::<f64>() {
                Ok(time) if time < now => TimeProblem::PastText,
                Ok(_) => TimeProblem::FutureText,
                Err(_) => TimeProblem::OtherText,
            })
        }
        Some(Value::String(text)) => Some(TimeProblem::OutOfRange(text)),
        Some(Value::Array(_)) => Some(TimeProblem::Array),
        Some(other) => Some(TimeProblem::Other(other.to_string())),
    }
}

fn subject_flaw(sub: Option<Value>) -> Option<Flaw> {
    let Some(sub) = sub else {
        return Some("claims.sub.missing");
    };
    Some(match sub {
        Value::String(sub) if sub.is_empty() => "claims.sub.empty",
        Value::String(sub) if sub.len() > 255 => "claims.sub.long",
        Value::String(sub) if sub.chars().any(char::is_control) => "claims.sub.odd",
        Value::String(_) => return None,
        Value::Null => "claims.sub.null",
        Value::Number(_) => "claims.sub.number",
        Value::Array(_) => "claims.sub.array",
        Value::Object(_) => "claims.sub.object",
        Value::Bool(_) => UNNAMED,
    })
}
