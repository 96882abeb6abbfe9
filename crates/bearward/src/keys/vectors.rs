//! Published test vectors, verified at the level of key and signature: most of their payloads are not
//! JSON claims, so they cannot pass as tokens.

use std::{fs, path::Path};

use super::ParsedJwks;
use crate::{algorithm::Algorithm, error::AuthError, jws::CompactJws};

/// Reads a file in `tests/vectors`.
fn read(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/vectors")
        .join(name);
    fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        .trim_end()
        .to_owned()
}

/// Wraps a JWK in a set and binds it to `algorithm` if it has no `alg`.
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
    let algorithm = jws.header.algorithm;
    let mut candidates = keys.find(jws.header.kid.as_deref(), algorithm);
    candidates.any(|key| key.verifies(algorithm, jws.signed, jws.signature))
}

/// Parses the format and the header only.
fn parse_header(token: &str) -> Result<(), AuthError> {
    CompactJws::of(token)?.read().map(|_| ())
}

/// Changes one character of the given part of a token.
fn with_altered_part(token: &str, part: usize) -> String {
    let mut parts: Vec<String> = token.split('.').map(str::to_owned).collect();
    let replacement = if parts[part].as_bytes()[5] == b'A' {
        "B"
    } else {
        "A"
    };
    parts[part].replace_range(5..6, replacement);
    parts.join(".")
}

#[test]
fn published_signatures_verify_only_unaltered() {
    for (token, key, algorithm) in [
        ("rfc7515/a2.jws", "rfc7515/a2.jwk", Algorithm::RS256),
        ("rfc7515/a3.jws", "rfc7515/a3.jwk", Algorithm::ES256),
        ("rfc7520/4_1.jws", "rfc7520/3_3.jwk", Algorithm::RS256),
        ("rfc7520/4_2.jws", "rfc7520/3_3.jwk", Algorithm::PS384),
        ("rfc8037/a4.jws", "rfc8037/a2.jwk", Algorithm::EdDSA),
        ("rfc7515/a4.jws", "rfc7515/a4.jwk", Algorithm::ES512),
        ("rfc7520/4_3.jws", "rfc7520/3_1.jwk", Algorithm::ES512),
    ] {
        let (keys, text) = (keys(key, algorithm), read(token));
        assert!(verifies(&keys, &text), "{token}");
        for part in [1, 2] {
            assert!(
                !verifies(&keys, &with_altered_part(&text, part)),
                "{token}, part {part}"
            );
        }
    }
}

#[test]
fn published_signatures_verify_with_their_algorithm_only() {
    let text = read("rfc7520/4_2.jws");
    for other in [Algorithm::PS256, Algorithm::PS512, Algorithm::RS384] {
        assert!(!verifies(&keys("rfc7520/3_3.jwk", other), &text), "{other}");
    }
    // The same key signed one vector with RS256 and one with PS384.
    assert!(!verifies(&keys("rfc7520/3_3.jwk", Algorithm::RS256), &text));
    assert!(!verifies(
        &keys("rfc7520/3_3.jwk", Algorithm::PS384),
        &read("rfc7520/4_1.jws")
    ));
}

#[test]
fn published_tokens_of_other_algorithms_are_rejected() {
    for (name, alg) in [("rfc7515/a1.jws", "HS256"), ("rfc7520/4_4.jws", "HS256")] {
        let Err(AuthError::AlgorithmNotAllowed { found, .. }) = parse_header(&read(name)) else {
            panic!("{name} must be rejected")
        };
        assert_eq!(found.as_str(), alg, "{name}");
    }
    for name in ["rfc7515/a5.jws", "rfc7520/5_3.jwe", "rfc7520/5_9.jwe"] {
        assert!(
            matches!(parse_header(&read(name)), Err(AuthError::Format(_))),
            "{name}"
        );
    }
}
