//! The vault key of `bearward dev`: made once, in its data folder, readable by its owner alone.

use std::{
    fs::{self, DirBuilder, OpenOptions, Permissions},
    io::{self, ErrorKind, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use aws_lc_rs::rand;
use base64_simd::STANDARD;
use zeroize::Zeroizing;

use super::Failure;
use crate::settings::VaultKey;

/// The key of this folder.
pub(super) fn of(folder: &Path) -> Result<VaultKey, Failure> {
    let path = folder.join("vault.key");
    let told =
        |error: io::Error| Failure::Failed(format!("the vault key {}: {error}", path.display()));
    let text = match fs::read_to_string(&path) {
        Ok(text) => kept(&path, text).map_err(told)?,
        Err(error) if error.kind() == ErrorKind::NotFound => make(folder, &path).map_err(told)?,
        Err(error) => return Err(told(error)),
    };
    let key = VaultKey::parse(text.trim());
    key.ok_or_else(|| {
        Failure::Failed(format!(
            "{} holds no key; delete it for a new one, under which old API keys do not open",
            path.display()
        ))
    })
}

/// Others must not be able to read it, whoever made it.
fn kept(path: &PathBuf, text: String) -> io::Result<Zeroizing<String>> {
    fs::set_permissions(path, Permissions::from_mode(0o600))?;
    Ok(Zeroizing::new(text))
}

fn make(folder: &Path, path: &PathBuf) -> io::Result<Zeroizing<String>> {
    let mut key = Zeroizing::new([0; 32]);
    rand::fill(&mut *key).map_err(|_| io::Error::other("the system has no randomness"))?;
    let line = Zeroizing::new(format!("dev:{}\n", STANDARD.encode_to_string(*key)));
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?
        .write_all(line.as_bytes())?;
    Ok(line)
}
