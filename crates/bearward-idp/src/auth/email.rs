//! Email addresses, as far as an identity provider looks at them.

use super::error::AuthApiError;

/// In lower case, when it has the form of an address.
///
/// # Errors
/// 400 `validation_failed`.
pub(super) fn checked(text: &str) -> Result<String, AuthApiError> {
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
    use super::checked;

    #[test]
    fn an_address_has_two_parts_and_is_kept_in_lower_case() {
        assert_eq!(
            checked(" Ada@Example.COM "),
            Ok("ada@example.com".to_owned())
        );
        assert!(checked(&format!("{}@example.com", "a".repeat(243))).is_ok());
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
            assert!(checked(text).is_err(), "{text:?}");
        }
        assert!(checked(&format!("{}@example.com", "a".repeat(244))).is_err());
    }
}
