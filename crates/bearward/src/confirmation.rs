//! The claim `cnf` (RFC 7800): what the sender of a token must prove to possess.

use super::{
    client_certificate::ClientCertificate,
    error::{AuthError, CertificateProblem},
    strict_object::{StrictObject, parse_string},
};

/// The confirmation methods of a token. All of them must be met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Confirmation {
    /// `x5t#S256`: the certificate that the token is bound to (RFC 8705 §3.1).
    certificate: ClientCertificate,
}

/// The name of the only confirmation method that is supported.
const CERTIFICATE: &str = "x5t#S256";

impl Confirmation {
    /// Parses the claim `cnf` of a verified token; `None` if it is absent.
    ///
    /// RFC 7800 §3.1 lets recipients ignore methods that they do not know. They are rejected here:
    /// the token would be accepted with less than its issuer requires.
    pub(crate) fn parse(payload: &StrictObject<'_>) -> Result<Option<Self>, AuthError> {
        let Some(json) = payload.member("cnf") else {
            return Ok(None);
        };
        let invalid = |problem| AuthError::InvalidClaim {
            name: "cnf".into(),
            problem,
        };
        let methods = StrictObject::parse(json.as_bytes())
            .map_err(|_| invalid("must be an object with distinct member names"))?;
        if methods.members().any(|(name, _)| name != CERTIFICATE) {
            return Err(invalid(
                "names a confirmation method that is not supported; x5t#S256 is",
            ));
        }
        let thumbprint = methods
            .member(CERTIFICATE)
            .ok_or_else(|| invalid("must name a confirmation method"))?;
        let certificate = parse_string(thumbprint)
            .and_then(|thumbprint| ClientCertificate::parse_thumbprint(&thumbprint))
            .ok_or_else(|| invalid("must have a SHA-256 hash in base64url as x5t#S256"))?;
        Ok(Some(Self { certificate }))
    }

    /// Checks what the sender of the token has proven to possess.
    pub(crate) fn check(&self, presented: Option<ClientCertificate>) -> Result<(), AuthError> {
        let problem = match presented {
            Some(certificate) if certificate == self.certificate => return Ok(()),
            Some(_) => CertificateProblem::Different,
            None => CertificateProblem::NotPresented,
        };
        Err(AuthError::CertificateMismatch(problem))
    }

    /// Returns the certificate that the token is bound to.
    pub(crate) fn certificate(&self) -> ClientCertificate {
        self.certificate
    }
}
