//! Writes a document to standard output.

use std::io::{self, ErrorKind, Write};

use super::Failure;

/// Writes the document. A closed pipe, for example from `head`, is not an error.
pub(super) fn write(document: &[u8]) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(document).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}
