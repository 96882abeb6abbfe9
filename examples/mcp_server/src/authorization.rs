//! Which scopes a message needs.

use bearward::{AuthError, NoCustomClaims, Requirement, Verified};
use serde_json::Value;

/// Lists the caller's notes, and opens the connection.
pub(crate) const READ: &str = "notes:read";

/// Adds and deletes notes.
pub(crate) const WRITE: &str = "notes:write";

/// The scopes that a tool that changes notes needs. A client that steps up requests exactly the
/// scopes of the challenge, so they include the one that it already has.
pub(crate) const READ_AND_WRITE: &str = "notes:read notes:write";

/// The tools that change notes.
const WRITING_TOOLS: [&str; 2] = ["add_note", "delete_note"];

/// What every request needs. The challenge names the scope, so that clients request it first.
pub(crate) struct ReadsNotes;

impl Requirement for ReadsNotes {
    type Claims = NoCustomClaims;
    const SCOPES: &'static str = READ;

    fn check(user: &Verified) -> Result<(), AuthError> {
        user.require_scope(READ)
    }
}

/// Checks the scopes of a JSON-RPC message before it is processed: only then can the response have
/// the status 403 and a challenge. The tools check them again.
///
/// # Errors
/// [`AuthError::InsufficientScope`] if a scope is missing.
pub(crate) fn check_message(user: &Verified, body: &[u8]) -> Result<(), AuthError> {
    let message: Value = serde_json::from_slice(body).unwrap_or_default();
    let is_writing_call = message["method"] == "tools/call"
        && WRITING_TOOLS
            .iter()
            .any(|tool| message["params"]["name"] == *tool);
    if is_writing_call {
        user.require_scope(READ_AND_WRITE)
    } else {
        Ok(())
    }
}
