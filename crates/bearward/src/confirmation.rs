//! The claim `cnf` (RFC 7800): what the sender of a token must prove to possess.

use super::{
    client_certificate::ClientCertificate,
    dpop::{DpopMode, KeyThumbprint},
    error::{AuthError, CertificateProblem},
    strict_object::{StrictObject, parse_string},
};

/// The confirmation methods of a token, at least one. All of them must be met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Confirmation {
    /// `x5t#S256`: the certificate that the token is bound to (RFC 8705 §3.1).
    certificate: Option<ClientCertificate>,
    /// `jkt`: the key that the token is bound to (RFC 9449 §6.1).
    key: Option<KeyThumbprint>,
}

const CERTIFICATE: &str = "x5t#S256";
const KEY: &str = "jkt";

impl Confirmation {
    /// Parses the claim `cnf` of a verified token; `None` if it is absent. The method `jkt` is
    /// supported if the issuer accepts `DPoP`.
    ///
    /// RFC 7800 §3.1 lets recipients ignore methods that they do not know. They are rejected here:
    /// the token would be accepted with less than its issuer requires.
    pub(crate) fn parse(
        payload: &StrictObject<'_>,
        mode: DpopMode,
    ) -> Result<Option<Self>, AuthError> {
        let Some(json) = payload.member("cnf") else {
            return Ok(None);
        };
        let invalid = |problem| AuthError::InvalidClaim {
            name: "cnf".into(),
            problem,
        };
        let methods = StrictObject::parse(json.as_bytes())
            .map_err(|_| invalid("must be an object with distinct member names"))?;
        let (mut certificate, mut key) = (None, None);
        for (name, value) in methods.members() {
            let text = parse_string(value);
            match name {
                CERTIFICATE => {
                    let parsed = text.and_then(|text| ClientCertificate::parse_thumbprint(&text));
                    certificate = Some(parsed.ok_or_else(|| {
                        invalid("must have a SHA-256 hash in base64url as x5t#S256")
                    })?);
                }
                KEY if mode != DpopMode::Off => {
                    let parsed = text.and_then(|text| KeyThumbprint::parse(&text));
                    key = Some(parsed.ok_or_else(|| {
                        invalid("must have a SHA-256 thumbprint in base64url as jkt")
                    })?);
                }
                KEY => {
                    return Err(invalid(
                        "names the confirmation method jkt (DPoP), which is not accepted from this issuer",
                    ));
                }
                _ => {
                    return Err(invalid(
                        "names a confirmation method that is not supported; x5t#S256 and jkt are",
                    ));
                }
            }
        }
        if certificate.is_none() && key.is_none() {
            return Err(invalid("must name a confirmation method"));
        }
        Ok(Some(Self { certificate, key }))
    }

    /// Checks the certificate that the sender of the token has proven to possess.
    pub(crate) fn check_certificate(
        &self,
        presented: Option<ClientCertificate>,
    ) -> Result<(), AuthError> {
        let problem = match (self.certificate, presented) {
            (None, _) => return Ok(()),
            (Some(bound), Some(certificate)) if certificate == bound => return Ok(()),
            (Some(_), Some(_)) => CertificateProblem::Different,
            (Some(_), None) => CertificateProblem::NotPresented,
        };
        Err(AuthError::CertificateMismatch(problem))
    }

    /// Returns the certificate that the token is bound to.
    pub(crate) fn certificate(&self) -> Option<ClientCertificate> {
        self.certificate
    }

    /// Returns the key that the token is bound to.
    pub(crate) fn key(&self) -> Option<KeyThumbprint> {
        self.key
    }
}
