//! The `[server.tls]` section, and the header with the client certificate of a proxy.

use std::{path::PathBuf, time::Duration};

use actix_web::http::header::HeaderName;

use super::{
    raw::{Hint, Raw, one_of},
    section::{Reported, Section},
    units::duration,
};

/// TLS of the API's listener.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Tls {
    /// The certificate chain in PEM, the certificate of the server first.
    pub cert_file: PathBuf,
    /// The private key in PEM.
    pub key_file: PathBuf,
    /// Whether clients authenticate with a certificate.
    pub client_auth: ClientAuth,
    /// The `max-age` of `Strict-Transport-Security`; zero sends no such header.
    pub hsts_max_age: Duration,
}

/// Whether clients authenticate with a certificate (mutual TLS).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientAuth {
    /// No certificate is requested.
    Off,
    /// A certificate is requested; if the client sends one, these must have issued it.
    Optional(ClientCas),
    /// A handshake without a certificate of these fails.
    Required(ClientCas),
}

/// The certificate authorities that issue client certificates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientCas {
    /// Those in this PEM file.
    File(PathBuf),
    /// Any, and self-signed certificates: only the possession of the private key is proven (RFC 8705
    /// §2.2).
    Any,
}

/// The header with which trusted proxies forward the certificate of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientCertificateHeader {
    /// The name of the header.
    pub name: HeaderName,
    /// How its value is written; the name decides it.
    pub format: ClientCertificateFormat,
}

/// How a proxy writes the certificate of a client into a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientCertificateFormat {
    /// `Client-Cert`: a byte sequence of a structured field (RFC 9440).
    StructuredField,
    /// `X-Forwarded-Client-Cert` of Envoy.
    Xfcc,
    /// Any other header: the certificate in PEM, percent-encoded, or in DER as base64.
    Encoded,
}

/// The largest range of humantime's units that is a whole number of them: two years.
const MAX_HSTS: Duration = Duration::from_secs(63_115_200);

impl Tls {
    /// Reads the section; `None` without a certificate.
    pub(super) fn read(mut section: Section<'_>) -> Result<Option<Self>, Reported> {
        let cert_file = section.optional("cert_file", path);
        let key_file = section.optional("key_file", path);
        let client_ca_file = section.optional("client_ca_file", client_cas);
        let client_auth = section.take(
            "client_auth",
            one_of(&[("off", 0_u8), ("optional", 1), ("required", 2)]),
        );
        let hsts_max_age = section.take("hsts_max_age", duration(Duration::ZERO..=MAX_HSTS));
        let (cert_file, key_file, cas) = (cert_file?, key_file?, client_ca_file?);
        let (client_auth, hsts_max_age) = (client_auth?, hsts_max_age?);
        let client_auth = match (client_auth, cas) {
            (0, None) => ClientAuth::Off,
            (1, Some(cas)) => ClientAuth::Optional(cas),
            (2, Some(cas)) => ClientAuth::Required(cas),
            (0, Some(_)) => {
                let hint = "client_ca_file has no effect with client_auth = \"off\"; write \"optional\" or \"required\"";
                section.conflict(&["client_ca_file", "client_auth"], hint);
                return Err(Reported);
            }
            _ => {
                let hint = "name the PEM file with the certificate authorities of the clients as client_ca_file; \"*\" accepts any \
                            certificate, so that only the binding of a token identifies the client";
                section.conflict(&["client_auth", "client_ca_file"], hint);
                return Err(Reported);
            }
        };
        match (cert_file, key_file) {
            (Some(cert_file), Some(key_file)) => {
                section.finish();
                Ok(Some(Self {
                    cert_file,
                    key_file,
                    client_auth,
                    hsts_max_age,
                }))
            }
            (None, None) => {
                let keys: &[&str] = match (&client_auth, hsts_max_age.is_zero()) {
                    (ClientAuth::Off, true) => &[],
                    (ClientAuth::Off, false) => &["hsts_max_age", "cert_file"],
                    _ => &["client_auth", "cert_file"],
                };
                if keys.is_empty() {
                    section.finish();
                    return Ok(None);
                }
                section.conflict(keys, "set cert_file and key_file, which turn TLS on");
                Err(Reported)
            }
            _ => {
                let hint = "set both: the certificate chain and its private key, in PEM";
                section.conflict(&["cert_file", "key_file"], hint);
                Err(Reported)
            }
        }
    }
}

fn path(raw: Raw<'_>) -> Result<PathBuf, Hint> {
    raw.text().map(PathBuf::from)
}

fn client_cas(raw: Raw<'_>) -> Result<ClientCas, Hint> {
    Ok(match raw.text()? {
        "*" => ClientCas::Any,
        file => ClientCas::File(file.into()),
    })
}

/// Parses the name of the header with the client certificate.
pub(super) fn client_certificate_header(raw: Raw<'_>) -> Result<ClientCertificateHeader, Hint> {
    const TAKEN: [&str; 4] = ["authorization", "cookie", "host", "x-forwarded-for"];
    let name = raw.text()?.to_ascii_lowercase();
    let format = match name.as_str() {
        "client-cert" => ClientCertificateFormat::StructuredField,
        "x-forwarded-client-cert" => ClientCertificateFormat::Xfcc,
        _ => ClientCertificateFormat::Encoded,
    };
    HeaderName::try_from(name.as_str())
        .ok()
        .filter(|_| name.len() <= 64 && !TAKEN.contains(&name.as_str()))
        .map(|name| ClientCertificateHeader { name, format })
        .ok_or_else(|| {
            "write the name of the header in which the proxy forwards the certificate: \"Client-Cert\" (RFC 9440), \
             \"X-Forwarded-Client-Cert\" (Envoy), or another with $ssl_client_escaped_cert of nginx"
                .to_owned()
        })
}
