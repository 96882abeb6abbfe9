//! A JWK Set read key by key (RFC 7517 §5): what is usable, and why the rest was skipped.

use std::{borrow::Cow, collections::HashMap, fmt};

use serde_json::value::RawValue;

use super::key::VerificationKey;
use crate::{
    algorithm::Algorithm,
    error::SanitizedText,
    strict_object::{StrictObject, string, strings},
};

const MAX_KID: usize = 256;

/// The usable keys of one set.
#[derive(Debug, Default)]
pub struct ParsedJwks {
    keys: Vec<VerificationKey>,
    by_kid: HashMap<Box<str>, Vec<usize>, foldhash::fast::RandomState>,
}

/// What a look-up finds.
#[derive(Debug)]
pub enum KeyLookup<'a> {
    /// The one key that fits.
    One(&'a VerificationKey),
    /// No key fits.
    Missing,
    /// Without a `kid`, more than one key fits.
    Ambiguous,
}

/// A member of `keys` that is not used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IgnoredKey {
    /// Its key id, cut to 120 characters, when it has one.
    pub kid: Option<SanitizedText>,
    /// Why.
    pub reason: IgnoreReason,
}

/// Why a key is not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum IgnoreReason {
    /// Not an object, a member doubled, or one of the wrong type.
    #[error("malformed")]
    Malformed,
    /// A symmetric key has no place in a public set.
    #[error("a symmetric key (oct), which no verifier may hold")]
    Symmetric,
    /// A private key was published.
    #[error("it holds private members: this key is no longer a secret, replace it")]
    Private,
    /// `use` is there and not `sig` (RFC 7517 §4.2).
    #[error("its use is not \"sig\"")]
    Use,
    /// `key_ops` is there and lacks `verify` (RFC 7517 §4.3).
    #[error("its key_ops lack \"verify\"")]
    KeyOps,
    /// A key type that is not RSA, EC or OKP.
    #[error("its kty is unknown")]
    KeyType,
    /// A curve that is not P-256, P-384 or Ed25519.
    #[error("its crv is not P-256, P-384 or Ed25519")]
    Curve,
    /// An `alg` that is unknown, or that does not fit the key's type.
    #[error("its alg is unknown or does not fit its kty")]
    Algorithm,
    /// An `alg` that the issuer's profile does not list.
    #[error("its alg is not in the issuer's list of algorithms")]
    NotListed,
    /// RSA under 2048 or over 8192 bits (RFC 7518 §3.3).
    #[error("RSA of under 2048 or over 8192 bits")]
    Size,
    /// An even exponent, one under 3, or one over 33 bits, which would make every check slow.
    #[error("an RSA exponent that is even, under 3 or over 33 bits")]
    Exponent,
    /// A coordinate of the wrong length, a point off the curve, or one of small order.
    #[error("not a point of its curve that a key can be")]
    Point,
    /// The same `kid` and algorithm as another key of the set: neither is used.
    #[error("another key of the set has the same kid and algorithm")]
    DoubledKid,
}

/// A document that gives no key set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SetError {
    /// Not one JSON object.
    #[error("it is not one JSON object")]
    NotJson,
    /// No `keys` array.
    #[error("it has no array \"keys\"")]
    NotASet,
    /// More keys than the limit.
    #[error("it has {found} keys, and the limit is {limit}")]
    TooManyKeys {
        /// How many it has.
        found: usize,
        /// How many are read.
        limit: usize,
    },
    /// Not one key is usable. An empty set is what a Supabase project with an HS256 secret
    /// publishes.
    #[error("it has no usable key{}", explain(.0))]
    NoUsableKey(Vec<IgnoredKey>),
}

impl ParsedJwks {
    /// Reads a JWK Set, key by key. `listed` are the issuer's algorithms: a key without `alg` is
    /// bound to the first of them that fits its type.
    ///
    /// # Errors
    /// When the document is no set, is too large, or holds no usable key.
    pub fn parse(
        document: &[u8],
        listed: &[Algorithm],
        max_keys: usize,
    ) -> Result<(Self, Vec<IgnoredKey>), SetError> {
        let object = StrictObject::parse(document).map_err(|_| SetError::NotJson)?;
        let array = object.member("keys").ok_or(SetError::NotASet)?;
        let entries: Vec<&RawValue> = serde_json::from_str(array).map_err(|_| SetError::NotASet)?;
        if entries.len() > max_keys {
            return Err(SetError::TooManyKeys {
                found: entries.len(),
                limit: max_keys,
            });
        }
        let mut keys = Vec::with_capacity(entries.len());
        let mut skipped = Vec::new();
        for entry in entries {
            match read(entry.get(), listed) {
                Ok(key) => keys.push(key),
                Err(skip) => skipped.push(skip),
            }
        }
        let doubled = |key: &VerificationKey| {
            keys.iter()
                .filter(|other| same_kid_and_alg(key, other))
                .count()
                > 1
        };
        let clashes: Vec<bool> = keys
            .iter()
            .map(|key| key.kid().is_some() && doubled(key))
            .collect();
        let mut clash = clashes.into_iter();
        keys.retain(|key| {
            let clashes = clash.next().unwrap_or(false);
            if clashes {
                skipped.push(IgnoredKey {
                    kid: key.kid().map(SanitizedText::of),
                    reason: IgnoreReason::DoubledKid,
                });
            }
            !clashes
        });
        if keys.is_empty() {
            Err(SetError::NoUsableKey(skipped))
        } else {
            Ok((Self::of(keys), skipped))
        }
    }

    fn of(keys: Vec<VerificationKey>) -> Self {
        let mut by_kid: HashMap<Box<str>, Vec<usize>, _> = HashMap::default();
        for (index, key) in keys.iter().enumerate() {
            if let Some(kid) = key.kid() {
                by_kid.entry(kid.into()).or_default().push(index);
            }
        }
        Self { keys, by_kid }
    }

    /// The key for a token's `kid` and `alg`; without `kid`, the only key that serves `alg`.
    pub fn find(&self, kid: Option<&str>, algorithm: Algorithm) -> KeyLookup<'_> {
        let Some(kid) = kid else {
            let mut fitting = self.keys.iter().filter(|key| key.algorithm() == algorithm);
            return match (fitting.next(), fitting.next()) {
                (Some(key), None) => KeyLookup::One(key),
                (None, _) => KeyLookup::Missing,
                (Some(_), Some(_)) => KeyLookup::Ambiguous,
            };
        };
        let places = self.by_kid.get(kid).map_or(&[][..], Vec::as_slice);
        let mut candidates = places.iter().filter_map(|&place| self.keys.get(place));
        candidates
            .find(|key| key.algorithm() == algorithm)
            .map_or(KeyLookup::Missing, KeyLookup::One)
    }

    /// How many keys are usable.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether none is; only before the first fetch.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The usable keys, in the order of the set.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &VerificationKey> {
        self.keys.iter()
    }

    /// Their key ids.
    pub fn kids(&self) -> impl ExactSizeIterator<Item = Option<&str>> {
        self.keys.iter().map(VerificationKey::kid)
    }

    /// Whether both hold the same keys, in any order: IdPs publish them in an unstable one.
    #[cfg(feature = "remote")]
    pub(crate) fn eq_ignoring_order(&self, other: &Self) -> bool {
        // Both ways: a set may hold a key without kid twice.
        let holds = |one: &Self, key: &VerificationKey| {
            one.keys.iter().any(|twin| key.eq_ignoring_order(twin))
        };
        self.len() == other.len()
            && self.iter().all(|key| holds(other, key))
            && other.iter().all(|key| holds(self, key))
    }
}

impl fmt::Display for IgnoredKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kid {
            Some(kid) => write!(f, "{kid}: {}", self.reason),
            None => write!(f, "a key without kid: {}", self.reason),
        }
    }
}

fn explain(skipped: &[IgnoredKey]) -> String {
    if skipped.is_empty() {
        return ": it is empty. A Supabase project that still signs with an HS256 secret publishes this; \
                switch it to asymmetric signing keys (Project settings, JWT signing keys)"
            .to_owned();
    }
    let each: Vec<String> = skipped.iter().take(5).map(ToString::to_string).collect();
    format!(" ({})", each.join("; "))
}

fn same_kid_and_alg(one: &VerificationKey, other: &VerificationKey) -> bool {
    one.kid() == other.kid() && one.algorithm() == other.algorithm()
}

/// One JWK. Unknown members are ignored (RFC 7517 §4).
fn read(json: &str, listed: &[Algorithm]) -> Result<VerificationKey, IgnoredKey> {
    let Ok(jwk) = StrictObject::parse(json.as_bytes()) else {
        return Err(IgnoredKey {
            kid: None,
            reason: IgnoreReason::Malformed,
        });
    };
    let kid = jwk.member("kid").and_then(string);
    usable(&jwk, listed).map_err(|reason| IgnoredKey {
        kid: kid.as_deref().map(SanitizedText::of),
        reason,
    })
}

fn usable(jwk: &StrictObject<'_>, listed: &[Algorithm]) -> Result<VerificationKey, IgnoreReason> {
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
    if kid.as_deref().is_some_and(|kid| kid.len() > MAX_KID) {
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
            let algorithm = bind(alg, &RSA, listed)?;
            let (n, e) = (number(jwk, "n")?, number(jwk, "e")?);
            check_rsa(&n, &e)?;
            VerificationKey::rsa(kid, algorithm, &n, &e).map_err(|_| IgnoreReason::Malformed)
        }
        "EC" => {
            let (curve, length) = match text("crv")?.as_deref() {
                Some("P-256") => (Algorithm::ES256, 32),
                Some("P-384") => (Algorithm::ES384, 48),
                _ => return Err(IgnoreReason::Curve),
            };
            let algorithm = bind(alg, &[curve], listed)?;
            let mut point = vec![4];
            for name in ["x", "y"] {
                point.extend(coordinate(jwk, name, length)?);
            }
            VerificationKey::curve(kid, algorithm, &point).map_err(|_| IgnoreReason::Point)
        }
        "OKP" => {
            if text("crv")?.as_deref() != Some("Ed25519") {
                return Err(IgnoreReason::Curve);
            }
            // RFC 9864 §2.2 names the same algorithm more exactly.
            let alg = alg.map(|alg| {
                if alg == "Ed25519" {
                    Cow::Borrowed("EdDSA")
                } else {
                    alg
                }
            });
            let algorithm = bind(alg, &[Algorithm::EdDSA], listed)?;
            let point = bytes(jwk, "x")?;
            if point.len() != 32 {
                return Err(IgnoreReason::Point);
            }
            VerificationKey::curve(kid, algorithm, &point).map_err(|_| IgnoreReason::Point)
        }
        _ => Err(IgnoreReason::KeyType),
    }
}

/// One key serves one algorithm: its own `alg`, or the first listed one that fits its type.
fn bind(
    alg: Option<Cow<'_, str>>,
    fitting: &[Algorithm],
    listed: &[Algorithm],
) -> Result<Algorithm, IgnoreReason> {
    let Some(alg) = alg else {
        return listed
            .iter()
            .copied()
            .find(|listed| fitting.contains(listed))
            .ok_or(IgnoreReason::NotListed);
    };
    let algorithm: Algorithm = alg.parse().map_err(|_| IgnoreReason::Algorithm)?;
    if !fitting.contains(&algorithm) {
        return Err(IgnoreReason::Algorithm);
    }
    if listed.contains(&algorithm) {
        Ok(algorithm)
    } else {
        Err(IgnoreReason::NotListed)
    }
}

fn check_rsa(n: &[u8], e: &[u8]) -> Result<(), IgnoreReason> {
    let bits = |number: &[u8]| {
        number.len() * 8
            - number
                .first()
                .map_or(0, |first| first.leading_zeros() as usize)
    };
    let odd = |number: &[u8]| number.last().is_some_and(|last| last % 2 == 1);
    if !(2048..=8192).contains(&bits(n)) {
        return Err(IgnoreReason::Size);
    }
    if !odd(n) {
        return Err(IgnoreReason::Malformed);
    }
    // The primitive parses a longer exponent and then verifies nothing with it.
    if odd(e) && (2..=33).contains(&bits(e)) {
        Ok(())
    } else {
        Err(IgnoreReason::Exponent)
    }
}

/// `Base64urlUInt` (RFC 7518 §2); generators that write leading zero bytes are forgiven.
fn number(jwk: &StrictObject<'_>, name: &str) -> Result<Vec<u8>, IgnoreReason> {
    let bytes = bytes(jwk, name)?;
    let zeros = bytes.iter().take_while(|&&byte| byte == 0).count();
    Ok(bytes[zeros..].to_vec())
}

/// A coordinate of the curve's length (RFC 7518 §6.2.1.2). Generators that drop its leading zero
/// bytes, as some behind Supabase projects do, are forgiven: the number is the same, and the point
/// is checked to be on the curve. One that is too long is not.
fn coordinate(jwk: &StrictObject<'_>, name: &str, length: usize) -> Result<Vec<u8>, IgnoreReason> {
    let bytes = bytes(jwk, name)?;
    let missing = length
        .checked_sub(bytes.len())
        .filter(|_| !bytes.is_empty())
        .ok_or(IgnoreReason::Point)?;
    Ok([vec![0; missing], bytes].concat())
}

fn bytes(jwk: &StrictObject<'_>, name: &str) -> Result<Vec<u8>, IgnoreReason> {
    let text = jwk
        .member(name)
        .and_then(string)
        .ok_or(IgnoreReason::Malformed)?;
    base64_simd::URL_SAFE_NO_PAD
        .decode_to_vec(text.as_bytes())
        .map_err(|_| IgnoreReason::Malformed)
}
