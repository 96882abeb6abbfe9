//! The last good set on disk, so that a restart during an outage still verifies tokens.

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::clock::Timestamp;

/// Changes when older files can no longer be read; they are then ignored.
const VERSION: u32 = 1;

/// What a file may have beside the document.
const ENVELOPE: u64 = 16 * 1024;

/// One issuer's file. Whoever can write it can sign in as anybody, so it is read only where nobody
/// else may write it: neither by its mode nor by owning it. Root may. The folder is not looked at:
/// who can write there can take the file away, not put one in its place.
#[derive(Debug, Clone)]
pub(super) struct SnapshotFile {
    path: PathBuf,
    issuer: String,
    configured: String,
}

/// What the file holds: public keys only.
#[derive(Debug, Clone)]
pub(super) struct StoredSnapshot {
    /// The address that the document came from, which its ETag belongs to.
    pub(super) url: String,
    pub(super) etag: Option<String>,
    pub(super) fetched: Timestamp,
    pub(super) document: Vec<u8>,
}

#[derive(Serialize, Deserialize)]
struct ErrorBody<'a> {
    version: u32,
    issuer: std::borrow::Cow<'a, str>,
    /// The configured address: a set from elsewhere says nothing about this one.
    configured: std::borrow::Cow<'a, str>,
    url: std::borrow::Cow<'a, str>,
    etag: Option<std::borrow::Cow<'a, str>>,
    fetched_at_ms: i64,
    document: Box<RawValue>,
}

impl SnapshotFile {
    /// The file for the issuer called `name` in `dir`.
    pub(super) fn new(dir: &Path, name: &str, issuer: &str, configured: &str) -> Self {
        Self {
            path: dir.join(file_name(name)),
            issuer: issuer.to_owned(),
            configured: configured.to_owned(),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The set, if there is one that is younger than `max_stale`. The document is not looked into.
    pub(super) fn read(
        &self,
        now: Timestamp,
        max_stale: Duration,
        max_bytes: usize,
    ) -> Result<Option<StoredSnapshot>, Unusable> {
        let file = match open(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened?,
        };
        let metadata = file.metadata()?;
        if !metadata.is_file() || is_writable_by_others(&metadata) {
            return Err(Unusable::Unprotected);
        }
        let cap = ENVELOPE.saturating_add(u64::try_from(max_bytes).unwrap_or(u64::MAX));
        let mut text = Vec::new();
        file.take(cap.saturating_add(1)).read_to_end(&mut text)?;
        if u64::try_from(text.len()).map_or(true, |length| length > cap) {
            return Err(Unusable::TooLarge);
        }
        let envelope: ErrorBody<'_> =
            serde_json::from_slice(&text).map_err(|_| Unusable::Corrupt)?;
        let fetched = Timestamp::from_millis(envelope.fetched_at_ms);
        match () {
            () if envelope.version != VERSION => Err(Unusable::Corrupt),
            () if envelope.issuer != self.issuer || envelope.configured != self.configured => {
                Err(Unusable::Foreign)
            }
            () if fetched > now => Err(Unusable::FromTheFuture),
            () if now.since(fetched) >= max_stale => Err(Unusable::TooOld),
            () => Ok(Some(StoredSnapshot {
                url: envelope.url.into_owned(),
                etag: envelope.etag.map(std::borrow::Cow::into_owned),
                fetched,
                document: envelope.document.get().as_bytes().to_vec(),
            })),
        }
    }

    /// Replaces the file: a reader sees the old one or the new one, whole. Blocks.
    pub(super) fn write(&self, contents: &StoredSnapshot) -> io::Result<()> {
        let document = serde_json::from_slice(&contents.document)?;
        let envelope = ErrorBody {
            version: VERSION,
            issuer: self.issuer.as_str().into(),
            configured: self.configured.as_str().into(),
            url: contents.url.as_str().into(),
            etag: contents.etag.as_deref().map(Into::into),
            fetched_at_ms: contents.fetched.millis(),
            document,
        };
        let dir = self.path.parent().unwrap_or(Path::new("."));
        make_private(dir)?;
        // tempfile makes it with mode 0600, which persisting keeps.
        let mut file = tempfile::Builder::new()
            .prefix(".bearward-")
            .tempfile_in(dir)?;
        file.write_all(&serde_json::to_vec(&envelope)?)?;
        file.as_file().sync_all()?;
        file.persist(&self.path).map_err(|error| error.error)?;
        Ok(())
    }
}

/// Why a file that is there is not used. None of these stops a start.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unusable {
    #[error("it cannot be read: {0}")]
    Io(#[from] io::Error),
    #[error("it is no regular file, or others own it or may write it")]
    Unprotected,
    #[error("it is too large")]
    TooLarge,
    #[error("it is not a snapshot of this version")]
    Corrupt,
    #[error("it belongs to another issuer or another address")]
    Foreign,
    #[error("it was written in the future; is the clock right?")]
    FromTheFuture,
    #[error("it is older than max_stale")]
    TooOld,
}

/// Readable, and different for different names: what is left out of the readable part is in the
/// digest.
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
    let start = digest
        .as_ref()
        .iter()
        .take(8)
        .fold(0_u64, |start, byte| start << 8 | u64::from(*byte));
    format!("{readable}-{start:016x}.json")
}

#[cfg(unix)]
fn is_writable_by_others(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let owners = [0, rustix::process::geteuid().as_raw()];
    metadata.permissions().mode() & 0o022 != 0 || !owners.contains(&metadata.uid())
}

#[cfg(not(unix))]
fn is_writable_by_others(_: &fs::Metadata) -> bool {
    false
}

/// Opening a named pipe must not wait for somebody who writes to it.
#[cfg(unix)]
fn open(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    let at_once = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    fs::OpenOptions::new()
        .read(true)
        .custom_flags(at_once)
        .open(path)
}

#[cfg(not(unix))]
fn open(path: &Path) -> io::Result<File> {
    File::open(path)
}

fn make_private(dir: &Path) -> io::Result<()> {
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

    fn contents(fetched: Timestamp) -> StoredSnapshot {
        let document = br#"{"keys":[{"kty":"OKP"}]}"#.to_vec();
        StoredSnapshot {
            url: "https://idp.example/jwks".to_owned(),
            etag: Some("\"v1\"".to_owned()),
            fetched,
            document,
        }
    }

    fn why(found: Result<Option<StoredSnapshot>, Unusable>) -> String {
        found.map_or_else(|error| error.to_string(), |found| format!("{found:?}"))
    }

    #[test]
    fn what_was_written_is_read_back() {
        let dir = tempfile::tempdir().unwrap();
        let file = file(dir.path());
        assert!(
            file.read(NOW, MAX_STALE, 1000).unwrap().is_none(),
            "nothing there yet"
        );
        file.write(&contents(NOW)).unwrap();
        let found = file
            .read(NOW.plus(Duration::from_mins(1)), MAX_STALE, 1000)
            .unwrap()
            .unwrap();
        let written = contents(NOW);
        assert_eq!(found.document, written.document);
        assert_eq!(
            (found.url, found.etag, found.fetched),
            (written.url, written.etag, written.fetched)
        );
        assert_eq!(
            fs::read_dir(dir.path().join("keys")).unwrap().count(),
            1,
            "no temporary file is left"
        );
    }

    #[test]
    fn only_a_time_within_max_stale_and_not_in_the_future_counts() {
        let dir = tempfile::tempdir().unwrap();
        let file = file(dir.path());
        file.write(&contents(NOW)).unwrap();
        let read = |now| file.read(now, MAX_STALE, 1000);
        assert!(
            read(NOW.plus(MAX_STALE).minus(Duration::from_millis(1)))
                .unwrap()
                .is_some()
        );
        assert!(matches!(read(NOW.plus(MAX_STALE)), Err(Unusable::TooOld)));
        assert!(matches!(
            read(NOW.minus(Duration::from_millis(1))),
            Err(Unusable::FromTheFuture)
        ));
    }

    #[test]
    fn another_issuer_or_address_does_not_count() {
        let dir = tempfile::tempdir().unwrap();
        file(dir.path()).write(&contents(NOW)).unwrap();
        let read = |issuer, configured| {
            SnapshotFile::new(&dir.path().join("keys"), "corp/../IdP", issuer, configured)
                .read(NOW, MAX_STALE, 1000)
        };
        assert!(matches!(
            read("https://idp.example/", "https://idp.example/jwks"),
            Err(Unusable::Foreign)
        ));
        assert!(matches!(
            read("https://idp.example", "https://idp.example/other"),
            Err(Unusable::Foreign)
        ));
        assert!(
            SnapshotFile::new(&dir.path().join("keys"), "corp", "", "")
                .read(NOW, MAX_STALE, 1000)
                .unwrap()
                .is_none()
        );
    }

    #[test]
    fn what_is_corrupt_or_too_large_is_an_error_and_no_panic() {
        let dir = tempfile::tempdir().unwrap();
        let file = file(dir.path());
        file.write(&contents(NOW)).unwrap();
        let whole = fs::read(file.path()).unwrap();
        for length in 0..whole.len() {
            fs::write(file.path(), &whole[..length]).unwrap();
            assert!(
                matches!(file.read(NOW, MAX_STALE, 1000), Err(Unusable::Corrupt)),
                "cut to {length}"
            );
        }
        fs::write(file.path(), vec![b' '; 20_000]).unwrap();
        assert!(matches!(
            file.read(NOW, MAX_STALE, 1000),
            Err(Unusable::TooLarge)
        ));
        assert!(matches!(
            file.read(NOW, MAX_STALE, 10_000),
            Err(Unusable::Corrupt)
        ));
    }

    #[cfg(unix)]
    #[test]
    fn the_file_is_private_and_one_that_others_may_write_is_not_read() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let file = file(dir.path());
        file.write(&contents(NOW)).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(
            (mode(file.path()), mode(&dir.path().join("keys"))),
            (0o600, 0o700)
        );
        for (others, usable) in [(0o644, true), (0o602, false), (0o620, false)] {
            fs::set_permissions(file.path(), fs::Permissions::from_mode(others)).unwrap();
            assert_eq!(
                file.read(NOW, MAX_STALE, 1000).is_ok(),
                usable,
                "{others:o}: {}",
                why(file.read(NOW, MAX_STALE, 1000))
            );
        }
    }

    #[test]
    fn a_name_cannot_leave_the_folder_and_two_names_do_not_meet() {
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
