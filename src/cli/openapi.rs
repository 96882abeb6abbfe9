//! `bearward openapi`: prints the OpenAPI document, for example for client generators.

use std::io::{ErrorKind, Write};

use super::Failure;
use crate::api::Document;

/// Prints the document. A closed pipe, for example from `head`, is not an error.
pub(super) fn run() -> Result<(), Failure> {
    match writeln!(std::io::stdout(), "{}", Document::new().as_str()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::Failed(error.to_string()))
        }
        _ => Ok(()),
    }
}
