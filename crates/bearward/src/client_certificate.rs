//! The certificate with which a client authenticated in mutual TLS.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};

/// The certificate that the sender of a request has proven to hold in mutual TLS, as its SHA-256
/// thumbprint (RFC 8705 §3.1).
///
/// A token with the confirmation method `x5t#S256` is accepted only with it. The extractors and
/// guards look for it in the extensions of the request, and then in those of the connection:
///
/// ```
/// # #[cfg(feature = "actix")] mod example {
/// use std::any::Any;
///
/// use actix_web::{HttpServer, App, dev::Extensions};
/// use bearward::ClientCertificate;
///
/// /// For `HttpServer::on_connect`. `certificates` returns the chain of a TLS connection in DER, the
/// /// certificate of the client first; its type depends on the TLS library.
/// fn store(certificates: &[Vec<u8>], extensions: &mut Extensions) {
///     if let Some(certificate) = certificates.first().and_then(|der| ClientCertificate::from_der(der).ok()) {
///         extensions.insert(certificate);
///     }
/// }
/// # }
/// ```
///
/// Other frameworks pass it to [`RequestHead::client_certificate`](crate::RequestHead::client_certificate).
///
/// # Security
/// Create it only from the TLS connection itself, or from a header that a trusted proxy sets and
/// removes from the requests of clients: the certificate is public, and a client that can set the
/// header can claim to hold any. Neither the chain nor the validity period nor the revocation of the
/// certificate is checked here.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ClientCertificate {
    thumbprint: [u8; 32],
}

/// The error of [`ClientCertificate::from_der`]: the bytes are not one DER structure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not one certificate in DER")]
pub struct InvalidCertificate;

impl ClientCertificate {
    /// Reads a certificate in DER.
    ///
    /// # Errors
    /// [`InvalidCertificate`] unless the bytes are exactly one ASN.1 sequence. Its contents are not
    /// parsed.
    pub fn from_der(der: &[u8]) -> Result<Self, InvalidCertificate> {
        if !is_one_sequence(der) {
            return Err(InvalidCertificate);
        }
        let mut thumbprint = [0; 32];
        thumbprint.copy_from_slice(digest(&SHA256, der).as_ref());
        Ok(Self { thumbprint })
    }

    /// Uses the SHA-256 hash of a certificate in DER, for proxies that forward only the hash.
    ///
    /// ```
    /// use bearward::ClientCertificate;
    ///
    /// let certificate = ClientCertificate::from_thumbprint([0; 32]);
    /// assert_eq!(certificate.thumbprint(), "A".repeat(43));
    /// ```
    pub fn from_thumbprint(thumbprint: [u8; 32]) -> Self {
        Self { thumbprint }
    }

    /// Parses `x5t#S256`: the hash in base64url without padding.
    pub(crate) fn parse_thumbprint(text: &str) -> Option<Self> {
        if text.len() != 43 {
            return None;
        }
        let thumbprint = base64_simd::URL_SAFE_NO_PAD.decode_to_vec(text).ok()?;
        thumbprint.try_into().ok().map(Self::from_thumbprint)
    }

    /// Returns the thumbprint as `x5t#S256` has it: base64url without padding.
    pub fn thumbprint(&self) -> String {
        base64_simd::URL_SAFE_NO_PAD.encode_to_string(self.thumbprint)
    }
}

/// Prints the thumbprint.
impl fmt::Debug for ClientCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ClientCertificate")
            .field(&self.thumbprint())
            .finish()
    }
}

/// Returns whether the bytes are one ASN.1 SEQUENCE in DER without trailing bytes.
fn is_one_sequence(der: &[u8]) -> bool {
    let Some((&[0x30, length], rest)) = der.split_first_chunk::<2>() else {
        return false;
    };
    let (length, contents) = if length < 0x80 {
        (Some(usize::from(length)), rest)
    } else {
        let octets = usize::from(length & 0x7f);
        let Some((octets, contents)) = rest.split_at_checked(octets) else {
            return false;
        };
        let value = octets.iter().try_fold(0_usize, |value, &octet| {
            Some(value.checked_mul(256)? + usize::from(octet))
        });
        // DER has the shortest form only.
        let is_shortest = octets.first().is_some_and(|&first| first != 0);
        (
            value.filter(|&value| is_shortest && value >= 0x80),
            contents,
        )
    };
    length == Some(contents.len()) && !contents.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_complete_sequence_is_a_certificate() {
        let short = [0x30, 0x01, 0x05];
        assert!(ClientCertificate::from_der(&short).is_ok());
        let mut long = vec![0x30, 0x82, 0x01, 0x00];
        long.extend([7; 256]);
        assert!(ClientCertificate::from_der(&long).is_ok());
        long.push(7);
        for invalid in [
            &b""[..],
            &[0x30],
            &[0x30, 0x00],
            &[0x31, 0x01, 0x05],
            &[0x30, 0x02, 0x05],
            &[0x30, 0x01, 0x05, 0x00],
            &[0x30, 0x80, 0x05],
            &[0x30, 0x81, 0x01, 0x05],
            &[0x30, 0x82, 0x00, 0x01, 0x05],
            &[0x30, 0x89, 1, 1, 1, 1, 1, 1, 1, 1, 1],
            &[0x30, 0xff, 0x05],
            &long,
        ] {
            assert_eq!(
                ClientCertificate::from_der(invalid),
                Err(InvalidCertificate),
                "{invalid:?}"
            );
        }
    }

    #[test]
    fn a_thumbprint_is_43_characters_of_strict_base64url() {
        // RFC 8705 appendix A.
        let text = "A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0";
        let certificate = ClientCertificate::parse_thumbprint(text).expect("a thumbprint");
        assert_eq!(certificate.thumbprint(), text);
        for invalid in [
            "",
            "A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v",
            "A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0=",
            "A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0A",
            "A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v1",
            "A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5+0",
        ] {
            assert_eq!(
                ClientCertificate::parse_thumbprint(invalid),
                None,
                "{invalid}"
            );
        }
    }
}
