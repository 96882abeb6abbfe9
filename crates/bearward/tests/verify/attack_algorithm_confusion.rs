//! The verifier is talked into another algorithm than the key's (CVE-2015-9235, CVE-2022-29217,
//! CVE-2026-22817, CVE-2026-48523).

use {Algorithm, AuthError};
use bearward_testing::{KeyPair, Token, encode, hmac_sha256};

use crate::stand::{Stand, refused};

#[test]
fn cve_2015_9235_an_hmac_with_any_encoding_of_the_public_key_is_refused() {
    for algorithm in [
        Algorithm::RS256,
        Algorithm::PS256,
        Algorithm::ES256,
        Algorithm::ES384,
        Algorithm::EdDSA,
    ] {
        let key = match algorithm {
            Algorithm::PS256 => KeyPair::shared(Algorithm::RS256, 0).with_algorithm(algorithm),
            _ => KeyPair::shared(algorithm, 0),
        };
        let stand = Stand::of(&key, |issuer| issuer);
        stand.accepts(&stand.token().sign());
        for (encoding, secret) in key.public_encodings() {
            for alg in ["HS256", "HS384", "HS512"] {
                let token = stand.token().header("alg", alg).sign_hmac(&secret);
                let rejection = stand.refusal(&token);
                assert!(
                    matches!(rejection, AuthError::AlgorithmNotAllowed { .. }),
                    "{algorithm} {alg} {encoding}: {rejection:?}"
                );
            }
        }
    }
}

#[test]
fn cve_2022_29217_an_hmac_under_the_keys_own_algorithm_name_is_no_signature() {
    for algorithm in [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA] {
        let key = KeyPair::shared(algorithm, 0);
        let stand = Stand::of(&key, |issuer| issuer);
        for (_, secret) in key.public_encodings() {
            refused!(
                stand,
                stand.token().sign_hmac(&secret),
                "INVALID_SIGNATURE",
                AuthError::InvalidSignature
            );
            // As long as the real one.
            let good = stand.token();
            let signed = Token::new(good.header_members(), good.claims()).signed();
            let padded = hmac_sha256(&secret, signed.as_bytes()).repeat(2);
            refused!(
                stand,
                format!("{signed}.{}", encode(&padded)),
                "INVALID_SIGNATURE",
                AuthError::InvalidSignature
            );
        }
    }
}

#[test]
fn cve_2026_22817_a_key_without_alg_does_not_take_the_headers() {
    let key = KeyPair::shared(Algorithm::RS256, 0);
    let document =
        crate::stand::set_of([crate::stand::jwk_with(&key, "alg", serde_json::Value::Null)]);
    let stand = Stand::of_set(&key, &document);
    stand.accepts(&stand.token().sign());
    for (_, secret) in key.public_encodings() {
        let token = stand.token().header("alg", "HS256").sign_hmac(&secret);
        refused!(
            stand,
            token,
            "UNSUPPORTED_ALGORITHM",
            AuthError::AlgorithmNotAllowed { .. }
        );
    }
    // Nor another asymmetric one, though the issuer lists it and the signature is right.
    let token = stand
        .token()
        .key(key.with_algorithm(Algorithm::PS512))
        .sign();
    refused!(stand, token, "UNKNOWN_KEY", AuthError::UnknownKey);
}

#[test]
fn cve_2026_48523_a_keys_own_algorithm_wins_over_the_header() {
    let key = KeyPair::shared(Algorithm::RS256, 0).with_algorithm(Algorithm::PS256);
    let stand = Stand::of(&key, |issuer| issuer);
    stand.accepts(&stand.token().sign());
    // Signed with the same RSA key, rightly, for an algorithm that is listed and is not the key's.
    let other = key.with_algorithm(Algorithm::RS256);
    refused!(
        stand,
        stand.token().key(other).sign(),
        "UNKNOWN_KEY",
        AuthError::UnknownKey
    );
}

#[test]
fn an_ecdsa_key_is_not_taken_for_another_curve_or_type() {
    let key = KeyPair::shared(Algorithm::ES256, 0);
    let stand = Stand::of(&key, |issuer| issuer);
    for alg in ["ES384", "EdDSA", "RS256"] {
        refused!(
            stand,
            stand.token().header("alg", alg).sign(),
            "UNKNOWN_KEY",
            AuthError::UnknownKey
        );
        refused!(
            stand,
            stand
                .token()
                .header("alg", alg)
                .without_header("kid")
                .sign(),
            "UNKNOWN_KEY",
            AuthError::UnknownKey
        );
    }
}

#[test]
fn a_symmetric_key_in_the_set_verifies_nothing() {
    let key = KeyPair::shared(Algorithm::ES256, 0);
    let secret = b"a secret that somebody published";
    let symmetric = serde_json::json!({ "kty": "oct", "k": encode(secret), "kid": "shared", "alg": "HS256", "use": "sig" });
    let stand = Stand::of_set(&key, &crate::stand::set_of([symmetric, key.jwk().into()]));
    let hmac = |alg: &str| {
        stand
            .token()
            .kid("shared")
            .header("alg", alg)
            .sign_hmac(secret)
    };
    refused!(
        stand,
        hmac("HS256"),
        "UNSUPPORTED_ALGORITHM",
        AuthError::AlgorithmNotAllowed { .. }
    );
    refused!(stand, hmac("ES256"), "UNKNOWN_KEY", AuthError::UnknownKey);
}
