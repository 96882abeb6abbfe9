//! Where an issuer puts what bearward reads.

use super::pointer::{Pointer, PointerError};

/// Where an issuer puts what bearward reads; JSON pointers, with Supabase's places as the default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimMap {
    pub(crate) email: Pointer,
    pub(crate) role: Pointer,
    pub(crate) roles: Pointer,
    pub(crate) scopes: Pointer,
    pub(crate) aal: Pointer,
    pub(crate) session_id: Pointer,
    pub(crate) tenant: Pointer,
}

impl Default for ClaimMap {
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

impl ClaimMap {
    /// The names that [`set`](Self::set) knows.
    pub const NAMES: [&'static str; 7] = ["email", "role", "roles", "scopes", "aal", "session_id", "tenant"];

    /// Points one of [`NAMES`](Self::NAMES) elsewhere, for example `set("roles", "/realm_access/roles")`.
    ///
    /// # Errors
    /// When the name is none of them, or the pointer is no JSON pointer.
    pub fn set(mut self, name: &str, pointer: &str) -> Result<Self, PointerError> {
        let place = match name {
            "email" => &mut self.email,
            "role" => &mut self.role,
            "roles" => &mut self.roles,
            "scopes" => &mut self.scopes,
            "aal" => &mut self.aal,
            "session_id" => &mut self.session_id,
            "tenant" => &mut self.tenant,
            _ => return Err(PointerError),
        };
        *place = pointer.parse()?;
        Ok(self)
    }
}
