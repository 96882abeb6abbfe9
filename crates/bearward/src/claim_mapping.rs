//! Maps issuer-specific claims to the fields of [`Claims`](crate::Claims).

use std::fmt;

use super::json_pointer::{JsonPointer, JsonPointerError};

/// Maps an issuer's claims to the fields of [`Claims`](crate::Claims), as JSON pointers.
///
/// The default is the layout of Supabase's access tokens:
///
/// | field | pointer | type of the claim |
/// |---|---|---|
/// | `email` | `/email` | string |
/// | `role` | `/role` | string; with Supabase the database role, `authenticated` |
/// | `roles` | `/app_metadata/roles` | string, or array of strings |
/// | `scopes` | `/scope` | space-separated string, or array of strings |
/// | `aal` | `/aal` | string |
/// | `session_id` | `/session_id` | string |
/// | `tenant` | `/app_metadata/tenant_id` | string |
///
/// A claim that is absent or has another type leaves its field empty: it grants nothing.
///
/// ```
/// use bearward::{ClaimMapping, Issuer};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let keycloak = ClaimMapping::default()
///     .set("roles", "/realm_access/roles")?
///     .set("tenant", "/https:~1~1example.com~1tenant")?;
/// let issuer = Issuer::new("https://id.example.com/realms/shop", "api")?.claim_mapping(keycloak);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimMapping {
    pub(crate) email: JsonPointer,
    pub(crate) role: JsonPointer,
    pub(crate) roles: JsonPointer,
    pub(crate) scopes: JsonPointer,
    pub(crate) aal: JsonPointer,
    pub(crate) session_id: JsonPointer,
    pub(crate) tenant: JsonPointer,
}

/// The reason why [`ClaimMapping::set`] fails.
///
/// `Debug` prints the message too, because a `main` that returns an error prints its `Debug` form.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClaimMappingError {
    /// The field is not one of [`ClaimMapping::NAMES`].
    #[error("unknown claim mapping; the fields are {}", ClaimMapping::NAMES.join(", "))]
    UnknownName,
    /// The pointer is invalid.
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
            email: JsonPointer::root_member("email"),
            role: JsonPointer::root_member("role"),
            roles: JsonPointer::nested_member("app_metadata", "roles"),
            scopes: JsonPointer::root_member("scope"),
            aal: JsonPointer::root_member("aal"),
            session_id: JsonPointer::root_member("session_id"),
            tenant: JsonPointer::nested_member("app_metadata", "tenant_id"),
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

    /// Reads one of the [`NAMES`](Self::NAMES) from another claim.
    ///
    /// # Errors
    /// [`ClaimMappingError`] if the field is unknown or the pointer is not a valid [`JsonPointer`].
    pub fn set(mut self, name: &str, pointer: &str) -> Result<Self, ClaimMappingError> {
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
        *field = pointer.parse()?;
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
            Err(JsonPointerError::NoLeadingSlash.into())
        );
    }
}
