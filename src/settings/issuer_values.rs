//! Parsers of values that only `[issuers.NAME]` sections have.

use ::config::{Map, Value, ValueKind};
use bearward::{Algorithm, Audiences, ClaimRule, ClaimValue, JsonPointer, TemplateError, TypRule};
use serde_json::Value as Json;
use url::Url;

use super::{
    ValueSource,
    raw::{Hint, Raw},
};

const HMAC: &str = "HS256, HS384 and HS512 need a shared secret, and every server that can verify a token could also sign one; \
                    bearward verifies with public keys only. To switch a Supabase project: in its dashboard under Project Settings, \
                    JWT Keys, click \"Migrate JWT secret\", then \"Rotate keys\"; leave algorithms at its default here";

/// The maximum length of an issuer in bytes.
const MAX_ISSUER_BYTES: usize = 512;

/// Parses the accepted values of `iss`.
pub(super) fn accepted_issuers(raw: Raw<'_>) -> Result<Vec<String>, Hint> {
    let issuers = raw.one_or_list()?;
    if issuers.is_empty() {
        return Err("write the exact `iss` of its tokens".to_owned());
    }
    if issuers.len() > 1 && issuers.iter().any(|issuer| issuer.contains(['{', '}'])) {
        return Err(TemplateError::Alias.to_string());
    }
    issuers.into_iter().map(accepted_issuer).collect()
}

fn accepted_issuer(text: &str) -> Result<String, Hint> {
    if text.is_empty()
        || text.len() > MAX_ISSUER_BYTES
        || text.chars().any(|c| c.is_whitespace() || c.is_control())
    {
        return Err(format!(
            "an issuer has 1 to {MAX_ISSUER_BYTES} bytes and no spaces"
        ));
    }
    if let Ok(url) = Url::parse(text)
        && (!url.username().is_empty()
            || url.password().is_some()
            || url.query().is_some()
            || url.fragment().is_some())
    {
        return Err(
            "an issuer URL has no user name, query or fragment (OpenID Connect Discovery §3)"
                .to_owned(),
        );
    }
    Ok(text.to_owned())
}

/// Parses the accepted audiences; `"*"` accepts any.
pub(super) fn audiences(raw: Raw<'_>) -> Result<Audiences, Hint> {
    match raw.one_or_list()?.as_slice() {
        [] => Err("write at least one audience; \"*\" accepts any".to_owned()),
        ["*"] => Ok(Audiences::Any),
        audiences if audiences.contains(&"*") => Err(
            "\"*\" accepts any audience and cannot be combined with others; remove it or the others"
                .to_owned(),
        ),
        audiences => Ok(Audiences::one_of(audiences.iter().copied())),
    }
}

/// Parses algorithm names and drops duplicates.
pub(super) fn algorithms(raw: Raw<'_>) -> Result<Vec<Algorithm>, Hint> {
    let mut algorithms = Vec::new();
    for name in raw.list()? {
        let algorithm = name.parse().map_err(|_| unknown_algorithm(name))?;
        if !algorithms.contains(&algorithm) {
            algorithms.push(algorithm);
        }
    }
    if algorithms.is_empty() {
        Err("write at least one algorithm".to_owned())
    } else {
        Ok(algorithms)
    }
}

fn unknown_algorithm(name: &str) -> Hint {
    let upper = name.to_uppercase();
    if upper.starts_with("HS") {
        return HMAC.to_owned();
    }
    if upper == "NONE" {
        return "\"none\" means an unsigned token, which is never accepted".to_owned();
    }
    if let Some(near) = Algorithm::ALL
        .iter()
        .find(|algorithm| algorithm.name().eq_ignore_ascii_case(name))
    {
        return format!("algorithm names are case-sensitive: write \"{near}\"");
    }
    format!(
        "write one or more of {}",
        Algorithm::ALL
            .iter()
            .map(|algorithm| algorithm.name())
            .collect::<Vec<_>>()
            .join(", ")
    )
}

/// Parses `token_type`: one of the words `jwt` and `at+jwt`, or a list of media types.
pub(super) fn token_type(raw: Raw<'_>) -> Result<TypRule, Hint> {
    match raw.one_or_list()?.as_slice() {
        ["jwt"] => Ok(TypRule::Jwt),
        ["at+jwt"] => Ok(TypRule::AtJwt),
        [] => Err("write \"jwt\", \"at+jwt\" or a list of media types".to_owned()),
        media_types => TypRule::one_of(media_types).map_err(|error| error.to_string()),
    }
}

/// Parses names of claims.
pub(super) fn required_claims(raw: Raw<'_>) -> Result<Vec<String>, Hint> {
    let names = raw.list()?;
    if names.iter().any(|name| name.starts_with('/')) {
        return Err(
            "write the name of a top-level claim, without a slash, such as \"email\"".to_owned(),
        );
    }
    Ok(names.into_iter().map(str::to_owned).collect())
}

/// Parses a list of names, or one name.
pub(super) fn names(raw: Raw<'_>) -> Result<Vec<String>, Hint> {
    raw.one_or_list()
        .map(|names| names.into_iter().map(str::to_owned).collect())
}

/// Parses where a claim is found: one or several names of top-level claims and JSON pointers.
pub(super) fn claim_names(raw: Raw<'_>) -> Result<Vec<String>, Hint> {
    let claims = names(raw)?;
    if claims.is_empty() {
        return Err(
            "write the name of a claim, or a JSON pointer such as \"/app_metadata/roles\""
                .to_owned(),
        );
    }
    for claim in claims.iter().filter(|claim| claim.starts_with('/')) {
        claim
            .parse::<JsonPointer>()
            .map_err(|error| error.to_string())?;
    }
    Ok(claims)
}

/// Parses `require`: the values that claims must have. In a variable it is a JSON object.
pub(super) fn claim_rules(raw: Raw<'_>) -> Result<Vec<(String, ClaimValue)>, Hint> {
    let table;
    let entries = match raw.kind {
        ValueKind::Table(entries) => entries,
        ValueKind::String(text) if raw.is_text => {
            table = serde_json::from_str::<Map<String, Value>>(text).map_err(|_| {
                "write a JSON object, such as {\"token_use\": \"access\"}".to_owned()
            })?;
            &table
        }
        _ => return Err("write a table, such as { token_use = \"access\" }".to_owned()),
    };
    let mut rules = entries
        .iter()
        .map(|(claim, value)| {
            let is_text = ValueSource::from_tag(value.origin()).is_text();
            let value = claim_value(Raw {
                kind: &value.kind,
                is_text,
            });
            value
                .and_then(|value| {
                    ClaimRule::new(claim, value.clone())
                        .map(|_| (claim.clone(), value))
                        .map_err(|error| error.to_string())
                })
                .map_err(|hint| format!("{claim}: {hint}"))
        })
        .collect::<Result<Vec<_>, Hint>>()?;
    // Tables have no order, and the first rule that is not met is reported.
    rules.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(rules)
}

fn claim_value(raw: Raw<'_>) -> Result<ClaimValue, Hint> {
    match raw.kind {
        ValueKind::String(_) if raw.is_text => Ok(ClaimValue::from(raw.list()?)),
        ValueKind::String(text) => Ok(text.as_str().into()),
        ValueKind::Boolean(value) => Ok((*value).into()),
        ValueKind::I64(value) => Ok((*value).into()),
        ValueKind::Array(items) => items
            .iter()
            .map(|item| {
                claim_value(Raw {
                    kind: &item.kind,
                    is_text: false,
                })
            })
            .collect::<Result<Vec<_>, Hint>>()
            .map(ClaimValue::AnyOf),
        _ => Err("write text, true, false, a whole number, or a list of these".to_owned()),
    }
}

/// Parses a JWK Set, given as JSON text or as a TOML table, and returns its JSON text. The keys are
/// not validated here.
pub(super) fn key_set(raw: Raw<'_>) -> Result<String, Hint> {
    let advice = || "write a JWK Set, which is a JSON object with an array \"keys\"".to_owned();
    let json: Json = match raw.kind {
        ValueKind::String(text) => serde_json::from_str(text).map_err(|_| advice())?,
        other => Value::new(None, other.clone())
            .try_deserialize()
            .map_err(|_| advice())?,
    };
    if !json.get("keys").is_some_and(Json::is_array) {
        return Err(advice());
    }
    Ok(match raw.kind {
        // Keeps the original text, because parsing drops duplicate members.
        ValueKind::String(text) => text.clone(),
        _ => json.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<T>(text: &str, parser: fn(Raw<'_>) -> Result<T, Hint>) -> Result<T, Hint> {
        parser(Raw {
            kind: &ValueKind::from(text),
            is_text: true,
        })
    }

    #[test]
    fn a_claim_is_a_name_or_a_valid_pointer() {
        for text in [
            "/roles",
            "/app_metadata/roles",
            "/a~1b",
            "/a~0b",
            "roles",
            "https://acme.example.com/roles",
            "a~2b",
        ] {
            assert_eq!(read(text, claim_names), Ok(vec![text.to_owned()]));
        }
        assert_eq!(
            read("/a,b", claim_names),
            Ok(vec!["/a".to_owned(), "b".to_owned()])
        );
        for invalid in ["", "/a~2b", "/a~", "/", "//a"] {
            assert!(read(invalid, claim_names).is_err(), "{invalid}");
        }
    }

    #[test]
    fn claim_rules_are_a_json_object_in_a_variable() {
        let rules = read(r#"{"b": [true, 7], "a": "x*"}"#, claim_rules);
        let expected = vec![
            ("a".to_owned(), ClaimValue::from("x*")),
            (
                "b".to_owned(),
                ClaimValue::AnyOf(vec![true.into(), 7.into()]),
            ),
        ];
        assert_eq!(rules, Ok(expected));
        for invalid in [
            "x",
            "[]",
            r#"{"a": null}"#,
            r#"{"a": 1.5}"#,
            r#"{"a": []}"#,
            r#"{"a": ""}"#,
            r#"{"a": "*"}"#,
            r#"{"a": {"b": 1}}"#,
            r#"{"/": "a"}"#,
        ] {
            assert!(read(invalid, claim_rules).is_err(), "{invalid}");
        }
    }

    #[test]
    fn algorithm_names_are_exact_and_never_symmetric() {
        assert_eq!(
            read("ES256,RS256,ES256", algorithms),
            Ok(vec![Algorithm::ES256, Algorithm::RS256])
        );
        assert!(read("rs256", algorithms).is_err_and(|hint| hint.ends_with("write \"RS256\"")));
        assert!(read("HS256", algorithms).is_err_and(|hint| hint.contains("Migrate JWT secret")));
        assert!(read("none", algorithms).is_err_and(|hint| hint.contains("never accepted")));
        assert!(read("", algorithms).is_err());
    }

    #[test]
    fn a_star_cannot_be_combined_with_audiences() {
        assert_eq!(read("*", audiences), Ok(Audiences::Any));
        assert_eq!(read("a,b", audiences), Ok(Audiences::one_of(["a", "b"])));
        assert!(read("a,*", audiences).is_err());
        assert!(read("", audiences).is_err());
    }

    #[test]
    fn a_key_set_is_an_object_with_a_keys_array() {
        assert!(read(r#"{"keys":[]}"#, key_set).is_ok());
        for text in ["", "[]", "{}", r#"{"keys":{}}"#, "keys"] {
            assert!(read(text, key_set).is_err(), "{text}");
        }
    }
}
