//! The data folder of `bearward dev`: its database, its vault key, and the users and keys of the
//! development IdP.

use std::{
    fs::{DirBuilder, OpenOptions},
    io::{self, ErrorKind, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use super::Failure;

/// An existing folder.
pub(super) struct DataFolder(PathBuf);

impl DataFolder {
    /// The folder without `--data`.
    pub(super) const DEFAULT: &str = ".bearward";

    /// Opens the folder, or creates it with mode 0700. A created one, and the default one, get a
    /// `.gitignore` for everything in them. Other folders may be a project of the user.
    pub(super) fn open(path: PathBuf) -> Result<Self, Failure> {
        let is_created = !path.is_dir();
        let prepare = || {
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(&path)?;
            if is_created || path == Path::new(Self::DEFAULT) {
                ignore_everything(&path)?;
            }
            Ok::<_, io::Error>(())
        };
        prepare().map_err(|error| {
            Failure::Failed(format!(
                "the data folder {} cannot be used: {error}; choose another with --data",
                path.display()
            ))
        })?;
        Ok(Self(path))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// The users, sessions, mails and signing keys of the development IdP.
    pub(super) fn idp_file(&self) -> PathBuf {
        self.0.join("idp.db")
    }

    /// The URL of the API's database.
    pub(super) fn database_url(&self) -> String {
        format!("sqlite://{}", self.0.join("dev.db").display())
    }

    /// The TLS certificate of `--https`, and the authority that issued it.
    pub(super) fn https_folder(&self) -> PathBuf {
        self.0.join("https")
    }

    pub(super) fn vault_key_file(&self) -> PathBuf {
        self.0.join("vault.key")
    }
}

fn ignore_everything(folder: &Path) -> io::Result<()> {
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(folder.join(".gitignore"));
    match file {
        Ok(mut file) => file.write_all(b"*\n"),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}
