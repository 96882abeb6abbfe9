//! Certificates of clients, and the headers in which proxies forward them.

use std::fmt::Write as _;

use aws_lc_rs::digest::{SHA256, digest};
use base64_simd::STANDARD;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rcgen::{CertificateParams, KeyPair};

/// A certificate in DER.
#[derive(Debug, Clone)]
pub(super) struct ClientCertificate(Vec<u8>);

impl ClientCertificate {
    /// Creates the certificates of two clients.
    ///
    /// # Errors
    /// They cannot be generated.
    pub(super) fn generate_pair() -> Result<[Self; 2], rcgen::Error> {
        Ok([
            Self::generate("client.example")?,
            Self::generate("other.example")?,
        ])
    }

    /// Creates a self-signed certificate with a new key.
    fn generate(name: &str) -> Result<Self, rcgen::Error> {
        let key = KeyPair::generate()?;
        let certificate = CertificateParams::new([name.to_owned()])?.self_signed(&key)?;
        Ok(Self(certificate.der().to_vec()))
    }

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

fn pem(base64: &str) -> String {
    let mut pem = "-----BEGIN CERTIFICATE-----\n".to_owned();
    let mut rest = base64;
    while !rest.is_empty() {
        let (line, next) = rest.split_at(rest.len().min(64));
        pem.extend([line, "\n"]);
        rest = next;
    }
    pem + "-----END CERTIFICATE-----\n"
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
