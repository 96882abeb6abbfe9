//! Creates the file of a SQLite database, readable only by the current user: it contains email
//! addresses.

#[cfg(unix)]
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::{fs, io, path::Path};

/// Creates the missing directories of the path with mode 0700. Existing ones are not changed.
pub(super) fn create_directory(directory: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    builder.mode(0o700);
    builder.create(directory)
}

/// Creates an empty file with mode 0600 unless it exists. SQLite treats an empty file as an empty
/// database, and creates its journals with the same mode.
pub(super) fn create_file(path: &Path) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    options.mode(0o600);
    match options.open(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => check_writable(path),
        result => result.map(drop),
    }
}

/// Checks that the file is writable. SQLite would open a read-only file and fail at the first
/// write. The file is not opened for this: closing it would release the locks that this process
/// holds on it.
fn check_writable(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    rustix::fs::access(path, rustix::fs::Access::WRITE_OK)?;
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}
