//! Validation and normalization of email addresses.

use super::error::AuthApiError;

/// The characters of a local part, in addition to letters and digits.
const LOCAL_SYMBOLS: &str = ".!#$%&'*+/=?^_`{|}~-";

/// Validates an email address by the rules of the hosted service, and returns it in lower case.
///
/// # Errors
/// 400 `validation_failed`.
pub(crate) fn normalize(text: &str) -> Result<String, AuthApiError> {
    if text.is_empty() {
        return Err(AuthApiError::invalid("An email address is required"));
    }
    if text.len() > 255 {
        return Err(AuthApiError::invalid("An email address is too long"));
    }
    let is_address = text.split_once('@').is_some_and(|(local, domain)| {
        let is_local = |c: char| c.is_ascii_alphanumeric() || LOCAL_SYMBOLS.contains(c);
        !local.is_empty() && local.chars().all(is_local) && domain.split('.').all(is_label)
    });
    if is_address {
        Ok(text.to_ascii_lowercase())
    } else {
        Err(AuthApiError::invalid(
            "Unable to validate email address: invalid format",
        ))
    }
}

/// Whether this is a part of a host name: letters, digits and inner hyphens.
fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && label
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !label.starts_with('-')
        && !label.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::normalize;

    #[test]
    fn valid_addresses_are_lowercased() {
        for (text, expected) in [
            ("Ada@Example.COM", "ada@example.com"),
            ("ada+tag@example.com", "ada+tag@example.com"),
            ("o'neil.x@sub-1.example.com", "o'neil.x@sub-1.example.com"),
            ("ada@localhost", "ada@localhost"),
        ] {
            assert_eq!(normalize(text).as_deref(), Ok(expected));
        }
        assert!(normalize(&format!("{}@example.com", "a".repeat(243))).is_ok());
    }

    #[test]
    fn other_texts_are_rejected() {
        for text in [
            "",
            "ada",
            "@example.com",
            "ada@",
            "a b@example.com",
            "ada@@example.com",
            "ada@.com",
            "ada@example..com",
            "ada@-example.com",
            "<a>@b.c",
            "a\n@b.c",
            " ada@example.com",
            "ada@example.com ",
            "\u{fc}@example.com",
            "ada@ex\u{e4}mple.com",
        ] {
            assert!(normalize(text).is_err(), "{text:?}");
        }
        assert!(normalize(&format!("{}@example.com", "a".repeat(244))).is_err());
        assert!(normalize(&format!("ada@{}.com", "a".repeat(64))).is_err());
    }
}
