//! A token in every way to read it, and what is wrong with each.

use base64_simd::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use serde_json::Value;

use super::{Readings, State, Violations, claims, signature};

/// A token taken apart; what is missing is empty.
pub(super) struct Parts {
    /// What a signature covers.
    pub(super) signed: String,
    pub(super) header: Value,
    pub(super) header_text: String,
    pub(super) payload: Vec<u8>,
    pub(super) signature: Vec<u8>,
}

pub(super) async fn judge(
    state: &State,
    token: Option<&str>,
    found: &mut Readings,
) -> Vec<Violations> {
    let Some(token) = token else {
        return vec![Violations::new()];
    };
    let mut readings = Vec::new();
    for (mut violations, text, signed) in forms(token) {
        let parts = match text {
            None => {
                readings.push(violations);
                continue;
            }
            Some(text) => take_apart(&text, &mut violations),
        };
        let unreadable = |name: &str| violations.contains(&format!("{name}: no base64url"));
        let (no_header, no_payload, no_signature) = (
            unreadable("header"),
            unreadable("payload"),
            unreadable("signature"),
        );
        if signed {
            note_header(&parts, &mut violations, found);
        }
        if signed && !no_header && !no_signature {
            violations.extend(signature::judge(state, &parts, found).await);
        }
        let claims = if no_payload {
            vec![Violations::new()]
        } else {
            claims::judge(&state.trust, &parts.payload, found)
        };
        for claims in claims {
            readings.push(claims.into_iter().chain(violations.clone()).collect());
        }
    }
    readings
}

/// Each way: what is wrong with it, its three parts unless there are none, and whether a signature
/// is looked for.
fn forms(token: &str) -> Vec<(Violations, Option<String>, bool)> {
    let one = |violation: &str, token: Option<String>, signed: bool| {
        vec![(Violations::from([violation.to_owned()]), token, signed)]
    };
    if let Ok(json) = serde_json::from_str::<Value>(token) {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let general = &json["signatures"][0];
        let (name, outer) = if general.is_null() {
            ("the flattened JSON form", &json)
        } else {
            ("the general JSON form", general)
        };
        let token = format!(
            "{}.{}.{}",
            text(&outer["protected"]),
            text(&json["payload"]),
            text(&outer["signature"])
        );
        return one(name, Some(token), true);
    }
    if token.starts_with("sb_") || token.starts_with("v1.") {
        return one(&format!("it begins with {}", &token[..3]), None, false);
    }
    let parts: Vec<&str> = token.split('.').collect();
    let algorithm = lenient(parts[0])["alg"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    match parts.as_slice() {
        [_, _, _] if token == ".." => one("two dots alone", None, false),
        [_, "", _] => vec![(Violations::new(), Some(token.to_owned()), true)],
        ["", payload, signature] => one(
            "no header",
            Some(format!("e30.{payload}.{signature}")),
            false,
        ),
        [_, _, _] => vec![(Violations::new(), Some(token.to_owned()), true)],
        [one_part] if one_part.starts_with("eyJ") => one("a header alone", None, false),
        [_] => one("one part", None, false),
        [header, payload] => {
            let name = if algorithm == "none" {
                "two parts that say none"
            } else {
                "two parts"
            };
            one(name, Some(format!("{header}.{payload}.")), false)
        }
        [header, payload, signature, _] => one(
            "four parts",
            Some(format!("{header}.{payload}.{signature}")),
            true,
        ),
        [_, _, _, _, _] if algorithm.contains("PBES2") || algorithm.contains("OAEP") => {
            one(&format!("encrypted by {algorithm}"), None, false)
        }
        [header, payload, signature, _, _] => one(
            "five parts",
            Some(format!("{header}.{payload}.{signature}")),
            true,
        ),
        _ => one(&format!("{} parts", parts.len()), None, false),
    }
}

fn take_apart(token: &str, violations: &mut Violations) -> Parts {
    let parts: Vec<&str> = token.split('.').collect();
    let mut decode = |part: &str, name: &str| {
        URL_SAFE_NO_PAD.decode_to_vec(part).unwrap_or_else(|_| {
            let (problem, bytes) = lenient_base64(part);
            violations.insert(format!("{name}: {problem}"));
            bytes
        })
    };
    let (header, payload, signature) = (
        decode(parts[0], "header"),
        decode(parts[1], "payload"),
        decode(parts[2], "signature"),
    );
    let header_text = String::from_utf8_lossy(&header).into_owned();
    let header = header_of(&header_text);
    Parts {
        signed: format!("{}.{}", parts[0], parts[1]),
        header,
        header_text,
        payload,
        signature,
    }
}

/// The header as the most lenient reader has it: the first value, or the first element; of a member
/// that is there twice, the good one.
fn header_of(text: &str) -> Value {
    let text = text.trim_start_matches('\u{feff}');
    let Some((members, _)) = claims::members(text) else {
        let value: Value = serde_json::from_str(text).unwrap_or_default();
        return value.get(0).cloned().unwrap_or(value);
    };
    let mut header = serde_json::Map::new();
    for (name, value) in members {
        let bad = |value: &Value| *value == "none" || *value == "nobody";
        let value = serde_json::from_str(&value).unwrap_or_default();
        if header.get(&name).is_none_or(bad) {
            header.insert(name, value);
        }
    }
    header.into()
}

fn lenient_base64(part: &str) -> (&'static str, Vec<u8>) {
    if let Ok(bytes) = URL_SAFE_NO_PAD.decode_to_vec(part.trim_end_matches('=')) {
        return ("padding", bytes);
    }
    if let Ok(bytes) = STANDARD_NO_PAD.decode_to_vec(part) {
        return ("the other alphabet", bytes);
    }
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let cut = &part[..part.len() - 1];
    let bytes = alphabet.chars().find_map(|last| {
        URL_SAFE_NO_PAD
            .decode_to_vec(format!("{cut}{last}"))
            .ok()
            .map(|bytes| (last, bytes))
    });
    // Of the four or sixteen that stand for the same bytes, the one whose bits are zero decodes.
    let of_last = part
        .chars()
        .last()
        .and_then(|last| alphabet.find(last))
        .unwrap_or_default();
    let same = |keep: usize| {
        alphabet
            .as_bytes()
            .get(of_last & keep)
            .map(|&byte| char::from(byte))
    };
    let zeroed = [0b11_1100, 0b11_0000]
        .into_iter()
        .filter_map(same)
        .find_map(|last| URL_SAFE_NO_PAD.decode_to_vec(format!("{cut}{last}")).ok());
    match (zeroed, bytes) {
        (Some(bytes), Some(_)) => ("trailing bits", bytes),
        _ => ("no base64url", Vec::new()),
    }
}

/// A part as JSON, whatever is wrong with it.
pub(super) fn lenient(part: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode_to_vec(part).unwrap_or_default())
        .unwrap_or(Value::Null)
}

fn note_header(parts: &Parts, violations: &mut Violations, found: &mut Readings) {
    let text = &parts.header_text;
    if text.contains("[[[[") {
        violations.insert("header: deep".to_owned());
        return;
    }
    if violations.contains("header: no base64url") {
        return;
    }
    if let Some((members, rest)) = claims::members(text.trim_start_matches('\u{feff}')) {
        let mut names: Vec<&str> = members.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        for pair in names.windows(2).filter(|pair| pair[0] == pair[1]) {
            let escaped = if text.contains("\\u") {
                ", escaped"
            } else {
                ""
            };
            let values: Vec<_> = members
                .iter()
                .filter(|(name, _)| name == pair[0])
                .map(|(_, value)| value.as_str())
                .collect();
            let values: Vec<&str> = values
                .iter()
                .map(|value| {
                    if value.contains("none") || value.contains("nobody") {
                        value
                    } else {
                        "good"
                    }
                })
                .collect();
            violations.insert(format!(
                "header: {} twice, {}{escaped}",
                pair[0],
                values.join(" then ")
            ));
        }
        if !rest.is_empty() {
            violations.insert("header: something follows".to_owned());
        }
        if members.is_empty() {
            violations.insert("header: no member".to_owned());
        }
    } else {
        let kind = if text.starts_with('[') {
            "array"
        } else if text == "null" {
            "null"
        } else {
            "text"
        };
        violations.insert(format!("header: {kind}"));
    }
    if text.starts_with('\u{feff}') {
        violations.insert("header: byte order mark".to_owned());
    }
    for name in ["crit", "b64"] {
        if let Some(value) = parts.header.get(name) {
            // Both at once are one mistake: b64 that crit names.
            if !(name == "b64" && parts.header.get("crit").is_some()) {
                violations.insert(format!("header: {name} {value}"));
            }
        }
    }
    match parts.header.get("typ") {
        None => drop(found.traits.insert("typ absent".to_owned())),
        Some(typ) if typ == "JWT" => {}
        Some(typ) if typ == "jwt" => drop(found.traits.insert("typ in lower case".to_owned())),
        Some(typ) => drop(violations.insert(format!("header: typ {typ}"))),
    }
    if parts.header.get("x-made-up").is_some() {
        found.traits.insert("unknown members".to_owned());
    }
}
