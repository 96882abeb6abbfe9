//! Scopes (RFC 6749 §3.3).

use super::error::OAuthError;

/// The scope of a request without one, as in the hosted service.
pub(crate) const DEFAULT: &str = "email";

/// The scopes with a meaning for this server. Others are passed on to the access token.
pub(crate) const SUPPORTED: [&str; 5] = ["openid", "email", "profile", "phone", "offline_access"];

/// Longest scope parameter, in bytes.
const MAX_BYTES: usize = 1000;

/// Parses a scope parameter and returns it without repetitions.
///
/// # Errors
/// `invalid_scope` over 1,000 bytes, and for a character that a scope must not contain.
pub(crate) fn parse(text: &str) -> Result<String, OAuthError> {
    let mut scopes: Vec<&str> = Vec::new();
    if text.len() > MAX_BYTES {
        return Err(OAuthError::new(
            "invalid_scope",
            "The scope is longer than 1000 bytes",
        ));
    }
    let is_scope_char = |byte| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
    for scope in text.split(' ').filter(|scope| !scope.is_empty()) {
        if !scope.bytes().all(is_scope_char) {
            return Err(OAuthError::new(
                "invalid_scope",
                "A scope may contain printable ASCII characters except quotes and backslashes",
            ));
        }
        if !scopes.contains(&scope) {
            scopes.push(scope);
        }
    }
    Ok(scopes.join(" "))
}

/// Whether a list of scopes contains this one.
pub(crate) fn contains(scopes: &str, scope: &str) -> bool {
    scopes.split(' ').any(|granted| granted == scope)
}

/// Whether all of the scopes are among the granted ones.
pub(crate) fn is_subset(scopes: &str, granted: &str) -> bool {
    scopes.split(' ').all(|scope| contains(granted, scope))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repetitions_and_spaces_are_removed() {
        assert_eq!(
            parse(" notes:read  notes:write notes:read ").unwrap(),
            "notes:read notes:write"
        );
        assert_eq!(parse("").unwrap(), "");
    }

    #[test]
    fn characters_outside_of_the_grammar_are_rejected() {
        for text in ["a\"b", "a\\b", "a\tb", "\u{e4}", "a\u{7f}"] {
            assert_eq!(parse(text).unwrap_err().error, "invalid_scope", "{text:?}");
        }
        assert_eq!(parse("!#[]~").unwrap(), "!#[]~");
        assert!(parse(&"a".repeat(MAX_BYTES)).is_ok());
        assert!(parse(&"a".repeat(MAX_BYTES + 1)).is_err());
    }

    #[test]
    fn subset_compares_whole_scopes() {
        assert!(is_subset("read", "read write"));
        assert!(!is_subset("rea", "read write"));
        assert!(!is_subset("read admin", "read write"));
    }
}
