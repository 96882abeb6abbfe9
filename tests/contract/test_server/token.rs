//! Parses a token in every way in which a server may read it, and finds the flaws of each.

use base64_simd::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use serde_json::Value;

use super::{Flaw, Flaws, Observations, State, UNNAMED, claims, signature};

/// The parts of a token; missing parts are empty.
pub(super) struct Parts {
    /// The text that the signature covers.
    pub(super) signing_input: String,
    pub(super) header: Value,
    pub(super) header_text: String,
    pub(super) payload: Vec<u8>,
    pub(super) signature: Vec<u8>,
}

pub(super) async fn analyze(
    state: &State,
    token: Option<&str>,
    found: &mut Observations,
) -> Vec<Flaws> {
    let Some(token) = token else {
        return vec![Flaws::new()];
    };
    let mut interpretations = Vec::new();
    for (mut flaws, text, is_signed) in serializations(token) {
        let Some(text) = text else {
            interpretations.push(flaws);
            continue;
        };
        let parts = split(&text, &mut flaws);
        let no_header = flaws.contains("form.header-base64");
        let no_payload = flaws.contains("form.payload-base64");
        let no_signature = flaws.contains("form.signature-base64");
        if is_signed {
            analyze_header(&parts, state.trust.requires_at_jwt, &mut flaws, found);
        }
        if is_signed && !no_header && !no_signature {
            flaws.extend(signature::analyze(state, &parts, found).await);
        }
        let claims = if no_payload {
            vec![Flaws::new()]
        } else {
            claims::analyze(&state.trust, &parts.payload, found)
        };
        for claims in claims {
            interpretations.push(claims.into_iter().chain(flaws.clone()).collect());
        }
    }
    interpretations
}

/// Returns each interpretation: its flaws, the compact token if there is one, and whether its
/// signature is checked.
fn serializations(token: &str) -> Vec<(Flaws, Option<String>, bool)> {
    let one = |flaw: Flaw, token: Option<String>, is_signed: bool| {
        vec![(Flaws::from([flaw]), token, is_signed)]
    };
    if let Ok(json) = serde_json::from_str::<Value>(token) {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let general = &json["signatures"][0];
        let (flaw, outer) = if general.is_null() {
            ("form.json-flattened", &json)
        } else {
            ("form.json-general", general)
        };
        let token = format!(
            "{}.{}.{}",
            text(&outer["protected"]),
            text(&json["payload"]),
            text(&outer["signature"])
        );
        return one(flaw, Some(token), true);
    }
    if token.starts_with("sb_") {
        return one("form.api-key", None, false);
    }
    if token.starts_with("v1.") {
        return one("form.refresh-token", None, false);
    }
    let parts: Vec<&str> = token.split('.').collect();
    let algorithm = lenient(parts[0])["alg"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    match parts.as_slice() {
        [_, _, _] if token == ".." => one("form.dots", None, false),
        [_, "", _] => vec![(Flaws::new(), Some(token.to_owned()), true)],
        ["", payload, signature] => one(
            "form.no-header",
            Some(format!("e30.{payload}.{signature}")),
            false,
        ),
        [_, _, _] => vec![(Flaws::new(), Some(token.to_owned()), true)],
        [part] if part.starts_with("eyJ") => one("form.header-only", None, false),
        [_] => one("form.garbage", None, false),
        [header, payload] => {
            let flaw = if algorithm == "none" {
                "alg.none.no-dot"
            } else {
                "form.two-parts"
            };
            one(flaw, Some(format!("{header}.{payload}.")), false)
        }
        [header, payload, signature, _] => one(
            "form.four-parts",
            Some(format!("{header}.{payload}.{signature}")),
            true,
        ),
        [_, _, _, _, _] if algorithm.contains("PBES2") => {
            one("form.encrypted-by-password", None, false)
        }
        [_, _, _, _, _] if algorithm.contains("OAEP") => one("form.encrypted", None, false),
        [header, payload, signature, _, _] => one(
            "form.five-parts",
            Some(format!("{header}.{payload}.{signature}")),
            true,
        ),
        _ => one("form.many-dots", None, false),
    }
}

fn split(token: &str, flaws: &mut Flaws) -> Parts {
    let parts: Vec<&str> = token.split('.').collect();
    let mut decode = |part: &str, not_base64: Flaw| {
        URL_SAFE_NO_PAD.decode_to_vec(part).unwrap_or_else(|_| {
            let (flaw, bytes) = decode_leniently(part, not_base64);
            flaws.insert(flaw);
            bytes
        })
    };
    let (header, payload, signature) = (
        decode(parts[0], "form.header-base64"),
        decode(parts[1], "form.payload-base64"),
        decode(parts[2], "form.signature-base64"),
    );
    let header_text = String::from_utf8_lossy(&header).into_owned();
    let header = parse_header_leniently(&header_text);
    Parts {
        signing_input: format!("{}.{}", parts[0], parts[1]),
        header,
        header_text,
        payload,
        signature,
    }
}

/// Parses the header as the most lenient server does: the first JSON value, or the first element of
/// an array; of duplicate members the valid one.
fn parse_header_leniently(text: &str) -> Value {
    let text = text.trim_start_matches('\u{feff}');
    let Some((members, _)) = claims::parse_members(text) else {
        let value: Value = serde_json::from_str(text).unwrap_or_default();
        return value.get(0).cloned().unwrap_or(value);
    };
    let mut header = serde_json::Map::new();
    for (name, value) in members {
        let is_invalid = |value: &Value| *value == "none" || *value == "unknown";
        let value = serde_json::from_str(&value).unwrap_or_default();
        if header.get(&name).is_none_or(is_invalid) {
            header.insert(name, value);
        }
    }
    header.into()
}

/// Decodes base64 variants. The flaws of these variants are those of the signature, the only part
/// that the suite encodes in such a way.
fn decode_leniently(part: &str, not_base64: Flaw) -> (Flaw, Vec<u8>) {
    if let Ok(bytes) = URL_SAFE_NO_PAD.decode_to_vec(part.trim_end_matches('=')) {
        return ("form.padding", bytes);
    }
    if let Ok(bytes) = STANDARD_NO_PAD.decode_to_vec(part) {
        return ("form.standard-alphabet", bytes);
    }
    // Several last characters decode to the same bytes; in the canonical one the unused bits are
    // zero.
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let start = &part[..part.len() - 1];
    let last = part
        .chars()
        .last()
        .and_then(|last| alphabet.find(last))
        .unwrap_or_default();
    let canonical = [0b11_1100, 0b11_0000].into_iter().find_map(|mask| {
        let last = char::from(alphabet.as_bytes()[last & mask]);
        URL_SAFE_NO_PAD.decode_to_vec(format!("{start}{last}")).ok()
    });
    match canonical {
        Some(bytes) => ("form.trailing-bits", bytes),
        None => (not_base64, Vec::new()),
    }
}

/// Parses a part as JSON. Returns null if that fails.
pub(super) fn lenient(part: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode_to_vec(part).unwrap_or_default())
        .unwrap_or(Value::Null)
}

/// Returns the flaw of the type if only access tokens of RFC 9068 are accepted.
fn at_jwt_flaw(parts: &Parts, found: &mut Observations) -> Option<Flaw> {
    match parts.header.get("typ").and_then(Value::as_str) {
        Some("at+jwt") => return None,
        Some("AT+JWT") => drop(found.traits.insert("at-jwt.type.case")),
        Some("application/at+jwt") => drop(found.traits.insert("at-jwt.type.media-type")),
        Some("JWT") if String::from_utf8_lossy(&parts.payload).contains("\"nonce\"") => {
            return Some("at-jwt.type.id-token");
        }
        Some("JWT") => return Some("at-jwt.type.jwt"),
        None => return Some("at-jwt.type.missing"),
        Some(_) => return Some(UNNAMED),
    }
    None
}

fn analyze_header(
    parts: &Parts,
    requires_at_jwt: bool,
    flaws: &mut Flaws,
    found: &mut Observations,
) {
    let text = &parts.header_text;
    if text.contains("[[[[") {
        flaws.insert("form.deep-nesting-unsigned");
        return;
    }
    if flaws.contains("form.header-base64") {
        return;
    }
    if let Some((members, rest)) = claims::parse_members(text.trim_start_matches('\u{feff}')) {
        flaws.extend(duplicate_members(text, &members));
        if !rest.is_empty() {
            flaws.insert("form.header-trailing");
        }
        if members.is_empty() {
            flaws.insert("header.empty-object");
        }
    } else {
        flaws.insert(if text.starts_with('[') {
            "header.array"
        } else if text == "null" {
            "header.null"
        } else {
            "header.not-json"
        });
    }
    if text.starts_with('\u{feff}') {
        flaws.insert("header.byte-order-mark");
    }
    match (parts.header.get("crit"), parts.header.get("b64")) {
        (Some(crit), _) => drop(flaws.insert(match crit.to_string().as_str() {
            "[\"exotic\"]" => "header.crit-unknown",
            "[\"elsewhere\"]" => "header.crit-absent-member",
            "[\"b64\"]" => "header.crit-b64",
            "[]" => "header.crit-empty",
            "[\"alg\"]" => "header.crit-standard",
            "\"exotic\"" => "header.crit-not-a-list",
            _ => UNNAMED,
        })),
        (None, Some(_)) => drop(flaws.insert("header.b64")),
        (None, None) => {}
    }
    if parts.header.get("x-made-up").is_some() {
        found.traits.insert("control.unknown-header");
    }
    if requires_at_jwt {
        flaws.extend(at_jwt_flaw(parts, found));
        return;
    }
    match parts.header.get("typ") {
        None => drop(found.traits.insert("control.typ-absent")),
        Some(typ) if typ == "JWT" => {}
        Some(typ) if typ == "jwt" => drop(found.traits.insert("control.typ-lower-case")),
        Some(typ) => drop(flaws.insert(match typ.as_str() {
            Some("logout+jwt") => "header.typ-logout",
            Some("dpop+jwt") => "header.typ-dpop",
            Some("secevent+jwt") => "header.typ-secevent",
            Some("client-authentication+jwt") => "header.typ-client-authentication",
            Some(_) => UNNAMED,
            None => "header.typ-number",
        })),
    }
}

fn duplicate_members(text: &str, members: &[(String, String)]) -> Flaws {
    let mut names: Vec<&str> = members.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    let is_escaped = text.contains("\\u");
    let is_valid = |value: &str| !value.contains("none") && !value.contains("unknown");
    names
        .windows(2)
        .filter(|pair| pair[0] == pair[1])
        .map(|pair| {
            let validity: Vec<bool> = members
                .iter()
                .filter(|(name, _)| name == pair[0])
                .map(|(_, value)| is_valid(value))
                .collect();
            match (pair[0], validity.as_slice(), is_escaped) {
                ("alg", [true, false], false) => "header.alg-twice-last-none",
                ("alg", [false, true], false) => "header.alg-twice-first-none",
                ("alg", [false, true], true) => "header.alg-twice-escaped",
                ("kid", [true, false], false) => "header.kid-twice-last-unknown",
                ("x", [true, true], false) => "header.unknown-twice",
                _ => UNNAMED,
            }
        })
        .collect()
}
