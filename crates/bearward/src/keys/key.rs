//! A verification key: a public key, parsed once and bound to its algorithms.

use aws_lc_rs::signature::{
    self, ParsedPublicKey, RsaParameters, RsaPublicKeyComponents, VerificationAlgorithm,
};

use super::roca;
use crate::algorithm::Algorithm;

/// A usable public key. It verifies signatures of its own algorithms only, independent of the
/// token's header (RFC 8725 §3.1).
#[derive(Debug)]
pub struct VerificationKey {
    kid: Option<Box<str>>,
    /// The public key, parsed for each algorithm that it serves. Never empty.
    bindings: Vec<Binding>,
    has_roca_fingerprint: bool,
}

/// A public key that is parsed for one algorithm.
#[derive(Debug)]
struct Binding {
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
        algorithms: &[Algorithm],
        n: &[u8],
        e: &[u8],
    ) -> Result<Self, KeyRejected> {
        let parse = |algorithm| {
            RsaPublicKeyComponents { n, e }
                .to_parsed_public_key(rsa_parameters(algorithm)?)
                .ok()
        };
        Ok(Self {
            has_roca_fingerprint: roca::has_fingerprint(n),
            ..Self::new(kid, algorithms, parse)?
        })
    }

    /// `point` is an uncompressed point for ECDSA, 32 bytes for Ed25519.
    pub(super) fn elliptic(
        kid: Option<Box<str>>,
        algorithms: &[Algorithm],
        point: &[u8],
    ) -> Result<Self, KeyRejected> {
        let parse = |algorithm| {
            if algorithm == Algorithm::EdDSA && has_small_order(point) {
                return None;
            }
            ParsedPublicKey::new(elliptic_parameters(algorithm)?, point).ok()
        };
        Self::new(kid, algorithms, parse)
    }

    fn new(
        kid: Option<Box<str>>,
        algorithms: &[Algorithm],
        parse: impl Fn(Algorithm) -> Option<ParsedPublicKey>,
    ) -> Result<Self, KeyRejected> {
        let bind = |&algorithm: &Algorithm| {
            let public = parse(algorithm)?;
            Some(Binding { algorithm, public })
        };
        let bindings: Option<Vec<_>> = algorithms.iter().map(bind).collect();
        Ok(Self {
            kid,
            bindings: bindings
                .filter(|bindings| !bindings.is_empty())
                .ok_or(KeyRejected)?,
            has_roca_fingerprint: false,
        })
    }

    /// Returns the key id, if the set has one.
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// Iterates over the algorithms that the key is bound to: its `alg`, or without `alg` every
    /// listed algorithm of its type.
    pub fn algorithms(&self) -> impl Iterator<Item = Algorithm> {
        self.bindings.iter().map(|binding| binding.algorithm)
    }

    /// Returns whether the RSA modulus has the fingerprint of keys that a vulnerable library
    /// generated (ROCA, CVE-2017-15361). The private key of such a key can be computed.
    pub fn has_roca_fingerprint(&self) -> bool {
        self.has_roca_fingerprint
    }

    /// Whether `signature` is a valid signature of `signed` by this key with this algorithm.
    pub(crate) fn verifies(&self, algorithm: Algorithm, signed: &[u8], signature: &[u8]) -> bool {
        #[cfg(test)]
        SIGNATURE_CHECKS.set(SIGNATURE_CHECKS.get() + 1);
        self.bindings
            .iter()
            .find(|binding| binding.algorithm == algorithm)
            .is_some_and(|binding| binding.public.verify_sig(signed, signature).is_ok())
    }

    /// Whether the public keys are equal.
    pub(super) fn has_same_public_key(&self, other: &Self) -> bool {
        let (Some(one), Some(other)) = (self.bindings.first(), other.bindings.first()) else {
            return false;
        };
        one.public.as_ref() == other.public.as_ref()
    }

    /// Whether key id, algorithms and public key are equal.
    #[cfg(feature = "remote")]
    pub(super) fn is_same_key(&self, other: &Self) -> bool {
        self.kid == other.kid
            && self.bindings.len() == other.bindings.len()
            && self
                .algorithms()
                .all(|algorithm| other.algorithms().any(|other| other == algorithm))
            && self.has_same_public_key(other)
    }

    /// Adds the algorithms of another entry of the set with the same public key.
    pub(super) fn merge(&mut self, other: Self) {
        for binding in other.bindings {
            if !self.algorithms().any(|known| known == binding.algorithm) {
                self.bindings.push(binding);
            }
        }
    }

    /// Removes the algorithms that do not satisfy `keep`. Returns whether one is left.
    pub(super) fn retain_algorithms(&mut self, keep: impl Fn(Algorithm) -> bool) -> bool {
        self.bindings.retain(|binding| keep(binding.algorithm));
        !self.bindings.is_empty()
    }
}

#[cfg(test)]
thread_local! {
    /// The number of signature checks of this thread, for tests of the cost of invalid tokens.
    pub(crate) static SIGNATURE_CHECKS: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

fn rsa_parameters(algorithm: Algorithm) -> Option<&'static RsaParameters> {
    match algorithm {
        Algorithm::RS256 => Some(&signature::RSA_PKCS1_2048_8192_SHA256),
        Algorithm::RS384 => Some(&signature::RSA_PKCS1_2048_8192_SHA384),
        Algorithm::RS512 => Some(&signature::RSA_PKCS1_2048_8192_SHA512),
        Algorithm::PS256 => Some(&signature::RSA_PSS_2048_8192_SHA256),
        Algorithm::PS384 => Some(&signature::RSA_PSS_2048_8192_SHA384),
        Algorithm::PS512 => Some(&signature::RSA_PSS_2048_8192_SHA512),
        Algorithm::ES256 | Algorithm::ES384 | Algorithm::ES512 | Algorithm::EdDSA => None,
    }
}

/// FIXED is the signature format of RFC 7518 §3.4: r and s, each as long as the order of the curve.
/// DER signatures do not verify.
fn elliptic_parameters(algorithm: Algorithm) -> Option<&'static dyn VerificationAlgorithm> {
    match algorithm {
        Algorithm::ES256 => Some(&signature::ECDSA_P256_SHA256_FIXED),
        Algorithm::ES384 => Some(&signature::ECDSA_P384_SHA384_FIXED),
        Algorithm::ES512 => Some(&signature::ECDSA_P521_SHA512_FIXED),
        Algorithm::EdDSA => Some(&signature::ED25519),
        Algorithm::RS256
        | Algorithm::RS384
        | Algorithm::RS512
        | Algorithm::PS256
        | Algorithm::PS384
        | Algorithm::PS512 => None,
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
