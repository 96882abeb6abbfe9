//! The published vectors, at the level of one key and one signature: most of their payloads are no
//! claims, so no token of theirs could pass.

use std::{fs, path::Path};

use super::{KeyLookup, ParsedJwks};
use crate::{algorithm::Algorithm, error::AuthError, jws::CompactJws};

/// A file of `tests/vectors`.
fn read(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/vectors")
        .join(name);
    fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        .trim_end()
        .to_owned()
}

/// The only key of a set, bound to `algorithm` where it does not say so itself.
fn keys(name: &str, algorithm: Algorithm) -> ParsedJwks {
    ParsedJwks::parse(
        format!("{{\"keys\":[{}]}}", read(name)).as_bytes(),
        &[algorithm],
        1,
    )
    .unwrap()
    .0
}

fn verifies(keys: &ParsedJwks, token: &str) -> bool {
    let decoded = CompactJws::of(token).unwrap();
    let jws = decoded.read().unwrap();
    let KeyLookup::One(key) = keys.find(jws.header.kid.as_deref(), jws.header.algorithm) else {
        return false;
    };
    key.verifies(jws.signed, jws.signature)
}

/// What form and header alone say of a token.
fn refusal(token: &str) -> Result<(), AuthError> {
    CompactJws::of(token)?.read().map(|_| ())
}

/// The same token with one bit of the signed part, or of the signature, changed; `place` counts
/// parts.
fn altered(token: &str, place: usize) -> String {
    let mut parts: Vec<String> = token.split('.').map(str::to_owned).collect();
    let swapped = if parts[place].as_bytes()[10] == b'A' {
        "B"
    } else {
        "A"
    };
    parts[place].replace_range(10..11, swapped);
    parts.join(".")
}

#[test]
fn each_published_signature_verifies_under_its_key_and_not_when_a_byte_of_it_or_of_the_payload_is_another()
 {
    for (token, key, algorithm) in [
        ("rfc7515/a2.jws", "rfc7515/a2.jwk", Algorithm::RS256),
        ("rfc7515/a3.jws", "rfc7515/a3.jwk", Algorithm::ES256),
        ("rfc7520/4_1.jws", "rfc7520/3_3.jwk", Algorithm::RS256),
        ("rfc7520/4_2.jws", "rfc7520/3_3.jwk", Algorithm::PS384),
        ("rfc8037/a4.jws", "rfc8037/a2.jwk", Algorithm::EdDSA),
    ] {
        let (keys, text) = (keys(key, algorithm), read(token));
        assert!(verifies(&keys, &text), "{token}");
        for place in [1, 2] {
            assert!(
                !verifies(&keys, &altered(&text, place)),
                "{token}, part {place}"
            );
        }
    }
}

#[test]
fn a_published_signature_does_not_verify_under_its_key_bound_to_another_algorithm() {
    let text = read("rfc7520/4_2.jws");
    for other in [Algorithm::PS256, Algorithm::PS512, Algorithm::RS384] {
        assert!(!verifies(&keys("rfc7520/3_3.jwk", other), &text), "{other}");
    }
    // RS256 and PS384 by the same key: each signature is its own algorithm's.
    assert!(!verifies(&keys("rfc7520/3_3.jwk", Algorithm::RS256), &text));
    assert!(!verifies(
        &keys("rfc7520/3_3.jwk", Algorithm::PS384),
        &read("rfc7520/4_1.jws")
    ));
}

#[test]
fn published_tokens_of_other_algorithms_are_refused_by_their_header() {
    for (name, alg) in [
        ("rfc7515/a1.jws", "HS256"),
        ("rfc7515/a4.jws", "ES512"),
        ("rfc7520/4_3.jws", "ES512"),
        ("rfc7520/4_4.jws", "HS256"),
    ] {
        let Err(AuthError::AlgorithmNotAllowed { found, .. }) = refusal(&read(name)) else {
            panic!("{name} must be refused")
        };
        assert_eq!(found.as_str(), alg, "{name}");
    }
    for name in ["rfc7515/a5.jws", "rfc7520/5_3.jwe", "rfc7520/5_9.jwe"] {
        assert!(
            matches!(refusal(&read(name)), Err(AuthError::Form(_))),
            "{name}"
        );
    }
}
