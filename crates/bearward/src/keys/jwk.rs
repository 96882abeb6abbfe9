//! Parsing of one JWK (RFC 7517 §4): the verification key, or the reason why it is ignored.
//!
//! Hand-written because `jsonwebtoken`'s `Jwk` ignores a private `d` and checks neither key sizes,
//! exponents nor curves.

use std::{borrow::Cow, fmt};

use super::key::VerificationKey;
use crate::{
    algorithm::Algorithm,
    error::SanitizedText,
    jws::MAX_KID_BYTES,
    strict_object::{StrictObject, string, strings},
};

/// A member of the `keys` array that is not used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IgnoredKey {
    /// The key id, cut to 120 characters, if it has one.
    pub kid: Option<SanitizedText>,
    /// The reason.
    pub reason: IgnoreReason,
}

/// Why a key is not used. A member with the value `null` counts as absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum IgnoreReason {
    /// Not an object, or a duplicate member.
    #[error("malformed: not a JSON object with distinct member names")]
    Malformed,
    /// A member that the key type requires is absent.
    #[error("malformed: the member {0:?} is missing")]
    MissingMember(&'static str),
    /// A member has the wrong type, is too long, or is not base64url.
    #[error("malformed: the member {0:?} is invalid")]
    InvalidMember(&'static str),
    /// A symmetric key (`oct`), which must not be published.
    #[error("symmetric key (oct)")]
    Symmetric,
    /// The key contains private key parameters.
    #[error("contains private key parameters; rotate this key immediately")]
    Private,
    /// `use` is present and not `sig` (RFC 7517 §4.2).
    #[error("use is not \"sig\"")]
    Use,
    /// `key_ops` is present and does not contain `verify` (RFC 7517 §4.3).
    #[error("key_ops does not contain \"verify\"")]
    KeyOps,
    /// `key_ops` contains a value more than once (RFC 7517 §4.3).
    #[error("key_ops contains a value more than once (RFC 7517 §4.3)")]
    DuplicateKeyOps,
    /// A key type that is not RSA, EC or OKP.
    #[error("unsupported kty")]
    KeyType,
    /// A curve that is not P-256, P-384, P-521 or Ed25519.
    #[error("unsupported crv (supported: P-256, P-384, P-521, Ed25519)")]
    Curve,
    /// `alg` is unknown, or does not match the key type.
    #[error("alg is unknown or does not match kty")]
    Algorithm,
    /// `alg` is not among the issuer's configured algorithms; without `alg`, no algorithm of the key
    /// type is.
    #[error("alg is not among the issuer's algorithms")]
    NotListed,
    /// An RSA modulus of less than 2048 or more than 8192 bits (RFC 7518 §3.3).
    #[error("RSA modulus of less than 2048 or more than 8192 bits")]
    Size,
    /// An RSA exponent that is even, less than 3, or longer than 33 bits, which makes verification
    /// slow.
    #[error("RSA exponent that is even, less than 3 or longer than 33 bits")]
    Exponent,
    /// A coordinate of the wrong length, a point that is not on the curve, or a point of small order.
    #[error("invalid curve point")]
    Point,
    /// Three later keys of the set have the same `kid` and algorithm. At most three are tried.
    #[error("three later keys of the set have the same kid and algorithm")]
    DuplicateKid,
}

impl fmt::Display for IgnoredKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kid {
            Some(kid) => write!(f, "{kid}: {}", self.reason),
            None => write!(f, "key without kid: {}", self.reason),
        }
    }
}

/// Parses one member of `keys`. Unknown members of it are ignored (RFC 7517 §4).
pub(super) fn parse_entry(
    json: &str,
    algorithms: &[Algorithm],
) -> Result<VerificationKey, IgnoredKey> {
    let Ok(jwk) = StrictObject::parse(json.as_bytes()) else {
        return Err(IgnoredKey {
            kid: None,
            reason: IgnoreReason::Malformed,
        });
    };
    let kid = jwk.member("kid").and_then(string);
    parse_public_jwk(&jwk, algorithms).map_err(|reason| IgnoredKey {
        kid: kid.as_deref().map(SanitizedText::new),
        reason,
    })
}

/// Parses a public key for the `listed` algorithms.
pub(crate) fn parse_public_jwk(
    jwk: &StrictObject<'_>,
    listed: &[Algorithm],
) -> Result<VerificationKey, IgnoreReason> {
    let kty = required_text(jwk, "kty")?;
    // `k` has no meaning for other key types, and unknown members are ignored.
    if kty == "oct" {
        return Err(IgnoreReason::Symmetric);
    }
    if ["d", "p", "q", "dp", "dq", "qi", "oth", "priv"]
        .into_iter()
        .any(|name| present(jwk, name).is_some())
    {
        return Err(IgnoreReason::Private);
    }
    if text(jwk, "use")?.is_some_and(|purpose| purpose != "sig") {
        return Err(IgnoreReason::Use);
    }
    check_key_ops(jwk)?;
    let kid: Option<Box<str>> = text(jwk, "kid")?.map(|kid| kid.as_ref().into());
    if kid.as_deref().is_some_and(|kid| kid.len() > MAX_KID_BYTES) {
        return Err(IgnoreReason::InvalidMember("kid"));
    }
    match kty.as_ref() {
        "RSA" => {
            const RSA: [Algorithm; 6] = [
                Algorithm::RS256,
                Algorithm::RS384,
                Algorithm::RS512,
                Algorithm::PS256,
                Algorithm::PS384,
                Algorithm::PS512,
            ];
            let algorithms = served_algorithms(jwk, &RSA, listed)?;
            let (n, e) = (decode_uint(jwk, "n")?, decode_uint(jwk, "e")?);
            check_rsa(&n, &e)?;
            VerificationKey::rsa(kid, &algorithms, &n, &e)
                .map_err(|_| IgnoreReason::InvalidMember("n"))
        }
        "EC" => {
            let (algorithm, length) = match text(jwk, "crv")?.as_deref() {
                Some("P-256") => (Algorithm::ES256, 32),
                Some("P-384") => (Algorithm::ES384, 48),
                Some("P-521") => (Algorithm::ES512, 66),
                _ => return Err(IgnoreReason::Curve),
            };
            let algorithms = served_algorithms(jwk, &[algorithm], listed)?;
            let mut point = vec![4];
            for name in ["x", "y"] {
                point.extend(decode_coordinate(jwk, name, length)?);
            }
            VerificationKey::elliptic(kid, &algorithms, &point).map_err(|_| IgnoreReason::Point)
        }
        "OKP" => {
            if text(jwk, "crv")?.as_deref() != Some("Ed25519") {
                return Err(IgnoreReason::Curve);
            }
            let algorithms = served_algorithms(jwk, &[Algorithm::EdDSA], listed)?;
            let point = decode(jwk, "x")?;
            if point.len() != 32 {
                return Err(IgnoreReason::Point);
            }
            VerificationKey::elliptic(kid, &algorithms, &point).map_err(|_| IgnoreReason::Point)
        }
        _ => Err(IgnoreReason::KeyType),
    }
}

/// Returns the JSON text of a member that is present and not null.
fn present<'a>(jwk: &StrictObject<'a>, name: &str) -> Option<&'a str> {
    jwk.member(name).filter(|json| *json != "null")
}

fn text<'a>(
    jwk: &StrictObject<'a>,
    name: &'static str,
) -> Result<Option<Cow<'a, str>>, IgnoreReason> {
    present(jwk, name)
        .map(|json| string(json).ok_or(IgnoreReason::InvalidMember(name)))
        .transpose()
}

fn required_text<'a>(
    jwk: &StrictObject<'a>,
    name: &'static str,
) -> Result<Cow<'a, str>, IgnoreReason> {
    text(jwk, name)?.ok_or(IgnoreReason::MissingMember(name))
}

fn check_key_ops(jwk: &StrictObject<'_>) -> Result<(), IgnoreReason> {
    let Some(json) = present(jwk, "key_ops") else {
        return Ok(());
    };
    let operations = strings(json).ok_or(IgnoreReason::InvalidMember("key_ops"))?;
    if !operations.iter().any(|operation| operation == "verify") {
        return Err(IgnoreReason::KeyOps);
    }
    let is_duplicate =
        |(index, operation): (usize, &Cow<'_, str>)| operations[..index].contains(operation);
    if operations.iter().enumerate().any(is_duplicate) {
        return Err(IgnoreReason::DuplicateKeyOps);
    }
    Ok(())
}

/// Returns the algorithms that a key serves: its own `alg`, or without `alg` every listed algorithm
/// of its type.
fn served_algorithms(
    jwk: &StrictObject<'_>,
    family: &[Algorithm],
    listed: &[Algorithm],
) -> Result<Vec<Algorithm>, IgnoreReason> {
    let served = match text(jwk, "alg")? {
        Some(alg) => {
            let algorithm = alg.parse().map_err(|_| IgnoreReason::Algorithm)?;
            if !family.contains(&algorithm) {
                return Err(IgnoreReason::Algorithm);
            }
            vec![algorithm]
        }
        None => family.to_vec(),
    };
    let served: Vec<_> = served
        .into_iter()
        .filter(|algorithm| listed.contains(algorithm))
        .collect();
    if served.is_empty() {
        Err(IgnoreReason::NotListed)
    } else {
        Ok(served)
    }
}

fn check_rsa(n: &[u8], e: &[u8]) -> Result<(), IgnoreReason> {
    let bits = |number: &[u8]| {
        number.len() * 8
            - number
                .first()
                .map_or(0, |first| first.leading_zeros() as usize)
    };
    let is_odd = |number: &[u8]| number.last().is_some_and(|last| last % 2 == 1);
    if !(2048..=8192).contains(&bits(n)) {
        return Err(IgnoreReason::Size);
    }
    if !is_odd(n) {
        return Err(IgnoreReason::InvalidMember("n"));
    }
    // The cryptographic library accepts a longer exponent, but then verifies no signature.
    if is_odd(e) && (2..=33).contains(&bits(e)) {
        Ok(())
    } else {
        Err(IgnoreReason::Exponent)
    }
}

/// Decodes a `Base64urlUInt` (RFC 7518 §2). Leading zero bytes, which some issuers write, are
/// removed.
fn decode_uint(jwk: &StrictObject<'_>, name: &'static str) -> Result<Vec<u8>, IgnoreReason> {
    let bytes = decode(jwk, name)?;
    let zeros = bytes.iter().take_while(|&&byte| byte == 0).count();
    Ok(bytes[zeros..].to_vec())
}

/// Decodes a coordinate (RFC 7518 §6.2.1.2) and pads it to the length of the curve. Some issuers,
/// Supabase projects among them, omit leading zero bytes; the number is the same, and the point is
/// checked to be on the curve. A coordinate that is too long is rejected.
fn decode_coordinate(
    jwk: &StrictObject<'_>,
    name: &'static str,
    length: usize,
) -> Result<Vec<u8>, IgnoreReason> {
    let bytes = decode(jwk, name)?;
    let missing = length
        .checked_sub(bytes.len())
        .filter(|_| !bytes.is_empty())
        .ok_or(IgnoreReason::Point)?;
    Ok([vec![0; missing], bytes].concat())
}

/// Decodes key material. Padding and the standard alphabet, which some issuers write, are accepted
/// in place of base64url without padding (RFC 7515 §2): the bytes are the same.
fn decode(jwk: &StrictObject<'_>, name: &'static str) -> Result<Vec<u8>, IgnoreReason> {
    let text = required_text(jwk, name)?;
    let unpadded = text.trim_end_matches('=');
    if text.len() - unpadded.len() > 2 {
        return Err(IgnoreReason::InvalidMember(name));
    }
    let base64url = unpadded.replace('+', "-").replace('/', "_");
    base64_simd::URL_SAFE_NO_PAD
        .decode_to_vec(base64url.as_bytes())
        .map_err(|_| IgnoreReason::InvalidMember(name))
}
