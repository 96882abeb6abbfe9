//! The TLS certificate of `bearward dev --https`, kept in the data folder.

use std::{
    fs::{self, DirBuilder, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use time::{Duration, OffsetDateTime};
use tokio_rustls::rustls::pki_types::{CertificateDer, pem::PemObject};
use zeroize::Zeroizing;

use super::Failure;
use crate::{server::tls::Validity, settings::Sources};

/// The names that browsers and the printed commands use.
const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// Below the limit that Apple's systems have for certificates of authorities that users add, 825 days.
const LIFETIME: Duration = Duration::days(397);

/// The files of a certificate.
pub(super) struct DevCertificate {
    /// The certificate of the authority, which browsers and `curl --cacert` must trust.
    pub(super) authority: PathBuf,
    chain: PathBuf,
    key: PathBuf,
}

impl DevCertificate {
    /// Uses the certificate in this folder. Creates one if there is none, or it expires soon.
    ///
    /// The authority signs this certificate only: its private key is not stored, so that a browser that
    /// trusts it cannot be shown a certificate for another site.
    pub(super) fn load_or_create(folder: &Path) -> Result<Self, Failure> {
        let certificate = Self {
            authority: folder.join("ca.pem"),
            chain: folder.join("cert.pem"),
            key: folder.join("key.pem"),
        };
        if !certificate.is_usable() {
            certificate.create(folder).map_err(|error| {
                Failure::Failed(format!(
                    "the certificate in {} cannot be created: {error}",
                    folder.display()
                ))
            })?;
        }
        Ok(certificate)
    }

    /// Adds the files to the configuration.
    pub(super) fn configure(&self, sources: Sources) -> Sources {
        sources
            .with("server.tls.cert_file", self.chain.display().to_string())
            .with("server.tls.key_file", self.key.display().to_string())
    }

    /// Reads the certificate of the authority.
    pub(super) fn authority_pem(&self) -> Result<Vec<u8>, Failure> {
        fs::read(&self.authority).map_err(|error| {
            Failure::Failed(format!(
                "{} cannot be read: {error}",
                self.authority.display()
            ))
        })
    }

    fn is_usable(&self) -> bool {
        let certificate = CertificateDer::from_pem_file(&self.chain).ok();
        let validity = certificate.and_then(|certificate| Validity::parse(&certificate));
        self.authority.is_file()
            && self.key.is_file()
            && validity.is_some_and(|validity| !validity.is_renewal_due(OffsetDateTime::now_utc()))
    }

    fn create(&self, folder: &Path) -> io::Result<()> {
        let now = OffsetDateTime::now_utc();
        let params = |names: &[&str], name: &str| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            let mut params = CertificateParams::new(names)?;
            params.distinguished_name.push(DnType::CommonName, name);
            // Clocks of virtual machines and containers differ.
            params.not_before = now - Duration::days(1);
            params.not_after = now + LIFETIME;
            Ok(params)
        };
        let generate = || {
            let mut authority = params(&[], "bearward dev")?;
            authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
            authority.key_usages = vec![KeyUsagePurpose::KeyCertSign];
            let authority_key = KeyPair::generate()?;
            let authority_pem = authority.self_signed(&authority_key)?.pem();
            let issuer = Issuer::new(authority, authority_key);
            let mut server = params(&NAMES, "localhost")?;
            server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
            server.use_authority_key_identifier_extension = true;
            let key = KeyPair::generate()?;
            let server_pem = server.signed_by(&key, &issuer)?.pem();
            Ok((
                authority_pem,
                server_pem,
                Zeroizing::new(key.serialize_pem()),
            ))
        };
        let (authority, server, key) =
            generate().map_err(|error: rcgen::Error| io::Error::other(error.to_string()))?;
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
        write(&self.authority, &authority)?;
        write(&self.chain, &server)?;
        write(&self.key, &key)
    }
}

/// Replaces a file, which only its owner can read.
fn write(path: &Path, text: &str) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?
        .write_all(text.as_bytes())
}
