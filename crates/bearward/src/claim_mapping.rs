//! Maps issuer-specific claims to the fields of [`Claims`](crate::Claims).

use std::fmt;

use smallvec::{SmallVec, smallvec};

use super::json_pointer::{JsonPointer, JsonPointerError};

/// Maps an issuer's claims to the fields of [`Claims`](crate::Claims).
///
/// Each field is read from one or several claims, which are given as JSON pointers (RFC 6901) or as
/// names of top-level claims. The default is the layout of Supabase's access tokens:
///
/// | field | pointer | type of the claim |
/// |---|---|---|
/// | `email` | `/email` | string |
/// | `role` | `/role` | string; with Supabase the database role, `authenticated` |
/// | `roles` | `/app_metadata/roles` | list, separated by spaces or commas |
/// | `scopes` | `/scope` | list, separated by spaces |
/// | `aal` | `/aal` | string |
/// | `session_id` | `/session_id` | string |
/// | `tenant` | `/app_metadata/tenant_id` | string |
///
/// A list is a string with separators, an array of strings, or an object whose keys are the values,
/// as Zitadel writes roles: keys with `true`, a string or an object of strings are taken. A claim
/// that is absent or has another type leaves its field empty: it grants nothing.
/// [`Bearward::explain`](crate::Bearward::explain) shows what was found.
///
/// ```
/// use bearward::{ClaimMapping, Issuer};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let keycloak = ClaimMapping::default()
///     .set_any_of("roles", ["/realm_access/roles", "/resource_access/api/roles"])?
///     .set("tenant", "https://example.com/tenant")?;
/// let issuer = Issuer::new("https://id.example.com/realms/shop", "api")?.claim_mapping(keycloak);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimMapping {
    pub(crate) email: Sources,
    pub(crate) role: Sources,
    pub(crate) roles: Sources,
    pub(crate) scopes: Sources,
    pub(crate) aal: Sources,
    pub(crate) session_id: Sources,
    pub(crate) tenant: Sources,
}

/// The claims that a field is read from; never empty.
type Sources = SmallVec<[JsonPointer; 1]>;

/// The characters that separate roles in a string.
pub(crate) const ROLE_SEPARATORS: &[char] = &[' ', ','];

/// The character that separates scopes in a string (RFC 8693 §4.2).
pub(crate) const SCOPE_SEPARATORS: &[char] = &[' '];

/// The reason why [`ClaimMapping::set`] fails.
///
/// `Debug` prints the message too, because a `main` that returns an error prints its `Debug` form.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClaimMappingError {
    /// The field is not one of [`ClaimMapping::NAMES`].
    #[error("unknown claim mapping; the fields are {}", ClaimMapping::NAMES.join(", "))]
    UnknownName,
    /// The pointer is invalid, or there is none.
    #[error(transparent)]
    Pointer(#[from] JsonPointerError),
}

impl fmt::Debug for ClaimMappingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Default for ClaimMapping {
    fn default() -> Self {
        Self {
            email: smallvec![JsonPointer::root_member("email")],
            role: smallvec![JsonPointer::root_member("role")],
            roles: smallvec![JsonPointer::nested_member("app_metadata", "roles")],
            scopes: smallvec![JsonPointer::root_member("scope")],
            aal: smallvec![JsonPointer::root_member("aal")],
            session_id: smallvec![JsonPointer::root_member("session_id")],
            tenant: smallvec![JsonPointer::nested_member("app_metadata", "tenant_id")],
        }
    }
}

impl ClaimMapping {
    /// The fields that [`set`](Self::set) accepts.
    pub const NAMES: &'static [&'static str] = &[
        "email",
        "role",
        "roles",
        "scopes",
        "aal",
        "session_id",
        "tenant",
    ];

    /// Reads one of the [`NAMES`](Self::NAMES) from another claim: a JSON pointer, or the name of a
    /// top-level claim.
    ///
    /// # Errors
    /// [`ClaimMappingError`] if the field is unknown, the claim is empty, or it begins with `/` and
    /// is not a valid [`JsonPointer`].
    pub fn set(self, name: &str, claim: &str) -> Result<Self, ClaimMappingError> {
        self.set_any_of(name, [claim])
    }

    /// Reads one of the [`NAMES`](Self::NAMES) from several claims: `roles` and `scopes` are the
    /// union, the other fields are the first that is a string and not empty.
    ///
    /// # Errors
    /// [`ClaimMappingError`] if the field is unknown, or one of the claims is empty or an invalid
    /// pointer, or there is none.
    pub fn set_any_of(
        mut self,
        name: &str,
        claims: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> Result<Self, ClaimMappingError> {
        let field = match name {
            "email" => &mut self.email,
            "role" => &mut self.role,
            "roles" => &mut self.roles,
            "scopes" => &mut self.scopes,
            "aal" => &mut self.aal,
            "session_id" => &mut self.session_id,
            "tenant" => &mut self.tenant,
            _ => return Err(ClaimMappingError::UnknownName),
        };
        *field = claims
            .into_iter()
            .map(|claim| JsonPointer::from_pointer_or_name(claim.as_ref()))
            .collect::<Result<_, _>>()?;
        if field.is_empty() {
            return Err(JsonPointerError::NoClaim.into());
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_can_be_set() {
        for name in ClaimMapping::NAMES {
            let mapping = ClaimMapping::default().set(name, "/elsewhere").unwrap();
            assert_ne!(mapping, ClaimMapping::default(), "{name}");
        }
        assert_eq!(
            ClaimMapping::default().set("subject", "/sub"),
            Err(ClaimMappingError::UnknownName)
        );
        assert_eq!(
            ClaimMapping::default().set("roles", "roles"),
            ClaimMapping::default().set("roles", "/roles")
        );
        for invalid in ["", "/", "/a~2"] {
            assert!(ClaimMapping::default().set("roles", invalid).is_err());
        }
        assert!(
            ClaimMapping::default()
                .set_any_of("roles", [""; 0])
                .is_err()
        );
    }
}
