//! Creates the file of a SQLite database, readable only by the current user: it contains email
//! addresses.

#[cfg(unix)]
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

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

/// The file that a database was opened from, to notice that it was removed or replaced: SQLite
/// would go on writing to the removed file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FileIdentity {
    path: PathBuf,
    /// Device and inode.
    #[cfg(unix)]
    id: (u64, u64),
}

impl FileIdentity {
    /// Reads the identity of an existing file.
    pub(super) fn read(path: &Path) -> io::Result<Self> {
        let metadata = fs::metadata(path)?;
        #[cfg(not(unix))]
        let _ = metadata;
        Ok(Self {
            path: path.to_owned(),
            #[cfg(unix)]
            id: (metadata.dev(), metadata.ino()),
        })
    }

    /// Returns whether the path still leads to the same file. Takes about a microsecond.
    pub(super) fn is_in_place(&self) -> bool {
        Self::read(&self.path).is_ok_and(|current| current == *self)
    }
}
