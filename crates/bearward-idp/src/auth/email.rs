//! Validation and normalization of email addresses.

use super::error::AuthApiError;

/// Trims and lowercases an email address.
///
/// # Errors
/// 400 `validation_failed`.
pub(crate) fn normalize(text: &str) -> Result<String, AuthApiError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(AuthApiError::invalid("An email address is required"));
    }
    if text.len() > 255 {
        return Err(AuthApiError::invalid("An email address is too long"));
    }
    let is_address = text.split_once('@').is_some_and(|(local, domain)| {
        let plain = |part: &str| {
            !part.is_empty()
                && !part
                    .contains(|c: char| c.is_whitespace() || c.is_control() || "@<>\"".contains(c))
        };
        plain(local) && plain(domain) && !domain.starts_with('.') && !domain.ends_with('.')
    });
    if is_address {
        Ok(text.to_lowercase())
    } else {
        Err(AuthApiError::invalid(
            "Unable to validate email address: invalid format",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::normalize;

    #[test]
    fn normalizes_valid_addresses_and_rejects_others() {
        assert_eq!(
            normalize(" Ada@Example.COM "),
            Ok("ada@example.com".to_owned())
        );
        assert!(normalize(&format!("{}@example.com", "a".repeat(243))).is_ok());
        for text in [
            "",
            "ada",
            "@example.com",
            "ada@",
            "a b@example.com",
            "ada@@example.com",
            "ada@.com",
            "<a>@b.c",
            "a\n@b.c",
        ] {
            assert!(normalize(text).is_err(), "{text:?}");
        }
        assert!(normalize(&format!("{}@example.com", "a".repeat(244))).is_err());
    }
}
