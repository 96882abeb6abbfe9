//! Parsing of JWK Sets (RFC 7517 §5), key by key: the usable keys, and why the others are ignored.
//!
//! Hand-written because `jsonwebtoken`'s `Jwk` ignores a private `d` and checks neither key sizes,
//! exponents nor curves.

use std::{borrow::Cow, collections::HashMap, fmt};

use serde_json::value::RawValue;

use super::key::VerificationKey;
use crate::{
    algorithm::Algorithm,
    error::SanitizedText,
    jws::MAX_KID_BYTES,
    strict_object::{StrictObject, string, strings},
};

/// How many ignored keys an error message lists.
const MAX_LISTED: usize = 5;

/// The usable keys of a JWK Set.
#[derive(Debug, Default)]
pub struct ParsedJwks {
    keys: Vec<VerificationKey>,
    by_kid: HashMap<Box<str>, Vec<usize>, foldhash::fast::RandomState>,
}

/// The result of [`ParsedJwks::find`].
#[derive(Debug)]
pub enum KeyLookup<'a> {
    /// The matching key.
    One(&'a VerificationKey),
    /// No key matches.
    Missing,
    /// The token has no `kid` and more than one key matches.
    Ambiguous,
}

/// A member of the `keys` array that is not used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IgnoredKey {
    /// The key id, cut to 120 characters, if it has one.
    pub kid: Option<SanitizedText>,
    /// The reason.
    pub reason: IgnoreReason,
}

/// Why a key is not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum IgnoreReason {
    /// Not an object, a duplicate member, or a member of the wrong type.
    #[error("malformed")]
    Malformed,
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
    /// A key type that is not RSA, EC or OKP.
    #[error("unsupported kty")]
    KeyType,
    /// A curve that is not P-256, P-384 or Ed25519.
    #[error("unsupported crv (supported: P-256, P-384, Ed25519)")]
    Curve,
    /// `alg` is unknown, or does not match the key type.
    #[error("alg is unknown or does not match kty")]
    Algorithm,
    /// `alg` is not among the issuer's configured algorithms.
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
    /// Another key of the set has the same `kid` and algorithm; neither is used.
    #[error("another key of the set has the same kid and algorithm")]
    DuplicateKid,
}

/// Why a document is not a usable JWK Set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JwksError {
    /// Not a JSON object.
    #[error("not a JSON object")]
    NotJson,
    /// No `keys` array.
    #[error("no array \"keys\"")]
    NotJwks,
    /// More keys than the limit.
    #[error("{found} keys, but the limit is {limit}")]
    TooManyKeys {
        /// The number of keys in the document.
        found: usize,
        /// The maximum.
        limit: usize,
    },
    /// No key is usable; the keys with the reasons. Empty if the set has no keys, as in a Supabase
    /// project that signs with an HS256 secret.
    #[error("no usable key{}", describe_ignored(.0))]
    NoUsableKey(Vec<IgnoredKey>),
}

impl ParsedJwks {
    /// Parses a JWK Set. Returns the usable keys and the ignored ones.
    ///
    /// `algorithms` are the issuer's algorithms: a key without `alg` is bound to the first of them
    /// that matches its type.
    ///
    /// # Errors
    /// [`JwksError`]: the document is not a JWK Set, has more than `max_keys` keys, or has no usable
    /// key. A single malformed key is not an error.
    pub fn parse(
        document: &[u8],
        algorithms: &[Algorithm],
        max_keys: usize,
    ) -> Result<(Self, Vec<IgnoredKey>), JwksError> {
        let object = StrictObject::parse(document).map_err(|_| JwksError::NotJson)?;
        let array = object.member("keys").ok_or(JwksError::NotJwks)?;
        let entries: Vec<&RawValue> =
            serde_json::from_str(array).map_err(|_| JwksError::NotJwks)?;
        if entries.len() > max_keys {
            return Err(JwksError::TooManyKeys {
                found: entries.len(),
                limit: max_keys,
            });
        }
        let mut keys = Vec::with_capacity(entries.len());
        let mut ignored = Vec::new();
        for entry in entries {
            match parse_entry(entry.get(), algorithms) {
                Ok(key) => keys.push(key),
                Err(key) => ignored.push(key),
            }
        }
        let is_duplicate: Vec<bool> = keys
            .iter()
            .map(|key: &VerificationKey| {
                let same = keys.iter().filter(|other| same_kid_and_alg(key, other));
                key.kid().is_some() && same.count() > 1
            })
            .collect();
        let mut is_duplicate = is_duplicate.into_iter();
        keys.retain(|key| {
            let is_duplicate = is_duplicate.next().unwrap_or(false);
            if is_duplicate {
                ignored.push(IgnoredKey {
                    kid: key.kid().map(SanitizedText::new),
                    reason: IgnoreReason::DuplicateKid,
                });
            }
            !is_duplicate
        });
        if keys.is_empty() {
            Err(JwksError::NoUsableKey(ignored))
        } else {
            Ok((Self::new(keys), ignored))
        }
    }

    fn new(keys: Vec<VerificationKey>) -> Self {
        let mut by_kid: HashMap<Box<str>, Vec<usize>, _> = HashMap::default();
        for (index, key) in keys.iter().enumerate() {
            if let Some(kid) = key.kid() {
                by_kid.entry(kid.into()).or_default().push(index);
            }
        }
        Self { keys, by_kid }
    }

    /// Returns the key for a token's `kid` and `alg`; without `kid`, the only key for `alg`.
    pub fn find(&self, kid: Option<&str>, algorithm: Algorithm) -> KeyLookup<'_> {
        let Some(kid) = kid else {
            let mut matching = self.keys.iter().filter(|key| key.algorithm() == algorithm);
            return match (matching.next(), matching.next()) {
                (Some(key), None) => KeyLookup::One(key),
                (None, _) => KeyLookup::Missing,
                (Some(_), Some(_)) => KeyLookup::Ambiguous,
            };
        };
        let indices = self.by_kid.get(kid).map_or(&[][..], Vec::as_slice);
        let mut candidates = indices.iter().filter_map(|&index| self.keys.get(index));
        candidates
            .find(|key| key.algorithm() == algorithm)
            .map_or(KeyLookup::Missing, KeyLookup::One)
    }

    /// Returns the number of usable keys.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there are no keys, as before the first fetch.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Iterates over the usable keys in the order of the document.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &VerificationKey> {
        self.keys.iter()
    }

    /// Iterates over the key ids of the usable keys.
    pub fn kids(&self) -> impl ExactSizeIterator<Item = Option<&str>> {
        self.keys.iter().map(VerificationKey::kid)
    }

    /// Whether both contain the same keys. The order is ignored, because some identity providers
    /// return a different order in each response.
    #[cfg(feature = "remote")]
    pub(crate) fn eq_ignoring_order(&self, other: &Self) -> bool {
        // In both directions: a set may contain a key without kid twice.
        let contains =
            |set: &Self, key: &VerificationKey| set.iter().any(|other| key.is_same_key(other));
        self.len() == other.len()
            && self.iter().all(|key| contains(other, key))
            && other.iter().all(|key| contains(self, key))
    }
}

impl fmt::Display for IgnoredKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kid {
            Some(kid) => write!(f, "{kid}: {}", self.reason),
            None => write!(f, "key without kid: {}", self.reason),
        }
    }
}

fn describe_ignored(ignored: &[IgnoredKey]) -> String {
    if ignored.is_empty() {
        return ": the key set is empty. A Supabase project that signs with an HS256 secret publishes an empty set; \
                switch it to asymmetric signing keys (Project settings, JWT signing keys)"
            .to_owned();
    }
    let keys: Vec<String> = ignored
        .iter()
        .take(MAX_LISTED)
        .map(ToString::to_string)
        .collect();
    format!(" ({})", keys.join("; "))
}

fn same_kid_and_alg(one: &VerificationKey, other: &VerificationKey) -> bool {
    one.kid() == other.kid() && one.algorithm() == other.algorithm()
}

/// Parses one member of `keys`. Unknown members of it are ignored (RFC 7517 §4).
fn parse_entry(json: &str, algorithms: &[Algorithm]) -> Result<VerificationKey, IgnoredKey> {
    let Ok(jwk) = StrictObject::parse(json.as_bytes()) else {
        return Err(IgnoredKey {
            kid: None,
            reason: IgnoreReason::Malformed,
        });
    };
    let kid = jwk.member("kid").and_then(string);
    parse_jwk(&jwk, algorithms).map_err(|reason| IgnoredKey {
        kid: kid.as_deref().map(SanitizedText::new),
        reason,
    })
}

fn parse_jwk(
    jwk: &StrictObject<'_>,
    algorithms: &[Algorithm],
) -> Result<VerificationKey, IgnoreReason> {
    let text = |name: &str| {
        jwk.member(name)
            .map(|json| string(json).ok_or(IgnoreReason::Malformed))
            .transpose()
    };
    let kty = text("kty")?.ok_or(IgnoreReason::Malformed)?;
    if kty == "oct" || jwk.member("k").is_some() {
        return Err(IgnoreReason::Symmetric);
    }
    if ["d", "p", "q", "dp", "dq", "qi", "oth", "priv"]
        .into_iter()
        .any(|name| jwk.member(name).is_some())
    {
        return Err(IgnoreReason::Private);
    }
    if text("use")?.is_some_and(|purpose| purpose != "sig") {
        return Err(IgnoreReason::Use);
    }
    if let Some(operations) = jwk.member("key_ops") {
        let operations = strings(operations).ok_or(IgnoreReason::Malformed)?;
        if !operations.iter().any(|operation| operation == "verify") {
            return Err(IgnoreReason::KeyOps);
        }
    }
    let kid: Option<Box<str>> = text("kid")?.map(|kid| kid.as_ref().into());
    if kid.as_deref().is_some_and(|kid| kid.len() > MAX_KID_BYTES) {
        return Err(IgnoreReason::Malformed);
    }
    let alg = text("alg")?;
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
            let algorithm = bind_algorithm(alg, &RSA, algorithms)?;
            let (n, e) = (decode_uint(jwk, "n")?, decode_uint(jwk, "e")?);
            check_rsa(&n, &e)?;
            VerificationKey::rsa(kid, algorithm, &n, &e).map_err(|_| IgnoreReason::Malformed)
        }
        "EC" => {
            let (curve, length) = match text("crv")?.as_deref() {
                Some("P-256") => (Algorithm::ES256, 32),
                Some("P-384") => (Algorithm::ES384, 48),
                _ => return Err(IgnoreReason::Curve),
            };
            let algorithm = bind_algorithm(alg, &[curve], algorithms)?;
            let mut point = vec![4];
            for name in ["x", "y"] {
                point.extend(decode_coordinate(jwk, name, length)?);
            }
            VerificationKey::elliptic(kid, algorithm, &point).map_err(|_| IgnoreReason::Point)
        }
        "OKP" => {
            if text("crv")?.as_deref() != Some("Ed25519") {
                return Err(IgnoreReason::Curve);
            }
            // The fully specified name of the same algorithm (RFC 9864 §2.2).
            let alg = alg.map(|alg| {
                if alg == "Ed25519" {
                    Cow::Borrowed("EdDSA")
                } else {
                    alg
                }
            });
            let algorithm = bind_algorithm(alg, &[Algorithm::EdDSA], algorithms)?;
            let point = decode_base64url(jwk, "x")?;
            if point.len() != 32 {
                return Err(IgnoreReason::Point);
            }
            VerificationKey::elliptic(kid, algorithm, &point).map_err(|_| IgnoreReason::Point)
        }
        _ => Err(IgnoreReason::KeyType),
    }
}

/// Binds a key to one algorithm: its own `alg`, or the first of the issuer's algorithms that matches
/// its type.
fn bind_algorithm(
    alg: Option<Cow<'_, str>>,
    supported: &[Algorithm],
    configured: &[Algorithm],
) -> Result<Algorithm, IgnoreReason> {
    let Some(alg) = alg else {
        return configured
            .iter()
            .copied()
            .find(|algorithm| supported.contains(algorithm))
            .ok_or(IgnoreReason::NotListed);
    };
    let algorithm: Algorithm = alg.parse().map_err(|_| IgnoreReason::Algorithm)?;
    if !supported.contains(&algorithm) {
        return Err(IgnoreReason::Algorithm);
    }
    if !configured.contains(&algorithm) {
        return Err(IgnoreReason::NotListed);
    }
    Ok(algorithm)
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
        return Err(IgnoreReason::Malformed);
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
fn decode_uint(jwk: &StrictObject<'_>, name: &str) -> Result<Vec<u8>, IgnoreReason> {
    let bytes = decode_base64url(jwk, name)?;
    let zeros = bytes.iter().take_while(|&&byte| byte == 0).count();
    Ok(bytes[zeros..].to_vec())
}

/// Decodes a coordinate (RFC 7518 §6.2.1.2) and pads it to the length of the curve. Some issuers,
/// Supabase projects among them, omit leading zero bytes; the number is the same, and the point is
/// checked to be on the curve. A coordinate that is too long is rejected.
fn decode_coordinate(
    jwk: &StrictObject<'_>,
    name: &str,
    length: usize,
) -> Result<Vec<u8>, IgnoreReason> {
    let bytes = decode_base64url(jwk, name)?;
    let missing = length
        .checked_sub(bytes.len())
        .filter(|_| !bytes.is_empty())
        .ok_or(IgnoreReason::Point)?;
    Ok([vec![0; missing], bytes].concat())
}

fn decode_base64url(jwk: &StrictObject<'_>, name: &str) -> Result<Vec<u8>, IgnoreReason> {
    let text = jwk
        .member(name)
        .and_then(string)
        .ok_or(IgnoreReason::Malformed)?;
    base64_simd::URL_SAFE_NO_PAD
        .decode_to_vec(text.as_bytes())
        .map_err(|_| IgnoreReason::Malformed)
}
