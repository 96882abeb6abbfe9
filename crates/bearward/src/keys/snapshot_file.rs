//! The last good key set on disk, so that tokens can be verified after a restart during an outage.

use std::{
    borrow::Cow,
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::clock::Timestamp;

/// The version of the file format. Files of other versions are ignored.
const VERSION: u32 = 1;

/// The maximum size of the file without the document, in bytes.
const MAX_OVERHEAD: u64 = 16 * 1024;

/// The file of one issuer.
///
/// # Security
/// A user who can write the file can sign in as anyone, so it is read only if it is owned by this
/// user or root and is not writable by others. Directory permissions are not checked: a writer
/// there can delete the file but cannot forge one owned by this user.
#[derive(Debug, Clone)]
pub(super) struct SnapshotFile {
    path: PathBuf,
    issuer: String,
    configured_url: String,
}

/// A stored key set. Contains public keys only.
#[derive(Debug, Clone)]
pub(super) struct StoredSnapshot {
    /// The URL of the document, which the ETag belongs to.
    pub(super) url: String,
    pub(super) etag: Option<String>,
    pub(super) fetched_at: Timestamp,
    pub(super) document: Vec<u8>,
}

#[derive(Serialize, Deserialize)]
struct FileContents<'a> {
    version: u32,
    issuer: Cow<'a, str>,
    /// The URL in the configuration. A set from another URL must not be used.
    configured: Cow<'a, str>,
    url: Cow<'a, str>,
    etag: Option<Cow<'a, str>>,
    fetched_at_ms: i64,
    document: Box<RawValue>,
}

impl SnapshotFile {
    /// The file in `dir` for the issuer called `name` in the configuration.
    pub(super) fn new(dir: &Path, name: &str, issuer: &str, configured_url: &str) -> Self {
        Self {
            path: dir.join(file_name(name)),
            issuer: issuer.to_owned(),
            configured_url: configured_url.to_owned(),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the stored set, `None` if there is no file. The document is not parsed.
    ///
    /// # Errors
    /// [`SnapshotFileError`]: the file exists but must not be used, for example because it is older
    /// than `max_stale`.
    pub(super) fn read(
        &self,
        now: Timestamp,
        max_stale: Duration,
        max_bytes: usize,
    ) -> Result<Option<StoredSnapshot>, SnapshotFileError> {
        let file = match open(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened?,
        };
        let metadata = file.metadata()?;
        if !metadata.is_file() || is_writable_by_others(&metadata) {
            return Err(SnapshotFileError::Unprotected);
        }
        let limit = MAX_OVERHEAD.saturating_add(u64::try_from(max_bytes).unwrap_or(u64::MAX));
        let mut json = Vec::new();
        file.take(limit.saturating_add(1)).read_to_end(&mut json)?;
        if u64::try_from(json.len()).map_or(true, |length| length > limit) {
            return Err(SnapshotFileError::TooLarge);
        }
        let contents: FileContents<'_> =
            serde_json::from_slice(&json).map_err(|_| SnapshotFileError::Corrupt)?;
        let fetched_at = Timestamp::from_millis(contents.fetched_at_ms);
        if contents.version != VERSION {
            return Err(SnapshotFileError::Corrupt);
        }
        if contents.issuer != self.issuer || contents.configured != self.configured_url {
            return Err(SnapshotFileError::OtherIssuer);
        }
        if fetched_at > now {
            return Err(SnapshotFileError::FromTheFuture);
        }
        if now.since(fetched_at) >= max_stale {
            return Err(SnapshotFileError::TooOld);
        }
        Ok(Some(StoredSnapshot {
            url: contents.url.into_owned(),
            etag: contents.etag.map(Cow::into_owned),
            fetched_at,
            document: contents.document.get().as_bytes().to_vec(),
        }))
    }

    /// Replaces the file atomically: a reader sees the old or the new contents. Blocks.
    pub(super) fn write(&self, snapshot: &StoredSnapshot) -> io::Result<()> {
        let document = serde_json::from_slice(&snapshot.document)?;
        let contents = FileContents {
            version: VERSION,
            issuer: self.issuer.as_str().into(),
            configured: self.configured_url.as_str().into(),
            url: snapshot.url.as_str().into(),
            etag: snapshot.etag.as_deref().map(Into::into),
            fetched_at_ms: snapshot.fetched_at.millis(),
            document,
        };
        let dir = self.path.parent().unwrap_or(Path::new("."));
        create_private_dir(dir)?;
        // tempfile creates the file with mode 0600, and persist() keeps the mode.
        let mut file = tempfile::Builder::new()
            .prefix(".bearward-")
            .tempfile_in(dir)?;
        file.write_all(&serde_json::to_vec(&contents)?)?;
        file.as_file().sync_all()?;
        file.persist(&self.path).map_err(|error| error.error)?;
        Ok(())
    }
}

/// Why an existing file is not used. The server starts without it.
#[derive(Debug, thiserror::Error)]
pub(super) enum SnapshotFileError {
    #[error("the file cannot be read: {0}")]
    Io(#[from] io::Error),
    #[error("not a regular file, or writable by other users")]
    Unprotected,
    #[error("the file is too large")]
    TooLarge,
    #[error("the file is corrupt, or was written by another version")]
    Corrupt,
    #[error("the file belongs to another issuer or another JWKS URL")]
    OtherIssuer,
    #[error("the file was written in the future; check the clock of this machine")]
    FromTheFuture,
    #[error("the keys are older than max_stale")]
    TooOld,
}

/// Returns a readable file name with a digest that makes it unique.
fn file_name(name: &str) -> String {
    let readable: String = name
        .chars()
        .take(40)
        .map(|c| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_lowercase()
            } else {
                '_'
            }
        })
        .collect();
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, name.as_bytes());
    let prefix = digest
        .as_ref()
        .iter()
        .take(8)
        .fold(0_u64, |prefix, byte| prefix << 8 | u64::from(*byte));
    format!("{readable}-{prefix:016x}.json")
}

#[cfg(unix)]
fn is_writable_by_others(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let allowed_owners = [0, rustix::process::geteuid().as_raw()];
    metadata.permissions().mode() & 0o022 != 0 || !allowed_owners.contains(&metadata.uid())
}

#[cfg(not(unix))]
fn is_writable_by_others(_: &fs::Metadata) -> bool {
    false
}

/// Opens without blocking: opening a named pipe would otherwise wait for a writer.
#[cfg(unix)]
fn open(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    let nonblock = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    fs::OpenOptions::new()
        .read(true)
        .custom_flags(nonblock)
        .open(path)
}

#[cfg(not(unix))]
fn open(path: &Path) -> io::Result<File> {
    File::open(path)
}

fn create_private_dir(dir: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAX_STALE: Duration = Duration::from_hours(6);
    const NOW: Timestamp = Timestamp::from_unix(1_800_000_000);

    fn file(dir: &Path) -> SnapshotFile {
        SnapshotFile::new(
            &dir.join("keys"),
            "corp/../IdP",
            "https://idp.example",
            "https://idp.example/jwks",
        )
    }

    fn snapshot(fetched_at: Timestamp) -> StoredSnapshot {
        let document = br#"{"keys":[{"kty":"OKP"}]}"#.to_vec();
        StoredSnapshot {
            url: "https://idp.example/jwks".to_owned(),
            etag: Some("\"v1\"".to_owned()),
            fetched_at,
            document,
        }
    }

    fn describe(result: Result<Option<StoredSnapshot>, SnapshotFileError>) -> String {
        result.map_or_else(|error| error.to_string(), |found| format!("{found:?}"))
    }

    #[test]
    fn written_snapshot_is_read_back() {
        let dir = tempfile::tempdir().unwrap();
        let file = file(dir.path());
        assert!(
            file.read(NOW, MAX_STALE, 1000).unwrap().is_none(),
            "no file yet"
        );
        file.write(&snapshot(NOW)).unwrap();
        let found = file
            .read(NOW.plus(Duration::from_mins(1)), MAX_STALE, 1000)
            .unwrap()
            .unwrap();
        let written = snapshot(NOW);
        assert_eq!(found.document, written.document);
        assert_eq!(
            (found.url, found.etag, found.fetched_at),
            (written.url, written.etag, written.fetched_at)
        );
        assert_eq!(
            fs::read_dir(dir.path().join("keys")).unwrap().count(),
            1,
            "no temporary file is left"
        );
    }

    #[test]
    fn snapshot_must_be_within_max_stale_and_not_in_the_future() {
        let dir = tempfile::tempdir().unwrap();
        let file = file(dir.path());
        file.write(&snapshot(NOW)).unwrap();
        let read = |now| file.read(now, MAX_STALE, 1000);
        assert!(
            read(NOW.plus(MAX_STALE).minus(Duration::from_millis(1)))
                .unwrap()
                .is_some()
        );
        assert!(matches!(
            read(NOW.plus(MAX_STALE)),
            Err(SnapshotFileError::TooOld)
        ));
        assert!(matches!(
            read(NOW.minus(Duration::from_millis(1))),
            Err(SnapshotFileError::FromTheFuture)
        ));
    }

    #[test]
    fn snapshot_of_another_issuer_or_url_is_rejected() {
        let dir = tempfile::tempdir().unwrap();
        file(dir.path()).write(&snapshot(NOW)).unwrap();
        let read = |issuer, configured| {
            SnapshotFile::new(&dir.path().join("keys"), "corp/../IdP", issuer, configured)
                .read(NOW, MAX_STALE, 1000)
        };
        assert!(matches!(
            read("https://idp.example/", "https://idp.example/jwks"),
            Err(SnapshotFileError::OtherIssuer)
        ));
        assert!(matches!(
            read("https://idp.example", "https://idp.example/other"),
            Err(SnapshotFileError::OtherIssuer)
        ));
        assert!(
            SnapshotFile::new(&dir.path().join("keys"), "corp", "", "")
                .read(NOW, MAX_STALE, 1000)
                .unwrap()
                .is_none()
        );
    }

    #[test]
    fn corrupt_or_too_large_file_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let file = file(dir.path());
        file.write(&snapshot(NOW)).unwrap();
        let complete = fs::read(file.path()).unwrap();
        for length in 0..complete.len() {
            fs::write(file.path(), &complete[..length]).unwrap();
            assert!(
                matches!(
                    file.read(NOW, MAX_STALE, 1000),
                    Err(SnapshotFileError::Corrupt)
                ),
                "truncated to {length} bytes"
            );
        }
        fs::write(file.path(), vec![b' '; 20_000]).unwrap();
        assert!(matches!(
            file.read(NOW, MAX_STALE, 1000),
            Err(SnapshotFileError::TooLarge)
        ));
        assert!(matches!(
            file.read(NOW, MAX_STALE, 10_000),
            Err(SnapshotFileError::Corrupt)
        ));
    }

    #[cfg(unix)]
    #[test]
    fn file_is_private_and_must_not_be_writable_by_others() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let file = file(dir.path());
        file.write(&snapshot(NOW)).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(
            (mode(file.path()), mode(&dir.path().join("keys"))),
            (0o600, 0o700)
        );
        for (permissions, usable) in [(0o644, true), (0o602, false), (0o620, false)] {
            fs::set_permissions(file.path(), fs::Permissions::from_mode(permissions)).unwrap();
            assert_eq!(
                file.read(NOW, MAX_STALE, 1000).is_ok(),
                usable,
                "{permissions:o}: {}",
                describe(file.read(NOW, MAX_STALE, 1000))
            );
        }
    }

    #[test]
    fn file_name_is_safe_and_unique() {
        for name in ["../../etc/passwd", "a/b", "", "ä", "con", &"x".repeat(5000)] {
            let file = file_name(name);
            assert!(
                file.len() < 80
                    && file
                        .bytes()
                        .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)),
                "{file}"
            );
            assert!(!file.starts_with('.'), "{file}");
        }
        assert_ne!(file_name("a/b"), file_name("a_b"));
        assert_ne!(file_name("A"), file_name("a"));
    }
}
