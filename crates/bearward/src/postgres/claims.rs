//! The JSON text of `request.jwt.claims`.

use std::fmt::Write;

use serde_json::Value;

use super::error::Error;
use crate::strict_object::{StrictObject, parse_string};

/// Returns the verified payload with `role` set to the role of the transaction, so that
/// `auth.role()` and the role that PostgreSQL checks are the same.
///
/// # Errors
/// [`Error::UnsupportedClaims`] if PostgreSQL cannot read the text as `jsonb`.
pub(super) fn with_role(payload: &str, role: &str) -> Result<String, Error> {
    if !is_jsonb(payload) {
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

/// Returns whether every string of a JSON text can be stored in `jsonb`: U+0000 and unpaired
/// surrogates, which only escapes can express, cannot.
fn is_jsonb(text: &str) -> bool {
    !text.contains("\\u") || serde_json::from_str(text).is_ok_and(|value| !has_nul(&value))
}

fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(elements) => elements.iter().any(has_nul),
        Value::Object(members) => members
            .iter()
            .any(|(name, value)| name.contains('\0') || has_nul(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
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
}
