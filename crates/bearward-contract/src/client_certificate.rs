//! Certificates of clients, their files, and the headers in which proxies forward them.

use std::{
    fmt::Write as _,
    fs::{self, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use aws_lc_rs::digest::{SHA256, digest};
use base64_simd::STANDARD;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};

/// A certificate in DER.
#[derive(Debug, Clone)]
pub(super) struct ClientCertificate(Vec<u8>);

/// The certificate that a client presents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Presented {
    /// The certificate that tokens are bound to.
    #[default]
    Own,
    /// No certificate.
    Nothing,
    /// A new certificate of the same client, with the same key.
    Renewed,
    /// A certificate with the same subject and another key.
    SameSubject,
    /// The certificate of another client.
    Other,
    /// The certificate of another client, followed by the one that tokens are bound to, as if that
    /// one had issued it.
    OtherWithOwn,
}

impl Presented {
    /// What a client may present to the TLS listener of the target in place of its own certificate.
    pub(super) const OTHERS: [Self; 5] = [
        Self::Nothing,
        Self::Renewed,
        Self::SameSubject,
        Self::Other,
        Self::OtherWithOwn,
    ];

    /// Returns the names of the certificate file and of the key file.
    pub(super) fn files(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Nothing => None,
            Self::Own => Some(("client.pem", "client.key")),
            Self::Renewed => Some(("renewed.pem", "client.key")),
            Self::SameSubject => Some(("same-subject.pem", "same-subject.key")),
            Self::Other => Some(("other.pem", "other.key")),
            Self::OtherWithOwn => Some(("other-with-client.pem", "other.key")),
        }
    }
}

/// The certificates of the clients of a run, issued by one authority.
#[derive(Debug, Clone)]
pub(super) struct ClientCertificates {
    pub(super) own: ClientCertificate,
    pub(super) renewed: ClientCertificate,
    pub(super) same_subject: ClientCertificate,
    pub(super) other: ClientCertificate,
}

/// The name of the file with the authority that issued the certificates.
pub(super) const AUTHORITY_FILE: &str = "ca.pem";

/// A file of the folder, and whether it is secret.
struct NewFile {
    name: &'static str,
    text: String,
    is_secret: bool,
}

impl NewFile {
    fn public(name: &'static str, text: String) -> Self {
        Self {
            name,
            text,
            is_secret: false,
        }
    }

    fn private_key(name: &'static str, key: &KeyPair) -> Self {
        Self {
            name,
            text: key.serialize_pem(),
            is_secret: true,
        }
    }
}

impl ClientCertificates {
    /// Creates the certificates.
    ///
    /// # Errors
    /// They cannot be generated.
    pub(super) fn generate() -> Result<Self, rcgen::Error> {
        Self::generate_with_files().map(|(certificates, _)| certificates)
    }

    /// Reads the certificates in this folder, or creates them and the folder.
    ///
    /// A target that is already running trusts the authority of an earlier run, so existing files
    /// are used again. The private key of the authority is not stored, so that a target that trusts
    /// the authority trusts these certificates only.
    ///
    /// # Errors
    /// A file cannot be read or written, or is no certificate.
    pub(super) fn load_or_create(folder: &Path) -> io::Result<Self> {
        if !folder.join(AUTHORITY_FILE).exists() {
            let (_, files) = Self::generate_with_files().map_err(io::Error::other)?;
            if !folder.exists() {
                fs::create_dir_all(folder).map_err(|error| named(folder, &error))?;
                write_new(folder, &NewFile::public(".gitignore", "*\n".to_owned()))?;
            }
            for file in files {
                write_new(folder, &file)?;
            }
        }
        let read = |presented: Presented| {
            let (certificate, _) = presented.files().unwrap_or_default();
            read_certificate(&folder.join(certificate))
        };
        Ok(Self {
            own: read(Presented::Own)?,
            renewed: read(Presented::Renewed)?,
            same_subject: read(Presented::SameSubject)?,
            other: read(Presented::Other)?,
        })
    }

    fn generate_with_files() -> Result<(Self, Vec<NewFile>), rcgen::Error> {
        const OWN: &str = "client.example";
        let mut authority = params("bearward contract")?;
        authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        authority.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let authority_key = KeyPair::generate()?;
        let authority_pem = authority.self_signed(&authority_key)?.pem();
        let issuer = Issuer::new(authority, authority_key);
        let issue = |name: &str, key: &KeyPair| {
            let mut client = params(name)?;
            client.key_usages = vec![KeyUsagePurpose::DigitalSignature];
            client.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
            client.use_authority_key_identifier_extension = true;
            // The serial number is derived from the key, and a renewed certificate has its own.
            client.serial_number = Some(fastrand::u64(1 << 32..1 << 63).into());
            client.signed_by(key, &issuer)
        };
        let [key, same_subject_key, other_key] = [
            KeyPair::generate()?,
            KeyPair::generate()?,
            KeyPair::generate()?,
        ];
        let [own, renewed] = [issue(OWN, &key)?, issue(OWN, &key)?];
        let same_subject = issue(OWN, &same_subject_key)?;
        let other = issue("other.example", &other_key)?;
        let certificate = NewFile::public;
        let private_key = NewFile::private_key;
        let files = vec![
            certificate("client.pem", own.pem()),
            private_key("client.key", &key),
            certificate("renewed.pem", renewed.pem()),
            certificate("same-subject.pem", same_subject.pem()),
            private_key("same-subject.key", &same_subject_key),
            certificate("other.pem", other.pem()),
            private_key("other.key", &other_key),
            certificate("other-with-client.pem", other.pem() + &own.pem()),
            // The last one: it shows that the folder is complete.
            certificate(AUTHORITY_FILE, authority_pem),
        ];
        let der = |certificate: rcgen::Certificate| ClientCertificate(certificate.der().to_vec());
        let certificates = Self {
            own: der(own),
            renewed: der(renewed),
            same_subject: der(same_subject),
            other: der(other),
        };
        Ok((certificates, files))
    }

    /// Returns the certificate in a header of a proxy; `None` if the client presents none.
    pub(super) fn forwarded(&self, presented: Presented) -> Option<&ClientCertificate> {
        match presented {
            Presented::Own => Some(&self.own),
            Presented::Nothing => None,
            Presented::Renewed => Some(&self.renewed),
            Presented::SameSubject => Some(&self.same_subject),
            Presented::Other | Presented::OtherWithOwn => Some(&self.other),
        }
    }
}

/// Returns the parameters of a certificate that does not expire.
fn params(name: &str) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new([name.to_owned()])?;
    params.distinguished_name.push(DnType::CommonName, name);
    Ok(params)
}

/// Returns the PEM of the certificates and of the key that the client presents from this folder.
///
/// # Errors
/// A file cannot be read.
pub(super) fn read_identity(folder: &Path, presented: Presented) -> io::Result<Option<Vec<u8>>> {
    let Some((certificate, key)) = presented.files() else {
        return Ok(None);
    };
    let mut pem = read(&folder.join(certificate))?;
    pem.extend(read(&folder.join(key))?);
    Ok(Some(pem))
}

/// Reads a file. The error names it.
pub(super) fn read(path: &Path) -> io::Result<Vec<u8>> {
    fs::read(path).map_err(|error| named(path, &error))
}

fn named(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

fn read_certificate(path: &Path) -> io::Result<ClientCertificate> {
    let invalid = || {
        let text = format!(
            "{}: not one certificate in PEM; remove the folder to create new ones",
            path.display()
        );
        io::Error::new(io::ErrorKind::InvalidData, text)
    };
    let text = String::from_utf8(read(path)?).map_err(|_| invalid())?;
    let base64: String = text
        .trim()
        .strip_prefix(BEGIN)
        .and_then(|rest| rest.strip_suffix(END))
        .ok_or_else(invalid)?
        .split_ascii_whitespace()
        .collect();
    let der = STANDARD.decode_to_vec(base64).map_err(|_| invalid())?;
    Ok(ClientCertificate(der))
}

/// Writes a file that does not exist. Only its owner can read a secret one.
fn write_new(folder: &Path, file: &NewFile) -> io::Result<()> {
    let path = folder.join(file.name);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if file.is_secret {
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    }
    let mut opened = options.open(&path).map_err(|error| named(&path, &error))?;
    opened
        .write_all(file.text.as_bytes())
        .map_err(|error| named(&path, &error))
}

/// Returns the path of the authority in this folder, without symbolic links.
pub(super) fn authority_file(folder: &Path) -> PathBuf {
    let path = folder.join(AUTHORITY_FILE);
    path.canonicalize().unwrap_or(path)
}

impl ClientCertificate {
    /// Returns bytes that are no certificate.
    pub(super) fn malformed() -> Self {
        Self(b"no certificate".to_vec())
    }

    pub(super) fn der(&self) -> &[u8] {
        &self.0
    }

    /// Returns the value of the header with this name: as in RFC 9440 for `Client-Cert`, as Envoy
    /// writes it for `X-Forwarded-Client-Cert`, and percent-encoded PEM otherwise.
    pub(super) fn header_value(&self, header: &str) -> String {
        let base64 = STANDARD.encode_to_string(&self.0);
        if header.eq_ignore_ascii_case("client-cert") {
            return format!(":{base64}:");
        }
        let pem = percent_encode(&pem(&base64));
        if header.eq_ignore_ascii_case("x-forwarded-client-cert") {
            let hash = digest(&SHA256, &self.0);
            let hash = hash.as_ref().iter().fold(String::new(), |mut hex, byte| {
                let _ = write!(hex, "{byte:02x}");
                hex
            });
            return format!("Hash={hash};Cert=\"{pem}\"");
        }
        pem
    }
}

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

fn pem(base64: &str) -> String {
    let mut pem = format!("{BEGIN}\n");
    let mut rest = base64;
    while !rest.is_empty() {
        let (line, next) = rest.split_at(rest.len().min(64));
        pem.extend([line, "\n"]);
        rest = next;
    }
    pem + END + "\n"
}

fn percent_encode(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_the_header_decides_the_format() {
        let certificate = ClientCertificate(vec![0xfb; 60]);
        let base64 = STANDARD.encode_to_string(certificate.der());
        assert_eq!(
            certificate.header_value("Client-Cert"),
            format!(":{base64}:")
        );
        let (first, second) = base64.split_at(64);
        let pem =
            format!("-----BEGIN CERTIFICATE-----\n{first}\n{second}\n-----END CERTIFICATE-----\n");
        let encoded = certificate.header_value("ssl-client-cert");
        assert!(!encoded.contains(['+', '/', ' ', '\n', '"']), "{encoded}");
        let decoded = percent_encoding::percent_decode_str(&encoded);
        assert_eq!(decoded.decode_utf8().unwrap(), pem);
        let envoy = certificate.header_value("x-forwarded-client-cert");
        assert!(envoy.starts_with("Hash="), "{envoy}");
        assert!(envoy.ends_with(&format!(";Cert=\"{encoded}\"")), "{envoy}");
        assert_eq!(envoy.find(';'), Some("Hash=".len() + 64));
    }
}
