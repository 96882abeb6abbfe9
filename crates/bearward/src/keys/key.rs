//! A verification key: a public key, parsed once and bound to one algorithm.

use aws_lc_rs::signature::{self, ParsedPublicKey, RsaPublicKeyComponents, VerificationAlgorithm};

use crate::algorithm::Algorithm;

/// A usable public key. It verifies signatures of its own algorithm only, independent of the token's
/// header (RFC 8725 §3.1).
#[derive(Debug)]
pub struct VerificationKey {
    kid: Option<Box<str>>,
    algorithm: Algorithm,
    public: ParsedPublicKey,
}

/// The cryptographic library rejected the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct KeyRejected;

impl VerificationKey {
    /// `n` and `e` are big-endian without leading zero bytes.
    pub(super) fn rsa(
        kid: Option<Box<str>>,
        algorithm: Algorithm,
        n: &[u8],
        e: &[u8],
    ) -> Result<Self, KeyRejected> {
        let parameters = match algorithm {
            Algorithm::RS256 => &signature::RSA_PKCS1_2048_8192_SHA256,
            Algorithm::RS384 => &signature::RSA_PKCS1_2048_8192_SHA384,
            Algorithm::RS512 => &signature::RSA_PKCS1_2048_8192_SHA512,
            Algorithm::PS256 => &signature::RSA_PSS_2048_8192_SHA256,
            Algorithm::PS384 => &signature::RSA_PSS_2048_8192_SHA384,
            Algorithm::PS512 => &signature::RSA_PSS_2048_8192_SHA512,
            Algorithm::ES256 | Algorithm::ES384 | Algorithm::EdDSA => return Err(KeyRejected),
        };
        let public = RsaPublicKeyComponents { n, e }
            .to_parsed_public_key(parameters)
            .map_err(|_| KeyRejected)?;
        Ok(Self {
            kid,
            algorithm,
            public,
        })
    }

    /// `point` is an uncompressed point for ECDSA, 32 bytes for Ed25519.
    pub(super) fn elliptic(
        kid: Option<Box<str>>,
        algorithm: Algorithm,
        point: &[u8],
    ) -> Result<Self, KeyRejected> {
        // FIXED is the signature format of RFC 7518 §3.4: r and s, each as long as the order of the
        // curve. DER signatures do not verify.
        let parameters: &'static dyn VerificationAlgorithm = match algorithm {
            Algorithm::ES256 => &signature::ECDSA_P256_SHA256_FIXED,
            Algorithm::ES384 => &signature::ECDSA_P384_SHA384_FIXED,
            Algorithm::EdDSA if has_small_order(point) => return Err(KeyRejected),
            Algorithm::EdDSA => &signature::ED25519,
            _ => return Err(KeyRejected),
        };
        let public = ParsedPublicKey::new(parameters, point).map_err(|_| KeyRejected)?;
        Ok(Self {
            kid,
            algorithm,
            public,
        })
    }

    /// Returns the key id, if the set has one.
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// Returns the algorithm that the key is bound to.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Whether `signature` is a valid signature of `signed` by this key.
    pub(crate) fn verifies(&self, signed: &[u8], signature: &[u8]) -> bool {
        self.public.verify_sig(signed, signature).is_ok()
    }

    /// Whether key id, algorithm and public key are equal.
    #[cfg(feature = "remote")]
    pub(super) fn is_same_key(&self, other: &Self) -> bool {
        self.kid == other.kid
            && self.algorithm == other.algorithm
            && self.public.as_ref() == other.public.as_ref()
    }
}

/// Whether an Ed25519 public key is a point of small order. Under such a key, one signature verifies
/// for every message or every eighth message, and anyone can compute it without a private key. The
/// cryptographic library accepts these keys, because RFC 8032 §5.1.7 requires no check.
///
/// There are eight such points, with y of 1, -1, 0 or [`ORDER_EIGHT`]; 0 and 1 have a second,
/// non-canonical encoding, and the sign of x does not matter.
fn has_small_order(point: &[u8]) -> bool {
    const P: u8 = 0xed;
    let Some((&last, rest)) = point.split_last() else {
        return false;
    };
    let (Some((&first, middle)), last) = (rest.split_first(), last & 0x7f) else {
        return false;
    };
    let near_zero = first <= 1 && last == 0 && middle.iter().all(|&byte| byte == 0);
    let near_p =
        (P - 1..=P + 1).contains(&first) && last == 0x7f && middle.iter().all(|&byte| byte == 0xff);
    near_zero
        || near_p
        || ORDER_EIGHT
            .iter()
            .any(|y| rest == &y[..31] && last == y[31])
}

/// The y coordinates of the four points of order 8.
const ORDER_EIGHT: [[u8; 32]; 2] = [
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98,
        0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53,
        0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67,
        0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac,
        0x03, 0x7a,
    ],
];
