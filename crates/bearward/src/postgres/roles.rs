//! The database roles that transactions may use.

use super::error::Error;
use crate::text::SanitizedText;

/// The roles of a pool. Tokens select one of them; no other role is ever set.
#[derive(Debug, Clone)]
pub(super) struct Roles {
    /// For tokens without a role, and for tokens that name it.
    pub(super) default: String,
    /// For requests without a token.
    pub(super) anonymous: String,
    /// Further roles that tokens may name.
    pub(super) allowed: Vec<String>,
}

/// A name that cannot be the name of a database role.
///
/// `none` is refused because PostgreSQL reads it as the login role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a database role has a name of 1 to 63 bytes without U+0000, and not the name \"none\"")]
pub struct RoleNameError;

impl Roles {
    pub(super) fn supabase() -> Self {
        Self {
            default: "authenticated".to_owned(),
            anonymous: "anon".to_owned(),
            allowed: Vec::new(),
        }
    }

    /// Returns the role of a token.
    pub(super) fn select(&self, named: Option<&str>) -> Result<&str, Error> {
        let Some(named) = named else {
            return Ok(&self.default);
        };
        std::iter::once(&self.default)
            .chain(&self.allowed)
            .find(|role| *role == named)
            .map(String::as_str)
            .ok_or_else(|| Error::RoleNotAllowed {
                role: SanitizedText::new(named),
            })
    }
}

/// Parses the name of a role. Longer names are no names: PostgreSQL truncates identifiers at 63
/// bytes.
pub(super) fn parse_name(name: impl Into<String>) -> Result<String, RoleNameError> {
    let name = name.into();
    if (1..=63).contains(&name.len()) && !name.contains('\0') && name != "none" {
        Ok(name)
    } else {
        Err(RoleNameError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_1_to_63_bytes_and_are_not_none() {
        for name in ["a", "None", "default", "two words", "it's", &"x".repeat(63)] {
            assert_eq!(parse_name(name).as_deref(), Ok(name));
        }
        for name in ["", "none", "a\0", &"x".repeat(64)] {
            assert_eq!(parse_name(name), Err(RoleNameError), "{name:?}");
        }
    }

    #[test]
    fn tokens_select_only_allowed_roles() {
        let mut roles = Roles::supabase();
        assert_eq!(roles.select(None).unwrap(), "authenticated");
        assert_eq!(
            roles.select(Some("authenticated")).unwrap(),
            "authenticated"
        );
        for other in [
            "anon",
            "service_role",
            "postgres",
            "Authenticated",
            "authenticated ",
            "none",
            "",
        ] {
            assert!(
                matches!(roles.select(Some(other)), Err(Error::RoleNotAllowed { .. })),
                "{other}"
            );
        }
        roles.allowed.push("editor".to_owned());
        assert_eq!(roles.select(Some("editor")).unwrap(), "editor");
    }
}
