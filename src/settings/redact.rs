//! What of a value may be shown: nobody's password, key or token.

use ::config::{Value, ValueKind};
use url::Url;

/// Stands wherever a secret would.
pub(super) const REDACTED: &str = "***";

/// Text longer than this is cut, so that a pasted document does not fill the terminal.
const SHOWN_CHARS: usize = 120;

/// What the name of a query parameter holds where its value is a secret.
const SECRET_NAMES: [&str; 7] = ["pass", "key", "secret", "token", "sig", "auth", "code"];

/// Beginnings by which a credential is known that somebody pasted under the wrong key.
const CREDENTIALS: [&str; 8] = [
    "sb_publishable_",
    "sb_secret_",
    "sbp_",
    "eyJ",
    "GOCSPX-",
    "sk-",
    "ghp_",
    "-----BEGIN",
];

/// The value in TOML notation, with credentials and passwords masked.
pub(super) fn shown(kind: &ValueKind) -> String {
    match kind {
        ValueKind::String(text) => shown_text(text),
        ValueKind::Array(items) => format!(
            "[{}]",
            items
                .iter()
                .map(|item| shown(&item.kind))
                .collect::<Vec<_>>()
                .join(", ")
        ),
        ValueKind::Table(_) => "a table".to_owned(),
        ValueKind::Nil => "nothing".to_owned(),
        other => other.to_string(),
    }
}

/// Text in quotes, control characters escaped.
pub(super) fn shown_text(text: &str) -> String {
    let holds_credential = text.split([',', ' ']).any(|part| {
        CREDENTIALS
            .iter()
            .any(|start| part.trim().starts_with(start))
    });
    if holds_credential {
        return REDACTED.to_owned();
    }
    let masked = masked_url(text);
    let cut: String = masked.chars().take(SHOWN_CHARS).collect();
    let dots = if cut.len() < masked.len() { "…" } else { "" };
    format!("{:?}", format!("{cut}{dots}"))
}

/// A URL without its password, and without query values, where drivers accept a password too. Text
/// with a password that does not parse as a URL is masked whole.
fn masked_url(text: &str) -> String {
    let Ok(mut url) = Url::parse(text) else {
        return if text.contains("://") && text.contains('@') {
            REDACTED.to_owned()
        } else {
            text.to_owned()
        };
    };
    let secret_query = url.query_pairs().any(|(name, _)| {
        SECRET_NAMES
            .iter()
            .any(|part| name.to_ascii_lowercase().contains(part))
    });
    // A database's user has a name; on the web a user without password is a token.
    let secret_user = !url.username().is_empty()
        && url.password().is_none()
        && matches!(url.scheme(), "http" | "https");
    if url.password().is_none() && url.username().is_empty() && text.contains('@') {
        // A slash in the password ends the host early, and without slashes the user name is taken
        // for a scheme.
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

/// A mask for text that is a secret as a whole.
pub(super) fn hidden(_: &str) -> String {
    REDACTED.to_owned()
}

/// A mask for a URL that may hold a password.
pub(super) fn without_password(text: &str) -> String {
    format!("{:?}", masked_url(text))
}

/// The first origin tag that a value or anything inside it carries; merging strips the tag of a
/// table.
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
    fn a_password_is_masked_wherever_a_url_can_hold_one() {
        assert_eq!(
            masked_url("postgres://bear:hunter2@db/app"),
            "postgres://bear:***@db/app"
        );
        assert_eq!(
            masked_url("postgres://db/app?user=bear&password=hunter2"),
            "postgres://db/app?***"
        );
        assert_eq!(masked_url("postgres://bear:hun/ter2@d b:x/app"), "***");
        assert_eq!(
            masked_url("https://hunter2@a.example/k?Access_Token=hunter2"),
            "https://***@a.example/k?***"
        );
        assert_eq!(
            masked_url("https://a.example/k?code=hunter2"),
            "https://a.example/k?***"
        );
        for misread in [
            "postgres://bear:12/hunter2@db/app",
            "postgres:bear:hunter2@db/app",
            "bear:hunter2@proxy.example:3128",
        ] {
            assert_eq!(masked_url(misread), "***", "{misread}");
        }
        for plain in [
            "sqlite://bearward.db",
            "postgres://bear@db/app?sslmode=require",
        ] {
            assert_eq!(masked_url(plain), plain);
        }
    }

    #[test]
    fn a_pasted_credential_is_masked_under_any_key() {
        for text in [
            "sb_secret_abc",
            "eyJhbGciOi",
            "a, GOCSPX-abc",
            "-----BEGIN PRIVATE KEY-----",
        ] {
            assert_eq!(shown_text(text), "***", "{text}");
        }
        assert_eq!(shown_text("a,b"), "\"a,b\"");
    }

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        assert_eq!(shown_text("a\u{1b}[2Jb"), "\"a\\u{1b}[2Jb\"");
    }
}
