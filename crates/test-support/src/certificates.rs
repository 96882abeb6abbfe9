//! Certificates for TLS, issued by an authority of the test.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    PKCS_RSA_SHA256,
};
use time::{Duration, OffsetDateTime};

/// A certificate authority.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// The certificate of the authority in PEM.
    pub pem: String,
}

/// A certificate with its private key.
#[derive(Debug, Clone)]
pub struct IssuedCertificate {
    /// The certificate in PEM.
    pub pem: String,
    /// The private key in PEM (PKCS #8).
    pub key_pem: String,
    /// The certificate in DER.
    pub der: Vec<u8>,
}

/// The files of a certificate.
#[derive(Debug, Clone)]
pub struct CertificateFiles {
    /// The certificate.
    pub cert: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}

impl Authority {
    /// Creates an authority with a new key.
    pub fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = params("test authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        Self {
            issuer: Issuer::new(params, key),
            pem,
        }
    }

    /// Issues a certificate for `localhost` and `127.0.0.1` with an ECDSA key.
    pub fn server(&self) -> IssuedCertificate {
        self.issue(server_params(), &KeyPair::generate().unwrap())
    }

    /// Issues a certificate for `localhost` and `127.0.0.1` with an RSA key.
    pub fn rsa_server(&self) -> IssuedCertificate {
        self.issue(
            server_params(),
            &KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap(),
        )
    }

    /// Issues a certificate of a server that is valid until this time from now; a negative one has
    /// expired.
    pub fn server_until(&self, end: Duration) -> IssuedCertificate {
        let mut params = server_params();
        params.not_after = OffsetDateTime::now_utc() + end;
        self.issue(params, &KeyPair::generate().unwrap())
    }

    /// Issues a certificate of a client.
    pub fn client(&self, name: &str) -> IssuedCertificate {
        self.issue(client_params(name), &KeyPair::generate().unwrap())
    }

    fn issue(&self, params: CertificateParams, key: &KeyPair) -> IssuedCertificate {
        let certificate = params.signed_by(key, &self.issuer).unwrap();
        IssuedCertificate {
            pem: certificate.pem(),
            key_pem: key.serialize_pem(),
            der: certificate.der().to_vec(),
        }
    }
}

impl IssuedCertificate {
    /// Creates a certificate of a client that no authority has issued.
    pub fn self_signed(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let certificate = client_params(name).self_signed(&key).unwrap();
        Self {
            pem: certificate.pem(),
            key_pem: key.serialize_pem(),
            der: certificate.der().to_vec(),
        }
    }

    /// Writes the files `NAME.pem` and `NAME.key` into a folder.
    pub fn write(&self, folder: &Path, name: &str) -> CertificateFiles {
        let files = CertificateFiles {
            cert: folder.join(format!("{name}.pem")),
            key: folder.join(format!("{name}.key")),
        };
        replace(&files.cert, &self.pem).unwrap();
        replace(&files.key, &self.key_pem).unwrap();
        files
    }
}

/// Replaces a file so that readers see the old or the new contents.
///
/// # Errors
///
/// The error of the file system.
pub fn replace(path: &Path, contents: &str) -> io::Result<()> {
    let new = path.with_extension("new");
    fs::write(&new, contents)?;
    fs::rename(new, path)
}

fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    let now = OffsetDateTime::now_utc();
    params.not_before = now - Duration::days(400);
    params.not_after = now + Duration::days(100);
    params
}

fn server_params() -> CertificateParams {
    let names = ["localhost", "127.0.0.1"].map(str::to_owned);
    let mut params = params("localhost");
    params.subject_alt_names = CertificateParams::new(names).unwrap().subject_alt_names;
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params
}

fn client_params(name: &str) -> CertificateParams {
    let mut params = params(name);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params
}
