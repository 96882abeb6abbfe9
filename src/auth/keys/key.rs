//! One public key, parsed once and bound to one algorithm.

use aws_lc_rs::signature::{self, ParsedPublicKey, RsaPublicKeyComponents, VerificationAlgorithm};

use crate::auth::algorithm::Algorithm;

/// A usable public key. It verifies with its own algorithm alone, whatever a token's header says.
#[derive(Debug)]
pub struct Key {
    kid: Option<Box<str>>,
    algorithm: Algorithm,
    public: ParsedPublicKey,
}

/// The primitive refused the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unusable;

impl Key {
    pub(super) fn rsa(kid: Option<Box<str>>, algorithm: Algorithm, n: &[u8], e: &[u8]) -> Result<Self, Unusable> {
        let parameters = match algorithm {
            Algorithm::RS256 => &signature::RSA_PKCS1_2048_8192_SHA256,
            Algorithm::RS384 => &signature::RSA_PKCS1_2048_8192_SHA384,
            Algorithm::RS512 => &signature::RSA_PKCS1_2048_8192_SHA512,
            Algorithm::PS256 => &signature::RSA_PSS_2048_8192_SHA256,
            Algorithm::PS384 => &signature::RSA_PSS_2048_8192_SHA384,
            Algorithm::PS512 => &signature::RSA_PSS_2048_8192_SHA512,
            Algorithm::ES256 | Algorithm::ES384 | Algorithm::EdDSA => return Err(Unusable),
        };
        let public = RsaPublicKeyComponents { n, e }.to_parsed_public_key(parameters).map_err(|_| Unusable)?;
        Ok(Self { kid, algorithm, public })
    }

    /// `point` is an uncompressed point for ECDSA, 32 bytes for Ed25519.
    pub(super) fn curve(kid: Option<Box<str>>, algorithm: Algorithm, point: &[u8]) -> Result<Self, Unusable> {
        // FIXED is RFC 7518 §3.4's form: r and s, each as long as the curve's order. The DER form does not parse as one.
        let parameters: &'static dyn VerificationAlgorithm = match algorithm {
            Algorithm::ES256 => &signature::ECDSA_P256_SHA256_FIXED,
            Algorithm::ES384 => &signature::ECDSA_P384_SHA384_FIXED,
            Algorithm::EdDSA => &signature::ED25519,
            _ => return Err(Unusable),
        };
        let public = ParsedPublicKey::new(parameters, point).map_err(|_| Unusable)?;
        Ok(Self { kid, algorithm, public })
    }

    /// The key id, when the set gives one.
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The one algorithm that it serves.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Whether `signature` is this key's over exactly `signed`.
    pub(crate) fn verifies(&self, signed: &[u8], signature: &[u8]) -> bool {
        self.public.verify_sig(signed, signature).is_ok()
    }

    /// Same id, same algorithm, same public key.
    pub(super) fn same_as(&self, other: &Self) -> bool {
        self.kid == other.kid && self.algorithm == other.algorithm && self.public.as_ref() == other.public.as_ref()
    }
}
