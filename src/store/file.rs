//! The file of a SQLite database: made for this user alone, for it holds e-mail addresses.

#[cfg(unix)]
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::{fs, io, path::Path};

/// Makes what is missing of the way to the file: folders with mode 0700. What is there already
/// stays as somebody wanted it.
pub(super) fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    builder.mode(0o700);
    builder.create(folder)
}

/// Makes the file, empty and with mode 0600, unless it is there. SQLite takes an empty file for an
/// empty database, and gives its journals the file's mode.
pub(super) fn make(path: &Path) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    options.mode(0o600);
    match options.open(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => may_write(path),
        made => made.map(drop),
    }
}

/// SQLite opens a file that may only be read, and says so at the first write. Opening it here to
/// see is no way: closing it again would take the locks away that this process may have on it.
fn may_write(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    rustix::fs::access(path, rustix::fs::Access::WRITE_OK)?;
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}
