//! Why TLS files cannot be used.

use std::{io, path::PathBuf};

use tokio_rustls::rustls;

use super::Validity;

/// The files of `[server.tls]` cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file cannot be read.
    #[error("{key} {}: {source}", .path.display())]
    Read {
        /// The configuration key that names the file.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// A file is not in PEM, or was not written completely.
    #[error("{key} {}: {problem}", .path.display())]
    Pem {
        /// The configuration key that names the file.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// What is wrong, without the contents.
        problem: &'static str,
    },
    /// A certificate or the key is malformed, or of an algorithm that is not supported.
    #[error("{key} {}: {source}", .path.display())]
    Invalid {
        /// The configuration key that names the file.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// The reason.
        source: rustls::Error,
    },
    /// The private key does not belong to the first certificate.
    #[error(
        "server.tls.key_file {} is not the private key of the first certificate in server.tls.cert_file {}; the certificate of the \
         server must come before the intermediate ones",
        .key.display(), .cert.display()
    )]
    KeyMismatch {
        /// The certificate file.
        cert: PathBuf,
        /// The key file.
        key: PathBuf,
    },
    /// A renewed certificate has expired already.
    #[error("server.tls.cert_file {} expired at {validity}", .path.display())]
    Expired {
        /// The file.
        path: PathBuf,
        /// Its validity.
        validity: Validity,
    },
}
