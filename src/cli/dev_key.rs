//! The vault key of `bearward dev`, a file in its data folder that only its owner can read.

use std::{
    fs::{self, OpenOptions, Permissions},
    io::{self, ErrorKind, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::Path,
};

use aws_lc_rs::rand;
use base64_simd::STANDARD;
use zeroize::Zeroizing;

use super::{Failure, data_folder::DataFolder};
use crate::settings::VaultKey;

/// Loads the key of this data folder, or creates it.
pub(super) fn load_or_create(folder: &DataFolder) -> Result<VaultKey, Failure> {
    let path = folder.vault_key_file();
    let failed =
        |error: io::Error| Failure::Failed(format!("the vault key {}: {error}", path.display()));
    let text = match fs::read_to_string(&path) {
        Ok(text) => restrict(&path, text).map_err(failed)?,
        Err(error) if error.kind() == ErrorKind::NotFound => create(&path).map_err(failed)?,
        Err(error) => return Err(failed(error)),
    };
    let key = VaultKey::parse(text.trim());
    key.ok_or_else(|| {
        Failure::Failed(format!(
            "{} does not contain a valid key; delete it to create a new one (stored API keys can then no longer be read)",
            path.display()
        ))
    })
}

/// Removes the access of other users, in case the file was created with another mode.
fn restrict(path: &Path, text: String) -> io::Result<Zeroizing<String>> {
    fs::set_permissions(path, Permissions::from_mode(0o600))?;
    Ok(Zeroizing::new(text))
}

fn create(path: &Path) -> io::Result<Zeroizing<String>> {
    let mut key = Zeroizing::new([0; 32]);
    rand::fill(&mut *key)
        .map_err(|_| io::Error::other("the system cannot provide random bytes"))?;
    let line = Zeroizing::new(format!("dev:{}\n", STANDARD.encode_to_string(*key)));
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?
        .write_all(line.as_bytes())?;
    Ok(line)
}
