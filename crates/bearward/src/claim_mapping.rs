//! Where an issuer puts what bearward reads.

use std::fmt;

use super::claim_lookup::{Pointer, PointerError};

/// Where an issuer puts what bearward reads; JSON pointers (RFC 6901), with Supabase's places as
/// the default:
///
/// | name | stands at | read as |
/// |---|---|---|
/// | `email` | `/email` | a string |
/// | `role` | `/role` | a string: with Supabase the role in the database, `authenticated` |
/// | `roles` | `/app_metadata/roles` | a string, or an array of strings |
/// | `scopes` | `/scope` | names separated by spaces, or an array of strings |
/// | `aal` | `/aal` | a string |
/// | `session_id` | `/session_id` | a string |
/// | `tenant` | `/app_metadata/tenant_id` | a string |
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimMapping {
    pub(crate) email: Pointer,
    pub(crate) role: Pointer,
    pub(crate) roles: Pointer,
    pub(crate) scopes: Pointer,
    pub(crate) aal: Pointer,
    pub(crate) session_id: Pointer,
    pub(crate) tenant: Pointer,
}

/// A place that cannot be set. `Debug` is the message too, because a `main` that returns it prints
/// that.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClaimMapError {
    /// Not one of [`ClaimMapping::NAMES`].
    #[error("bearward maps no claim of that name; it knows {}", ClaimMapping::NAMES.join(", "))]
    UnknownName,
    /// Not a JSON pointer.
    #[error(transparent)]
    Pointer(#[from] PointerError),
}

impl fmt::Debug for ClaimMapError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Default for ClaimMapping {
    fn default() -> Self {
        Self {
            email: Pointer::top("email"),
            role: Pointer::top("role"),
            roles: Pointer::nested("app_metadata", "roles"),
            scopes: Pointer::top("scope"),
            aal: Pointer::top("aal"),
            session_id: Pointer::top("session_id"),
            tenant: Pointer::nested("app_metadata", "tenant_id"),
        }
    }
}

impl ClaimMapping {
    /// The names that [`set`](Self::set) knows.
    pub const NAMES: [&'static str; 7] = [
        "email",
        "role",
        "roles",
        "scopes",
        "aal",
        "session_id",
        "tenant",
    ];

    /// Points one of [`NAMES`](Self::NAMES) elsewhere, for example `set("roles",
    /// "/realm_access/roles")`.
    ///
    /// # Errors
    /// [`ClaimMapError`]: the name is none of them, or the pointer is no JSON pointer.
    pub fn set(mut self, name: &str, pointer: &str) -> Result<Self, ClaimMapError> {
        let place = match name {
            "email" => &mut self.email,
            "role" => &mut self.role,
            "roles" => &mut self.roles,
            "scopes" => &mut self.scopes,
            "aal" => &mut self.aal,
            "session_id" => &mut self.session_id,
            "tenant" => &mut self.tenant,
            _ => return Err(ClaimMapError::UnknownName),
        };
        *place = pointer.parse()?;
        Ok(self)
    }
}
