//! `bearward openapi`: the document of the API, for tools that make clients.

use std::io::{ErrorKind, Write};

use super::Failure;
use crate::api::Document;

/// A reader that has seen enough, such as `head`, is no failure.
pub(super) fn run() -> Result<(), Failure> {
    match writeln!(std::io::stdout(), "{}", Document::new().as_str()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::Failed(error.to_string()))
        }
        _ => Ok(()),
    }
}
