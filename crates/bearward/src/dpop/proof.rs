//! Parsing of a proof (RFC 9449 §4.2). Nothing is verified here.

use std::borrow::Cow;

use super::ProofError;
use crate::{
    algorithm::Algorithm,
    claims_validation::date,
    clock::Timestamp,
    error::AuthError,
    jws::{CompactJws, UnverifiedJws},
    strict_object::{StrictObject, parse_string},
};

/// The maximum length of a proof, in bytes: enough for RSA keys of 8192 bits.
pub(super) const MAX_BYTES: usize = 8192;

/// The maximum length of `jti`, in bytes.
const MAX_JTI_BYTES: usize = 256;

/// The value of `typ`.
pub(super) const TYP: &str = "dpop+jwt";

/// A decoded proof.
pub(super) struct DecodedProof<'p>(CompactJws<'p>);

/// The members of a proof.
pub(super) struct UnverifiedProof<'d> {
    pub(super) jws: UnverifiedJws<'d>,
    pub(super) algorithm: Algorithm,
    pub(super) jwk: StrictObject<'d>,
    pub(super) jti: Cow<'d, str>,
    pub(super) htm: Cow<'d, str>,
    pub(super) htu: Cow<'d, str>,
    pub(super) issued_at: Timestamp,
    pub(super) ath: Option<Cow<'d, str>>,
    pub(super) nonce: Option<Cow<'d, str>>,
}

impl<'p> DecodedProof<'p> {
    /// Decodes the three parts of a proof.
    pub(super) fn decode(text: &'p str) -> Result<Self, ProofError> {
        if text.len() > MAX_BYTES {
            return Err(ProofError::TooLong { limit: MAX_BYTES });
        }
        CompactJws::decode(text)
            .map(Self)
            .map_err(|_| ProofError::Malformed)
    }

    /// Parses the header and the claims.
    pub(super) fn parse(&self) -> Result<UnverifiedProof<'_>, ProofError> {
        let (header, jws) = self.0.parse_header_members().map_err(|error| match error {
            AuthError::AlgorithmNotAllowed { .. } => ProofError::Algorithm,
            _ => ProofError::Malformed,
        })?;
        if jws.header.typ.as_deref() != Some(TYP) {
            return Err(ProofError::Type);
        }
        let jwk = header
            .member("jwk")
            .and_then(|jwk| StrictObject::parse(jwk.as_bytes()).ok())
            .ok_or(ProofError::Key(crate::keys::IgnoreReason::Malformed))?;
        let payload = StrictObject::parse(jws.payload).map_err(|_| ProofError::Malformed)?;
        let text = |name| match payload.member(name).map(parse_string) {
            None => Ok(None),
            Some(Some(text)) if !text.is_empty() => Ok(Some(text)),
            Some(_) => Err(ProofError::Claim(name)),
        };
        let required = |name| text(name)?.ok_or(ProofError::Claim(name));
        let jti = required("jti")?;
        if jti.len() > MAX_JTI_BYTES {
            return Err(ProofError::Claim("jti"));
        }
        let issued_at = date(&payload, "iat").map_err(|_| ProofError::Claim("iat"))?;
        Ok(UnverifiedProof {
            algorithm: jws.header.algorithm,
            jti,
            htm: required("htm")?,
            htu: required("htu")?,
            issued_at: issued_at.ok_or(ProofError::Claim("iat"))?,
            ath: text("ath")?,
            nonce: text("nonce")?,
            jwk,
            jws,
        })
    }
}
