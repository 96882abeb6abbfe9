//! The claims in every way to read them.

use serde_json::{Value, value::RawValue};

use super::{Readings, Trust, Violations};

pub(super) fn judge(trust: &Trust, payload: &[u8], found: &mut Readings) -> Vec<Violations> {
    let text = String::from_utf8_lossy(payload);
    let Some((members, rest)) = members(&text) else {
        return vec![Violations::from([format!("payload: {}", kind(&text))])];
    };
    let mut violations = Violations::new();
    if !rest.is_empty() {
        violations.insert("payload: something follows".to_owned());
    }
    if text.contains("[[[[") {
        violations.insert("payload: deep".to_owned());
    }
    traits(&text, &members, found);
    let twice: Vec<&str> = members
        .iter()
        .enumerate()
        .filter(|(at, (name, _))| members[..*at].iter().any(|(earlier, _)| earlier == name))
        .map(|(_, (name, _))| name.as_str())
        .collect();
    if twice.is_empty() {
        violations.extend(of(trust, &members, found));
        return vec![violations];
    }
    // A name that is there twice is read in both ways.
    let escaped = if text.contains("\\u") {
        ", escaped"
    } else {
        ""
    };
    let reading = |first: bool| {
        let counts = if first { "first" } else { "last" };
        let kept: Vec<(String, String)> = if first {
            members
                .iter()
                .enumerate()
                .filter(|(at, (name, _))| {
                    !members[..*at].iter().any(|(earlier, _)| earlier == name)
                })
                .map(|(_, m)| m.clone())
                .collect()
        } else {
            members
                .iter()
                .enumerate()
                .filter(|(at, (name, _))| !members[at + 1..].iter().any(|(later, _)| later == name))
                .map(|(_, m)| m.clone())
                .collect()
        };
        let names = twice
            .iter()
            .map(|name| format!("{name} twice{escaped}, the {counts} counts"));
        names
            .chain(of(
                trust,
                &kept,
                &mut Readings {
                    traits: found.traits.clone(),
                    missing: None,
                },
            ))
            .collect::<Violations>()
    };
    [true, false]
        .map(|first| violations.iter().cloned().chain(reading(first)).collect())
        .into()
}

/// The members of an object, in their order, each value as text, and what follows it.
pub(super) fn members(text: &str) -> Option<(Vec<(String, String)>, String)> {
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

fn kind(text: &str) -> String {
    match text {
        "" => "empty".to_owned(),
        text if text.starts_with('[') => "array".to_owned(),
        text if text.starts_with("eyJ") => "another token".to_owned(),
        text => text.to_owned(),
    }
}

fn traits(text: &str, members: &[(String, String)], found: &mut Readings) {
    let value = |name: &str| {
        members
            .iter()
            .find(|(found, _)| found == name)
            .map_or("", |(_, value)| value.as_str())
    };
    let aud: Value = serde_json::from_str(value("aud")).unwrap_or_default();
    for (holds, name) in [
        (
            aud.as_array().is_some_and(|aud| aud.len() == 1),
            "aud of one",
        ),
        (
            aud.as_array().is_some_and(|aud| aud.len() == 2),
            "aud of two",
        ),
        (value("nbf").parse::<i64>().is_ok(), "nbf"),
        (value("exp").contains('.'), "exp with a fraction"),
        (text.contains("\n  "), "white space"),
        (text.contains("\\u0078"), "escaped names"),
        (!text.is_ascii(), "outside ASCII"),
        (
            (2500..10_000).contains(&text.len()) && !text.contains("[["),
            "large",
        ),
        (text.len() > 10_000, "oversize"),
        (
            members.iter().any(|(name, _)| name == "x-made-up"),
            "unknown claims",
        ),
    ] {
        if holds {
            found.traits.insert(name.to_owned());
        }
    }
}

fn of(trust: &Trust, members: &[(String, String)], _found: &mut Readings) -> Violations {
    let mut violations = Violations::new();
    if members.is_empty() {
        return Violations::from(["payload: no claims".to_owned()]);
    }
    let raw = |name: &str| {
        members
            .iter()
            .find(|(found, _)| found == name)
            .map(|(_, value)| value.clone())
    };
    // What no number of this parser holds is text.
    let value =
        |name: &str| raw(name).map(|raw| serde_json::from_str(&raw).unwrap_or(Value::String(raw)));
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs_f64();
    let told = |value: &Value| {
        let text = value
            .to_string()
            .replace(&trust.issuer, "ISSUER")
            .replace(trust.issuer.trim_end_matches("/auth/v1"), "BASE");
        text.replace(&trust.issuer.to_uppercase(), "UPPER").replace(
            trust
                .issuer
                .trim_start_matches("http://")
                .trim_end_matches("/auth/v1"),
            "HOST",
        )
    };
    match value("iss") {
        Some(Value::String(iss)) if iss == trust.issuer => {}
        Some(Value::String(iss)) if is_loopback_of_another(&iss, trust) => {
            violations.insert("iss CANARY".to_owned());
        }
        iss => drop(violations.insert(format!(
            "iss {}",
            iss.map_or("missing".to_owned(), |iss| told(&iss))
        ))),
    }
    match value("aud") {
        Some(Value::String(aud)) if aud == trust.audience => {}
        Some(Value::Array(all))
            if all.iter().all(Value::is_string)
                && all.iter().any(|aud| *aud == trust.audience.as_str()) => {}
        aud => drop(violations.insert(format!(
            "aud {}",
            aud.map_or("missing".to_owned(), |aud| aud.to_string())
        ))),
    }
    for name in ["exp", "nbf", "iat"] {
        let judged = match value(name) {
            None if name == "exp" => Some("missing".to_owned()),
            None => None,
            Some(Value::Number(number)) => {
                let number = number.as_f64().unwrap();
                let wrong = if name == "exp" {
                    number <= now - 60.0
                } else {
                    number > now + 60.0
                };
                let out_of_range = number.abs() > 253_402_300_799.0;
                match () {
                    () if out_of_range => Some(raw(name).unwrap()),
                    () if !wrong => None,
                    () if number <= 0.0 => Some(number.to_string()),
                    () => {
                        let whole = if number.fract() == 0.0 {
                            ""
                        } else {
                            ", with a fraction"
                        };
                        Some(format!(
                            "by {} s{whole}",
                            ((now - number).abs() / 100.0).round() * 100.0
                        ))
                    }
                }
            }
            Some(Value::String(text)) => {
                let is_text = raw(name).is_some_and(|raw| raw.starts_with('"'));
                let seconds = text
                    .parse::<f64>()
                    .map(|text| if text < now { "past" } else { "ahead" });
                Some(if is_text {
                    format!("text {}", seconds.unwrap_or("now"))
                } else {
                    text
                })
            }
            Some(Value::Array(_)) => Some("array".to_owned()),
            Some(other) => Some(other.to_string()),
        };
        if let Some(judged) = judged {
            violations.insert(format!("{name} {judged}"));
        }
    }
    match value("sub") {
        Some(Value::String(sub))
            if !sub.is_empty() && sub.len() <= 255 && !sub.chars().any(char::is_control) => {}
        Some(Value::String(sub)) if sub.len() > 255 => {
            violations.insert("sub long".to_owned());
        }
        Some(sub) => drop(violations.insert(format!("sub {sub}"))),
        None => drop(violations.insert("sub missing".to_owned())),
    }
    if raw("cnf").is_some() {
        violations.insert("cnf".to_owned());
    }
    violations
}

/// Another port of this machine: the host that nobody should visit.
fn is_loopback_of_another(iss: &str, trust: &Trust) -> bool {
    let port = |text: &str| {
        text.strip_prefix("http://127.0.0.1:")?
            .strip_suffix("/auth/v1")?
            .parse::<u16>()
            .ok()
    };
    port(iss).is_some_and(|found| Some(found) != port(&trust.issuer))
}
