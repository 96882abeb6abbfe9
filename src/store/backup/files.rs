//! Files of a backup: created with mode 0600, written beside their destination and then renamed.

use std::{
    ffi::OsString,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

#[cfg(unix)]
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};

use time::UtcDateTime;

use super::{BackupError, error::file_error};

/// The files in which SQLite keeps changes that are not in the database file yet, and their index.
const JOURNALS: [&str; 3] = ["-wal", "-shm", "-journal"];

/// Returns the path with a suffix added to its file name.
pub(super) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

/// Returns whether both paths lead to one existing file.
pub(super) fn is_same(one: &Path, other: &Path) -> bool {
    match (fs::canonicalize(one), fs::canonicalize(other)) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}

/// Waits until the contents of a file are on the disk.
pub(super) fn sync(path: &Path) -> Result<(), BackupError> {
    File::open(path)
        .and_then(|file| file.sync_all())
        .map_err(|error| file_error(path, error))
}

/// Waits until the names in the directory of a file are on the disk.
fn sync_directory(path: &Path) -> Result<(), BackupError> {
    if !cfg!(unix) {
        return Ok(());
    }
    match path.parent() {
        Some(directory) if !directory.as_os_str().is_empty() => sync(directory),
        _ => sync(Path::new(".")),
    }
}

/// Removes the journals of a database that was set aside or does not exist.
pub(super) fn remove_journals(database: &Path) -> Result<(), BackupError> {
    for suffix in JOURNALS {
        let path = with_suffix(database, suffix);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(file_error(&path, error));
            }
            _ => {}
        }
    }
    Ok(())
}

/// A file that is removed on drop unless it is kept.
pub(super) struct TemporaryFile {
    path: PathBuf,
    is_kept: bool,
}

impl TemporaryFile {
    /// Creates an empty file that only the current user can read. Fails if it exists.
    fn create(path: &Path) -> io::Result<Self> {
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        options.mode(0o600);
        options.open(path)?;
        Ok(Self {
            path: path.to_owned(),
            is_kept: false,
        })
    }

    /// Creates the file at a destination that must not exist, in a directory that does.
    pub(super) fn reserve(destination: &Path) -> Result<Self, BackupError> {
        Self::create(destination).map_err(|error| match (error.kind(), destination.parent()) {
            (io::ErrorKind::AlreadyExists, _) => BackupError::Exists(destination.to_owned()),
            (io::ErrorKind::NotFound, Some(directory)) => {
                BackupError::Missing(directory.to_owned())
            }
            _ => file_error(destination, error),
        })
    }

    /// Creates the file and replaces the one that a killed process has left.
    pub(super) fn replace_stale(path: &Path) -> Result<Self, BackupError> {
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(file_error(path, error));
            }
            _ => {}
        }
        Self::create(path).map_err(|error| file_error(path, error))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn keep(mut self) {
        self.is_kept = true;
    }

    /// Moves the file to its destination, which is replaced at once and keeps its owner.
    pub(super) fn persist(self, destination: &Path) -> Result<(), BackupError> {
        #[cfg(unix)]
        self.take_owner(destination)
            .map_err(|error| file_error(&self.path, error))?;
        fs::rename(&self.path, destination).map_err(|error| file_error(destination, error))?;
        self.keep();
        sync_directory(destination)
    }

    /// Gives the file the owner of its destination: an administrator may run the command for the
    /// user of a service.
    #[cfg(unix)]
    fn take_owner(&self, destination: &Path) -> io::Result<()> {
        let Ok(wanted) = fs::metadata(destination) else {
            return Ok(());
        };
        let current = fs::metadata(&self.path)?;
        if (wanted.uid(), wanted.gid()) == (current.uid(), current.gid()) {
            return Ok(());
        }
        std::os::unix::fs::chown(&self.path, Some(wanted.uid()), Some(wanted.gid()))
    }
}

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        if !self.is_kept {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// A lock on the file of a database that no process has open. SQLite cannot open the file meanwhile.
///
/// This process must not open the file in another way: closing it would release the lock.
pub(super) struct DatabaseLock {
    path: PathBuf,
    _file: File,
}

impl DatabaseLock {
    /// Locks the file. Returns `None` if it does not exist.
    pub(super) fn acquire(path: &Path) -> Result<Option<Self>, BackupError> {
        let file = match File::options().read(true).write(true).open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            result => result.map_err(|error| file_error(path, error))?,
        };
        // SQLite locks bytes of the file, and with a write-ahead log keeps a shared lock as long as
        // a connection is open. A lock on the whole file conflicts with all of them. Other systems
        // do not replace open files.
        #[cfg(unix)]
        {
            use rustix::{
                fs::{FlockOperation, fcntl_lock},
                io::Errno,
            };
            match fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => {}
                Err(Errno::AGAIN | Errno::ACCESS) => {
                    return Err(BackupError::InUse(path.to_owned()));
                }
                Err(error) => return Err(file_error(path, error.into())),
            }
        }
        Ok(Some(Self {
            path: path.to_owned(),
            _file: file,
        }))
    }

    /// Keeps the database, with its journals, under another name, which is returned. The file
    /// itself stays until it is replaced: a server that is started meanwhile must not create an
    /// empty one.
    pub(super) fn set_aside(&self, now: UtcDateTime) -> Result<PathBuf, BackupError> {
        let (date, time) = (now.date(), now.time());
        let aside = with_suffix(
            &self.path,
            &format!(
                ".replaced-{:04}{:02}{:02}T{:02}{:02}{:02}Z",
                date.year(),
                u8::from(date.month()),
                date.day(),
                time.hour(),
                time.minute(),
                time.second()
            ),
        );
        fs::hard_link(&self.path, &aside).map_err(|error| file_error(&aside, error))?;
        for suffix in JOURNALS {
            let journal = with_suffix(&self.path, suffix);
            let to = with_suffix(&aside, suffix);
            match fs::rename(&journal, &to) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(file_error(&journal, error));
                }
                _ => {}
            }
        }
        Ok(aside)
    }
}
