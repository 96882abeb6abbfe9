//! Reads the files of `[server.tls]` and builds the configuration of rustls.

use std::{path::Path, sync::Arc};

use aws_lc_rs::digest::{Context, SHA256};
use time::OffsetDateTime;
use tokio_rustls::rustls::{
    Error, InconsistentKeys, RootCertStore, ServerConfig,
    crypto::{CryptoProvider, aws_lc_rs::default_provider},
    pki_types::{CertificateDer, PrivateKeyDer, pem, pem::PemObject},
    server::{NoServerSessionStorage, danger::ClientCertVerifier},
    sign::{CertifiedKey, SingleCertAndKey},
    version::{TLS12, TLS13},
};
use zeroize::Zeroizing;

use super::{
    TlsError, Validity,
    client_auth::{AnyIssuer, issued_by},
};
use crate::settings::{self, ClientAuth, ClientCas};

const CERT_FILE: &str = "server.tls.cert_file";
const KEY_FILE: &str = "server.tls.key_file";
const CLIENT_CA_FILE: &str = "server.tls.client_ca_file";

/// A hash of the contents of all files, which shows whether they have changed.
pub(super) type Digest = [u8; 32];

/// The contents of the files.
pub(super) struct Files {
    chain: Vec<u8>,
    key: Zeroizing<Vec<u8>>,
    client_cas: Option<Vec<u8>>,
}

/// The certificate of the server.
#[derive(Debug, Clone)]
pub(crate) struct LoadedCertificate {
    pub(crate) validity: Validity,
    /// The number of certificates in the file.
    pub(crate) chain_length: usize,
}

impl LoadedCertificate {
    /// Publishes when the certificate expires as a metric.
    pub(super) fn publish(&self) {
        #[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
        metrics::gauge!("bearward_tls_certificate_expiry_timestamp_seconds")
            .set(self.validity.expiry_unix() as f64);
    }
}

impl Files {
    pub(super) fn read(settings: &settings::Tls) -> Result<Self, TlsError> {
        Ok(Self {
            chain: read(CERT_FILE, &settings.cert_file)?,
            key: read(KEY_FILE, &settings.key_file)?.into(),
            client_cas: client_ca_file(settings)
                .map(|path| read(CLIENT_CA_FILE, path))
                .transpose()?,
        })
    }

    pub(super) fn digest(&self) -> Digest {
        let mut context = Context::new(&SHA256);
        let client_cas = self.client_cas.as_deref().unwrap_or_default();
        for contents in [self.chain.as_slice(), self.key.as_slice(), client_cas] {
            context.update(&(contents.len() as u64).to_le_bytes());
            context.update(contents);
        }
        let mut digest = [0; 32];
        digest.copy_from_slice(context.finish().as_ref());
        digest
    }

    /// Builds the configuration of a listener.
    pub(super) fn load(
        &self,
        settings: &settings::Tls,
    ) -> Result<(Arc<ServerConfig>, LoadedCertificate), TlsError> {
        let provider = Arc::new(default_provider());
        let chain = certificates(CERT_FILE, &settings.cert_file, &self.chain)?;
        let validity = chain.first().and_then(|first| Validity::parse(first));
        let validity = validity.ok_or_else(|| {
            pem_error(
                CERT_FILE,
                &settings.cert_file,
                "the first certificate is malformed",
            )
        })?;
        let certificate = LoadedCertificate {
            validity,
            chain_length: chain.len(),
        };
        let certified = certified_key(settings, chain, self.private_key(settings)?, &provider)?;
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&[&TLS13, &TLS12])
            .map_err(|source| invalid(CERT_FILE, &settings.cert_file, source))?;
        let verifier = self.client_verifier(settings, &provider)?;
        let is_mutual = verifier.is_some();
        let builder = match verifier {
            Some(verifier) => builder.with_client_cert_verifier(verifier),
            None => builder.with_no_client_auth(),
        };
        let mut config = builder.with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
        // The server has no HTTP/2: its connection deadlines apply to one request at a time.
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        if is_mutual {
            // A resumed session would not verify the client certificate again.
            config.session_storage = Arc::new(NoServerSessionStorage {});
            config.send_tls13_tickets = 0;
        }
        Ok((Arc::new(config), certificate))
    }

    /// Builds the configuration from files that replace others. A certificate that has expired does
    /// not replace one.
    pub(super) fn load_renewed(
        &self,
        settings: &settings::Tls,
    ) -> Result<(Arc<ServerConfig>, LoadedCertificate), TlsError> {
        let (config, certificate) = self.load(settings)?;
        let validity = certificate.validity;
        if validity.is_expired(OffsetDateTime::now_utc()) {
            let path = settings.cert_file.clone();
            return Err(TlsError::Expired { path, validity });
        }
        Ok((config, certificate))
    }

    fn private_key(&self, settings: &settings::Tls) -> Result<PrivateKeyDer<'static>, TlsError> {
        PrivateKeyDer::from_pem_slice(&self.key).map_err(|error| {
            let is_encrypted = self
                .key
                .windows(ENCRYPTED.len())
                .any(|window| window == ENCRYPTED);
            let problem = match error {
                _ if is_encrypted => "the private key is encrypted; store it without a passphrase, readable by the server only",
                pem::Error::NoItemsFound => "no private key in PEM (-----BEGIN PRIVATE KEY-----)",
                _ => MALFORMED,
            };
            pem_error(KEY_FILE, &settings.key_file, problem)
        })
    }

    fn client_verifier(
        &self,
        settings: &settings::Tls,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Option<Arc<dyn ClientCertVerifier>>, TlsError> {
        let (cas, is_required) = match &settings.client_auth {
            ClientAuth::Off => return Ok(None),
            ClientAuth::Optional(cas) => (cas, false),
            ClientAuth::Required(cas) => (cas, true),
        };
        let ClientCas::File(path) = cas else {
            let provider = Arc::clone(provider);
            return Ok(Some(Arc::new(AnyIssuer {
                is_required,
                provider,
            })));
        };
        let mut roots = RootCertStore::empty();
        let contents = self.client_cas.as_deref().unwrap_or_default();
        for certificate in certificates(CLIENT_CA_FILE, path, contents)? {
            roots
                .add(certificate)
                .map_err(|source| invalid(CLIENT_CA_FILE, path, source))?;
        }
        issued_by(roots, is_required, provider)
            .map(Some)
            .map_err(|error| invalid(CLIENT_CA_FILE, path, Error::General(error.to_string())))
    }
}

const ENCRYPTED: &[u8] = b"ENCRYPTED";
const MALFORMED: &str = "the PEM is malformed or incomplete";

fn client_ca_file(settings: &settings::Tls) -> Option<&Path> {
    match &settings.client_auth {
        ClientAuth::Optional(ClientCas::File(path))
        | ClientAuth::Required(ClientCas::File(path)) => Some(path),
        _ => None,
    }
}

fn read(key: &'static str, path: &Path) -> Result<Vec<u8>, TlsError> {
    std::fs::read(path).map_err(|source| TlsError::Read {
        key,
        path: path.to_owned(),
        source,
    })
}

/// Parses at least one certificate.
fn certificates(
    key: &'static str,
    path: &Path,
    contents: &[u8],
) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let parsed: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(contents).collect();
    match parsed {
        Ok(certificates) if certificates.is_empty() => Err(pem_error(
            key,
            path,
            "no certificate in PEM (-----BEGIN CERTIFICATE-----)",
        )),
        Ok(certificates) => Ok(certificates),
        Err(_) => Err(pem_error(key, path, MALFORMED)),
    }
}

fn certified_key(
    settings: &settings::Tls,
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    provider: &CryptoProvider,
) -> Result<CertifiedKey, TlsError> {
    CertifiedKey::from_der(chain, key, provider).map_err(|error| match error {
        Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => TlsError::KeyMismatch {
            cert: settings.cert_file.clone(),
            key: settings.key_file.clone(),
        },
        Error::InvalidCertificate(_) => invalid(CERT_FILE, &settings.cert_file, error),
        _ => invalid(KEY_FILE, &settings.key_file, error),
    })
}

fn pem_error(key: &'static str, path: &Path, problem: &'static str) -> TlsError {
    TlsError::Pem {
        key,
        path: path.to_owned(),
        problem,
    }
}

fn invalid(key: &'static str, path: &Path, source: Error) -> TlsError {
    TlsError::Invalid {
        key,
        path: path.to_owned(),
        source,
    }
}
