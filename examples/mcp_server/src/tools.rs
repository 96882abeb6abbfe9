//! The tools.

use std::sync::Arc;

use bearward::Verified;
use http::request::Parts;
use rmcp::{
    ServerHandler,
    handler::server::{tool::Extension, wrapper::Parameters},
    model::{ServerCapabilities, ServerConfig},
    schemars::{self, JsonSchema},
    tool, tool_handler, tool_router,
};
use serde::Deserialize;

use crate::{
    authorization::{READ, READ_AND_WRITE},
    notes::Notes,
};

/// The tools of one request.
#[derive(Clone)]
pub(crate) struct NoteTools {
    notes: Arc<Notes>,
}

/// The parameters of `add_note`.
#[derive(Deserialize, JsonSchema)]
struct AddNote {
    /// The text of the note, at most 4096 bytes.
    text: String,
}

/// The parameters of `delete_note`.
#[derive(Deserialize, JsonSchema)]
struct DeleteNote {
    /// The id of the note, from `list_notes`.
    id: u64,
}

#[tool_router]
impl NoteTools {
    pub(crate) fn new(notes: Arc<Notes>) -> Self {
        Self { notes }
    }

    #[tool(description = "Lists the notes of the signed-in user")]
    async fn list_notes(&self, Extension(parts): Extension<Parts>) -> Result<String, String> {
        let user = caller(&parts, READ)?;
        to_json(&self.notes.list(user))
    }

    #[tool(description = "Adds a note of the signed-in user")]
    async fn add_note(
        &self,
        Extension(parts): Extension<Parts>,
        Parameters(AddNote { text }): Parameters<AddNote>,
    ) -> Result<String, String> {
        let user = caller(&parts, READ_AND_WRITE)?;
        to_json(&self.notes.add(user, text)?)
    }

    #[tool(description = "Deletes a note of the signed-in user")]
    async fn delete_note(
        &self,
        Extension(parts): Extension<Parts>,
        Parameters(DeleteNote { id }): Parameters<DeleteNote>,
    ) -> Result<String, String> {
        let user = caller(&parts, READ_AND_WRITE)?;
        if self.notes.delete(user, id) {
            Ok(format!("note {id} is deleted"))
        } else {
            Err(format!("there is no note {id}"))
        }
    }
}

#[tool_handler]
impl ServerHandler for NoteTools {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }
}

/// Returns the verified caller, who must have these scopes.
fn caller<'p>(parts: &'p Parts, scopes: &str) -> Result<&'p Verified, String> {
    let user = parts.extensions.get::<Verified>();
    let user = user.ok_or("the request is not authenticated")?;
    let checked = user.require_scope(scopes);
    checked.map_err(|error| error.to_string())?;
    Ok(user)
}

fn to_json(value: &impl serde::Serialize) -> Result<String, String> {
    serde_json::to_string(value).map_err(|error| error.to_string())
}
