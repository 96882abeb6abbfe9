//! Redacts passwords, keys and tokens in values that are shown.

use ::config::{Value, ValueKind};
use url::Url;

/// The text that replaces a secret.
pub(super) const REDACTED: &str = "***";

/// The maximum number of characters shown of one value.
const MAX_SHOWN_CHARS: usize = 120;

/// Substrings of query parameter names whose values are secret.
const SECRET_PARAMETERS: [&str; 7] = ["pass", "key", "secret", "token", "sig", "auth", "code"];

/// Prefixes of credentials, which may be pasted as the value of any key.
const CREDENTIAL_PREFIXES: [&str; 9] = [
    "bwk_",
    "sb_publishable_",
    "sb_secret_",
    "sbp_",
    "eyJ",
    "GOCSPX-",
    "sk-",
    "ghp_",
    "-----BEGIN",
];

/// Formats a value in TOML notation, with credentials and passwords redacted.
pub(super) fn redacted(kind: &ValueKind) -> String {
    match kind {
        ValueKind::String(text) => redacted_text(text),
        ValueKind::Array(items) => format!(
            "[{}]",
            items
                .iter()
                .map(|item| redacted(&item.kind))
                .collect::<Vec<_>>()
                .join(", ")
        ),
        ValueKind::Table(_) => "a table".to_owned(),
        ValueKind::Nil => "nothing".to_owned(),
        other => other.to_string(),
    }
}

/// Formats text in quotes, with control characters escaped and credentials and passwords redacted.
pub(super) fn redacted_text(text: &str) -> String {
    let holds_credential = text.split([',', ' ']).any(|part| {
        CREDENTIAL_PREFIXES
            .iter()
            .any(|start| part.trim().starts_with(start))
    });
    if holds_credential {
        return REDACTED.to_owned();
    }
    let masked = mask_url(text);
    let start: String = masked.chars().take(MAX_SHOWN_CHARS).collect();
    let ellipsis = if start.len() < masked.len() {
        "…"
    } else {
        ""
    };
    format!("{:?}", format!("{start}{ellipsis}"))
}

/// Redacts the password of a URL, and its query if a parameter may be secret (database drivers
/// accept a password there). Text that may contain a password but is not a URL is redacted
/// completely.
fn mask_url(text: &str) -> String {
    let Ok(mut url) = Url::parse(text) else {
        return if text.contains("://") && text.contains('@') {
            REDACTED.to_owned()
        } else {
            text.to_owned()
        };
    };
    let secret_query = url.query_pairs().any(|(name, _)| {
        SECRET_PARAMETERS
            .iter()
            .any(|part| name.to_ascii_lowercase().contains(part))
    });
    // In an http URL a user name without a password is usually a token.
    let secret_user = !url.username().is_empty()
        && url.password().is_none()
        && matches!(url.scheme(), "http" | "https");
    if url.password().is_none() && url.username().is_empty() && text.contains('@') {
        // The URL was parsed wrongly: a slash in the password ends the authority, and without
        // slashes the user name is taken for the scheme.
        return REDACTED.to_owned();
    }
    if url.password().is_none() && !secret_query && !secret_user {
        return text.to_owned();
    }
    if secret_user && url.set_username(REDACTED).is_err() {
        return REDACTED.to_owned();
    }
    if url.password().is_some() && url.set_password(Some(REDACTED)).is_err() {
        return REDACTED.to_owned();
    }
    if secret_query {
        url.set_query(Some(REDACTED));
    }
    url.into()
}

/// A mask for text that is entirely secret.
pub(super) fn hidden(_: &str) -> String {
    REDACTED.to_owned()
}

/// A mask for a URL that may contain a password.
pub(super) fn without_password(text: &str) -> String {
    format!("{:?}", mask_url(text))
}

/// Returns the tag of a value, or else the first tag of a value inside it. Merging removes the tags
/// of tables.
pub(super) fn first_tag(value: &Value) -> Option<&str> {
    value.origin().or_else(|| match &value.kind {
        ValueKind::Table(entries) => entries.values().find_map(first_tag),
        ValueKind::Array(items) => items.iter().find_map(first_tag),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_redacted_anywhere_in_a_url() {
        assert_eq!(
            mask_url("postgres://bear:hunter2@db/app"),
            "postgres://bear:***@db/app"
        );
        assert_eq!(
            mask_url("postgres://db/app?user=bear&password=hunter2"),
            "postgres://db/app?***"
        );
        assert_eq!(mask_url("postgres://bear:hun/ter2@d b:x/app"), "***");
        assert_eq!(
            mask_url("https://hunter2@a.example/k?Access_Token=hunter2"),
            "https://***@a.example/k?***"
        );
        assert_eq!(
            mask_url("https://a.example/k?code=hunter2"),
            "https://a.example/k?***"
        );
        for misparsed in [
            "postgres://bear:12/hunter2@db/app",
            "postgres:bear:hunter2@db/app",
            "bear:hunter2@proxy.example:3128",
        ] {
            assert_eq!(mask_url(misparsed), "***", "{misparsed}");
        }
        for plain in [
            "sqlite://bearward.db",
            "postgres://bear@db/app?sslmode=require",
        ] {
            assert_eq!(mask_url(plain), plain);
        }
    }

    #[test]
    fn a_credential_is_redacted_under_any_key() {
        for text in [
            "sb_secret_abc",
            "eyJhbGciOi",
            "a, GOCSPX-abc",
            "-----BEGIN PRIVATE KEY-----",
        ] {
            assert_eq!(redacted_text(text), "***", "{text}");
        }
        assert_eq!(redacted_text("a,b"), "\"a,b\"");
    }

    #[test]
    fn control_characters_are_escaped() {
        assert_eq!(redacted_text("a\u{1b}[2Jb"), "\"a\\u{1b}[2Jb\"");
    }
}
