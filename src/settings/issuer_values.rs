//! Parsers of values that only `[issuers.NAME]` sections have.

use ::config::{Value, ValueKind};
use bearward::{Algorithm, Audiences, JsonPointer, JsonPointerError};
use serde_json::Value as Json;
use url::Url;

use super::raw::{Hint, Raw};

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

/// A JSON pointer (RFC 6901 §3) to something inside the claims.
pub(super) fn pointer(raw: Raw<'_>) -> Result<String, Hint> {
    let text = raw.text()?;
    match text.parse::<JsonPointer>() {
        Ok(_) => Ok(text.to_owned()),
        Err(JsonPointerError::NoLeadingSlash) => Err(format!(
            "a JSON pointer begins with a slash: write {:?}",
            format!("/{}", text.replace('.', "/"))
        )),
        Err(error) => Err(error.to_string()),
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
    fn a_pointer_begins_with_a_slash_and_escapes_tildes() {
        for text in ["/roles", "/app_metadata/roles", "/a~1b", "/a~0b"] {
            assert_eq!(read(text, pointer).as_deref(), Ok(text));
        }
        assert_eq!(
            read("app_metadata.roles", pointer),
            Err("a JSON pointer begins with a slash: write \"/app_metadata/roles\"".to_owned())
        );
        assert!(read("/a~2b", pointer).is_err());
        assert!(read("/a~", pointer).is_err());
        assert!(read("/", pointer).is_err(), "it names no claim");
        assert!(read("//a", pointer).is_err(), "it names no claim");
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
