//! The JSON text of `request.jwt.claims`.

use std::fmt::Write;

use serde_json::{Value, value::RawValue};

use super::error::Error;
use crate::strict_object::{StrictObject, parse_string};

/// The greatest depth of the claims. PostgreSQL limits it by the size of its stack.
const MAX_DEPTH: usize = 128;

/// Returns the verified payload with `role` set to the role of the transaction, so that
/// `auth.role()` and the role that PostgreSQL checks are the same.
///
/// # Errors
/// [`Error::UnsupportedClaims`] if PostgreSQL cannot read the text as `jsonb`, or reads it in another
/// way than [`Claims`](crate::Claims): of a member that an object has twice, `jsonb` keeps the last one.
pub(super) fn with_role(payload: &str, role: &str) -> Result<String, Error> {
    if !is_jsonb(payload.trim_ascii(), MAX_DEPTH) {
        return Err(Error::UnsupportedClaims);
    }
    let object = StrictObject::parse(payload.as_bytes()).map_err(|_| Error::UnsupportedClaims)?;
    if object.member("role").and_then(parse_string).as_deref() == Some(role) {
        return Ok(payload.to_owned());
    }
    let mut claims = role_only(role);
    claims.pop();
    for (name, value) in object.members().filter(|(name, _)| *name != "role") {
        // Writing to a `String` cannot fail.
        let _ = write!(claims, ",{}:{value}", Value::from(name));
    }
    claims.push('}');
    Ok(claims)
}

/// Returns the claims of a request without a token.
pub(super) fn role_only(role: &str) -> String {
    format!("{{\"role\":{}}}", Value::from(role))
}

/// Returns whether `jsonb` stores a JSON text as it is: no object has a member twice, and no string has
/// U+0000 or an unpaired surrogate, which only escapes can express.
fn is_jsonb(json: &str, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else {
        return false;
    };
    match json.as_bytes().first() {
        Some(b'{') => StrictObject::parse(json.as_bytes()).is_ok_and(|object| {
            object
                .members()
                .all(|(name, value)| !name.contains('\0') && is_jsonb(value, depth))
        }),
        Some(b'[') => serde_json::from_str::<Vec<&RawValue>>(json).is_ok_and(|elements| {
            elements
                .iter()
                .all(|element| is_jsonb(element.get(), depth))
        }),
        Some(b'"') if json.contains("\\u") => {
            parse_string(json).is_some_and(|text| !text.contains('\0'))
        }
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims(payload: &str) -> Result<String, Error> {
        with_role(payload, "authenticated")
    }

    #[test]
    fn a_payload_with_the_role_is_unchanged() {
        for payload in [
            r#"{"sub":"ada","role":"authenticated"}"#,
            r#" { "role" : "authenticated", "n": 1.0, "x": "'\\;\"\ud83d\ude00" } "#,
            r#"{"r\u006fle":"authenticated"}"#,
            r#"{"x":"\\u0000","role":"authenticated"}"#,
        ] {
            assert_eq!(claims(payload).unwrap(), payload);
        }
    }

    #[test]
    fn the_role_is_set_where_the_payload_has_another() {
        for (payload, expected) in [
            (
                r#"{"sub":"ada"}"#,
                r#"{"role":"authenticated","sub":"ada"}"#,
            ),
            (
                r#"{"role":["service_role"],"a\"b":1.0}"#,
                r#"{"role":"authenticated","a\"b":1.0}"#,
            ),
            (
                r#"{"r\u006fle":"service_role","sub":"ada"}"#,
                r#"{"role":"authenticated","sub":"ada"}"#,
            ),
        ] {
            assert_eq!(claims(payload).unwrap(), expected);
        }
        assert_eq!(role_only("anon"), r#"{"role":"anon"}"#);
    }

    #[test]
    fn text_that_jsonb_cannot_store_is_refused() {
        for payload in [
            r#"{"a":"\u0000"}"#,
            r#"{"a":[{"b\u0000":1}]}"#,
            r#"{"a":"\ud800"}"#,
            r#"{"a":"\udc00\ud800"}"#,
            r#"{"a":"\\\u0000"}"#,
        ] {
            assert!(
                matches!(claims(payload), Err(Error::UnsupportedClaims)),
                "{payload}"
            );
        }
        assert!(claims(r#"{"a":"\u0001"}"#).is_ok());
    }

    #[test]
    fn claims_that_jsonb_reads_in_another_way_are_refused() {
        for payload in [
            r#"{"app_metadata":{"roles":[],"roles":["admin"]}}"#,
            r#"{"app_metadata":{"roles":[],"role\u0073":["admin"]}}"#,
            r#"{"a":[0,{"b":{"c":1,"c":1}}]}"#,
        ] {
            assert!(
                matches!(claims(payload), Err(Error::UnsupportedClaims)),
                "{payload}"
            );
        }
        assert!(claims(r#"{"a":[{"b":1},{"b":1}],"c":{"b":1}}"#).is_ok());
    }

    #[test]
    fn claims_have_at_most_128_levels() {
        let nested = |levels: usize| {
            let (open, close) = ("[".repeat(levels), "]".repeat(levels));
            format!(r#"{{"a":{open}{close}}}"#)
        };
        assert!(claims(&nested(MAX_DEPTH - 1)).is_ok());
        assert!(matches!(
            claims(&nested(MAX_DEPTH)),
            Err(Error::UnsupportedClaims)
        ));
        assert!(claims(&nested(10_000)).is_err());
    }
}
