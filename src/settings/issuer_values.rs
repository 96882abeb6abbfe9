//! The values that only an issuer's profile has.

use ::config::{Value, ValueKind};
use bearward::{Algorithm, JsonPointer, JsonPointerError};
use serde_json::Value as Json;
use url::Url;

use super::{
    issuers::Audiences,
    raw::{Hint, Raw},
};

const HMAC: &str = "HS256, HS384 and HS512 sign with a secret that every verifier would have to hold, and who can verify could sign; \
                    bearward verifies with public keys only. A Supabase project moves to them in its dashboard under Project Settings, \
                    JWT Keys: \"Migrate JWT secret\", then \"Rotate keys\"; leave algorithms at the default here";

/// The accepted spellings of `iss`.
pub(super) fn accepted_issuers(raw: Raw<'_>) -> Result<Vec<String>, Hint> {
    let spellings = raw.one_or_list()?;
    if spellings.is_empty() {
        return Err("write the `iss` of its tokens, letter by letter".to_owned());
    }
    spellings.into_iter().map(spelling).collect()
}

fn spelling(text: &str) -> Result<String, Hint> {
    if text.is_empty()
        || text.len() > 512
        || text.chars().any(|c| c.is_whitespace() || c.is_control())
    {
        return Err("an issuer is 1 to 512 bytes without spaces".to_owned());
    }
    if let Ok(url) = Url::parse(text)
        && (!url.username().is_empty()
            || url.password().is_some()
            || url.query().is_some()
            || url.fragment().is_some())
    {
        return Err(
            "an issuer is a URL without user name, ? and # (OpenID Connect Discovery §3)"
                .to_owned(),
        );
    }
    Ok(text.to_owned())
}

/// Whom a token must be for.
pub(super) fn audiences(raw: Raw<'_>) -> Result<Audiences, Hint> {
    match raw.one_or_list()?.as_slice() {
        [] => Err("name at least one audience; \"*\" accepts any".to_owned()),
        ["*"] => Ok(Audiences::Any),
        names if names.contains(&"*") => {
            Err("\"*\" accepts any audience, so it stands alone or not at all".to_owned())
        }
        names => Ok(Audiences::OneOf(
            names.iter().map(|name| (*name).to_owned()).collect(),
        )),
    }
}

/// Names of algorithms, each once.
pub(super) fn algorithms(raw: Raw<'_>) -> Result<Vec<Algorithm>, Hint> {
    let mut algorithms = Vec::new();
    for name in raw.list()? {
        let algorithm = name.parse().map_err(|_| unknown_algorithm(name))?;
        if !algorithms.contains(&algorithm) {
            algorithms.push(algorithm);
        }
    }
    if algorithms.is_empty() {
        Err("name at least one algorithm".to_owned())
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
        return "\"none\" means no signature at all, and such a token is never accepted".to_owned();
    }
    if let Some(near) = Algorithm::ALL
        .iter()
        .find(|known| known.name().eq_ignore_ascii_case(name))
    {
        return format!("names of algorithms are case-sensitive: write \"{near}\"");
    }
    format!(
        "write some of {}",
        Algorithm::ALL.map(Algorithm::name).join(", ")
    )
}

/// Names of claims.
pub(super) fn required_claims(raw: Raw<'_>) -> Result<Vec<String>, Hint> {
    let names = raw.list()?;
    if names.iter().any(|name| name.starts_with('/')) {
        return Err("a required claim is named without a slash, such as \"email\"".to_owned());
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

/// The text of a JWK Set: JSON text, or a table of the configuration file. The keys themselves are
/// judged where they are used.
pub(super) fn key_set(raw: Raw<'_>) -> Result<String, Hint> {
    let advice = || "this is a JWK Set: a JSON object with a list \"keys\"".to_owned();
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
        // As written, because parsing has dropped duplicate members.
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
    fn a_pointer_begins_with_a_slash_and_escapes_its_tildes() {
        for text in ["/roles", "/app_metadata/roles", "/a~1b", "/a~0b", "/"] {
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
    fn an_algorithm_is_named_exactly_and_never_symmetric() {
        assert_eq!(
            read("ES256,RS256,ES256", algorithms),
            Ok(vec![Algorithm::ES256, Algorithm::RS256])
        );
        assert!(read("rs256", algorithms).is_err_and(|advice| advice.ends_with("write \"RS256\"")));
        assert!(
            read("HS256", algorithms).is_err_and(|advice| advice.contains("Migrate JWT secret"))
        );
        assert!(read("none", algorithms).is_err_and(|advice| advice.contains("never accepted")));
        assert!(read("", algorithms).is_err());
    }

    #[test]
    fn a_star_stands_alone() {
        assert_eq!(read("*", audiences), Ok(Audiences::Any));
        assert_eq!(
            read("a,b", audiences),
            Ok(Audiences::OneOf(vec!["a".into(), "b".into()]))
        );
        assert!(read("a,*", audiences).is_err());
        assert!(read("", audiences).is_err());
    }

    #[test]
    fn a_key_set_is_an_object_with_keys() {
        assert!(read(r#"{"keys":[]}"#, key_set).is_ok());
        for text in ["", "[]", "{}", r#"{"keys":{}}"#, "keys"] {
            assert!(read(text, key_set).is_err(), "{text}");
        }
    }
}
