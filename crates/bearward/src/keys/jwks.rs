//! Parsing of JWK Sets (RFC 7517 §5), key by key: the usable keys, and why the others are ignored.

use std::collections::HashMap;

use serde_json::value::RawValue;

use super::{
    jwk::{IgnoreReason, IgnoredKey, parse_entry},
    key::VerificationKey,
};
use crate::{algorithm::Algorithm, error::SanitizedText, strict_object::StrictObject};

/// How many keys of a set are tried for one token. It bounds the cost of an invalid token.
pub(crate) const MAX_CANDIDATES: usize = 3;

/// How many ignored keys an error message lists.
const MAX_LISTED: usize = 5;

/// The usable keys of a JWK Set.
///
/// The same public key under the same `kid` is one key, however often the set contains it. A token
/// may have several candidate keys, see [`find`](Self::find).
#[derive(Debug, Default)]
pub struct ParsedJwks {
    keys: Vec<VerificationKey>,
    by_kid: HashMap<Box<str>, Vec<Candidate>, foldhash::fast::RandomState>,
    /// The candidates of tokens without `kid`.
    without_kid: Vec<Candidate>,
}

/// A key that is tried for tokens with this algorithm. A list has at most [`MAX_CANDIDATES`] for each
/// algorithm, in the order in which they are tried.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    algorithm: Algorithm,
    /// The index of the key.
    key: usize,
}

/// The keys to try for one token, at most three. Created by [`ParsedJwks::find`].
#[derive(Debug, Clone)]
pub struct KeyCandidates<'a> {
    keys: &'a [VerificationKey],
    candidates: std::slice::Iter<'a, Candidate>,
    algorithm: Algorithm,
}

/// Why a document is not a usable JWK Set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JwksError {
    /// Not a JSON object.
    #[error("not a JSON object")]
    NotJson,
    /// Compressed with gzip.
    #[error("compressed with gzip")]
    Compressed,
    /// Begins with a byte order mark.
    #[error("begins with a byte order mark (BOM), which JSON must not have (RFC 8259 §8.1)")]
    ByteOrderMark,
    /// A map of X.509 certificates, as Firebase publishes beside its JWK Set.
    #[error("a map of X.509 certificates and not a JWK Set")]
    X509Certificates,
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
    /// `algorithms` are the issuer's algorithms: a key without `alg` serves each of them that
    /// matches its type. Entries with the same `kid` and the same public key are one key, which
    /// serves the algorithms of all of them. Of different keys with the same `kid` and algorithm the
    /// last three of the document are used.
    ///
    /// # Errors
    /// [`JwksError`]: the document is not a JWK Set, has more than `max_keys` keys, or has no usable
    /// key. A single malformed key is not an error.
    pub fn parse(
        document: &[u8],
        algorithms: &[Algorithm],
        max_keys: usize,
    ) -> Result<(Self, Vec<IgnoredKey>), JwksError> {
        let object = StrictObject::parse(document).map_err(|_| not_json(document))?;
        let array = object.member("keys").ok_or_else(|| not_jwks(&object))?;
        let entries: Vec<&RawValue> =
            serde_json::from_str(array).map_err(|_| JwksError::NotJwks)?;
        if entries.len() > max_keys {
            return Err(JwksError::TooManyKeys {
                found: entries.len(),
                limit: max_keys,
            });
        }
        let mut parsed = Vec::with_capacity(entries.len());
        let mut ignored = Vec::new();
        for entry in entries {
            match parse_entry(entry.get(), algorithms) {
                Ok(key) => parsed.push(key),
                Err(key) => ignored.push(key),
            }
        }
        let (keys, surplus) = Self::select(parsed);
        ignored.extend(surplus.iter().map(|key| IgnoredKey {
            kid: key.kid().map(SanitizedText::new),
            reason: IgnoreReason::DuplicateKid,
        }));
        if keys.is_empty() {
            Err(JwksError::NoUsableKey(ignored))
        } else {
            Ok((Self::new(keys), ignored))
        }
    }

    /// Merges entries with the same public key and drops the keys that would never be tried. Returns
    /// both, in the order of the document.
    fn select(parsed: Vec<VerificationKey>) -> (Vec<VerificationKey>, Vec<VerificationKey>) {
        let (mut keys, mut surplus): (Vec<VerificationKey>, Vec<_>) = (Vec::new(), Vec::new());
        let mut by_kid: HashMap<Option<Box<str>>, Vec<usize>> = HashMap::new();
        for mut key in parsed.into_iter().rev() {
            let later = by_kid.entry(key.kid().map(Into::into)).or_default();
            let same = later
                .iter()
                .copied()
                .find(|&index| keys[index].has_same_public_key(&key));
            let is_used = key.retain_algorithms(|algorithm| {
                let serves = |&&index: &&usize| {
                    Some(index) != same && keys[index].algorithms().any(|known| known == algorithm)
                };
                later.iter().filter(serves).count() < MAX_CANDIDATES
            });
            match same {
                Some(index) if is_used => keys[index].merge(key),
                Some(_) => {}
                None if is_used => {
                    later.push(keys.len());
                    keys.push(key);
                }
                None => surplus.push(key),
            }
        }
        keys.reverse();
        surplus.reverse();
        (keys, surplus)
    }

    fn new(keys: Vec<VerificationKey>) -> Self {
        let mut set = Self::default();
        for (index, key) in keys.iter().enumerate().rev() {
            for algorithm in key.algorithms() {
                let candidate = Candidate {
                    algorithm,
                    key: index,
                };
                if let Some(kid) = key.kid() {
                    set.by_kid.entry(kid.into()).or_default().push(candidate);
                }
                let mut others = set
                    .without_kid
                    .iter()
                    .filter(|other| other.algorithm == algorithm);
                let is_known = others
                    .clone()
                    .any(|other| keys[other.key].has_same_public_key(key));
                if !is_known && others.nth(MAX_CANDIDATES - 1).is_none() {
                    set.without_kid.push(candidate);
                }
            }
        }
        set.keys = keys;
        set
    }

    /// Returns the keys to try for a token's `kid` and `alg`; without `kid`, the keys for `alg`.
    ///
    /// There are at most three, in the reverse order of the document: most issuers append new keys.
    /// A key without `kid` is tried for tokens without `kid` only.
    pub fn find(&self, kid: Option<&str>, algorithm: Algorithm) -> KeyCandidates<'_> {
        let candidates = match kid {
            Some(kid) => self.by_kid.get(kid).map_or(&[][..], Vec::as_slice),
            None => &self.without_kid,
        };
        KeyCandidates {
            keys: &self.keys,
            candidates: candidates.iter(),
            algorithm,
        }
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
        // The keys of a set are distinct.
        self.len() == other.len()
            && self
                .iter()
                .all(|key| other.iter().any(|other| key.is_same_key(other)))
    }
}

impl<'a> Iterator for KeyCandidates<'a> {
    type Item = &'a VerificationKey;

    fn next(&mut self) -> Option<&'a VerificationKey> {
        let algorithm = self.algorithm;
        let candidate = self
            .candidates
            .find(|candidate| candidate.algorithm == algorithm)?;
        self.keys.get(candidate.key)
    }
}

impl KeyCandidates<'_> {
    /// Returns whether there is no key to try.
    pub fn is_empty(&self) -> bool {
        self.clone().next().is_none()
    }
}

/// Says why a document is not a JSON object.
fn not_json(document: &[u8]) -> JwksError {
    if document.starts_with(b"\x1f\x8b") {
        JwksError::Compressed
    } else if document.starts_with(b"\xef\xbb\xbf") {
        JwksError::ByteOrderMark
    } else {
        JwksError::NotJson
    }
}

/// Says what an object without `keys` is instead of a JWK Set.
fn not_jwks(object: &StrictObject<'_>) -> JwksError {
    let mut members = object.members().peekable();
    let is_certificate =
        |(_, json): (&str, &str)| json.starts_with("\"-----BEGIN CERTIFICATE-----");
    if members.peek().is_some() && members.all(is_certificate) {
        JwksError::X509Certificates
    } else {
        JwksError::NotJwks
    }
}

fn describe_ignored(ignored: &[IgnoredKey]) -> String {
    if ignored.is_empty() {
        return ": the key set is empty. An issuer that signs with a shared secret (HS256) publishes an empty set; \
                switch it to asymmetric signing keys"
            .to_owned();
    }
    let keys: Vec<String> = ignored
        .iter()
        .take(MAX_LISTED)
        .map(ToString::to_string)
        .collect();
    format!(" ({})", keys.join("; "))
}
