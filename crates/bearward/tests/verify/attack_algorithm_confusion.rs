//! Algorithm confusion: the token selects another algorithm than the key is meant for
//! (CVE-2015-9235, CVE-2022-29217, CVE-2026-22817, CVE-2026-48523).

use bearward::{Algorithm, AuthError};
use bearward_testing::{KeyPair, Token, encode, hmac_sha256};

use crate::fixture::{Fixture, assert_rejected};

#[test]
fn cve_2015_9235_hmac_with_the_public_key_is_rejected() {
    for algorithm in [
        Algorithm::RS256,
        Algorithm::PS256,
        Algorithm::ES256,
        Algorithm::ES384,
        Algorithm::EdDSA,
    ] {
        let key = match algorithm {
            Algorithm::PS256 => KeyPair::cached(Algorithm::RS256, 0).with_algorithm(algorithm),
            _ => KeyPair::cached(algorithm, 0),
        };
        let fixture = Fixture::with_key(&key, |issuer| issuer);
        fixture.verify_ok(&fixture.token().sign());
        for (encoding, secret) in key.public_encodings() {
            for alg in ["HS256", "HS384", "HS512"] {
                let token = fixture.token().header("alg", alg).sign_hmac(&secret);
                let error = fixture.verify_err(&token);
                assert!(
                    matches!(error, AuthError::AlgorithmNotAllowed { .. }),
                    "{algorithm} {alg} {encoding}: {error:?}"
                );
            }
        }
    }
}

#[test]
fn cve_2022_29217_hmac_under_the_alg_of_the_key_is_rejected() {
    for algorithm in [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA] {
        let key = KeyPair::cached(algorithm, 0);
        let fixture = Fixture::with_key(&key, |issuer| issuer);
        for (_, secret) in key.public_encodings() {
            assert_rejected!(
                fixture,
                fixture.token().sign_hmac(&secret),
                "INVALID_SIGNATURE",
                AuthError::InvalidSignature
            );
            // Padded to the length of a genuine signature.
            let good = fixture.token();
            let signed = Token::new(good.header_members(), good.claims()).signed();
            let padded = hmac_sha256(&secret, signed.as_bytes()).repeat(2);
            assert_rejected!(
                fixture,
                format!("{signed}.{}", encode(&padded)),
                "INVALID_SIGNATURE",
                AuthError::InvalidSignature
            );
        }
    }
}

#[test]
fn cve_2026_22817_a_key_without_alg_serves_its_type_only() {
    let key = KeyPair::cached(Algorithm::RS256, 0);
    let document = crate::fixture::jwks_from([crate::fixture::jwk_with(
        &key,
        "alg",
        serde_json::Value::Null,
    )]);
    let fixture = Fixture::with_jwks(&key, &document);
    fixture.verify_ok(&fixture.token().sign());
    for (_, secret) in key.public_encodings() {
        let token = fixture.token().header("alg", "HS256").sign_hmac(&secret);
        assert_rejected!(
            fixture,
            token,
            "UNSUPPORTED_ALGORITHM",
            AuthError::AlgorithmNotAllowed { .. }
        );
    }
    // The key serves the listed algorithms of its type, with a signature of that algorithm.
    let pss = fixture.token().key(key.with_algorithm(Algorithm::PS512));
    fixture.verify_ok(&pss.clone().sign());
    assert_rejected!(
        fixture,
        pss.header("alg", "RS512").sign(),
        "INVALID_SIGNATURE",
        AuthError::InvalidSignature
    );
}

#[test]
fn cve_2026_48523_the_algorithm_of_the_key_overrides_the_header() {
    let key = KeyPair::cached(Algorithm::RS256, 0).with_algorithm(Algorithm::PS256);
    let fixture = Fixture::with_key(&key, |issuer| issuer);
    fixture.verify_ok(&fixture.token().sign());
    // A valid signature by the same RSA key, for a listed algorithm that is not the one of the key.
    let other = key.with_algorithm(Algorithm::RS256);
    assert_rejected!(
        fixture,
        fixture.token().key(other).sign(),
        "UNKNOWN_KEY",
        AuthError::UnknownKey
    );
}

#[test]
fn an_ecdsa_key_is_not_used_for_another_curve_or_type() {
    let key = KeyPair::cached(Algorithm::ES256, 0);
    let fixture = Fixture::with_key(&key, |issuer| issuer);
    for alg in ["ES384", "EdDSA", "RS256"] {
        assert_rejected!(
            fixture,
            fixture.token().header("alg", alg).sign(),
            "UNKNOWN_KEY",
            AuthError::UnknownKey
        );
        assert_rejected!(
            fixture,
            fixture
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
fn a_symmetric_key_in_the_set_is_not_used() {
    let key = KeyPair::cached(Algorithm::ES256, 0);
    let secret = b"a published shared secret";
    let symmetric = serde_json::json!({ "kty": "oct", "k": encode(secret), "kid": "shared", "alg": "HS256", "use": "sig" });
    let fixture = Fixture::with_jwks(
        &key,
        &crate::fixture::jwks_from([symmetric, key.jwk().into()]),
    );
    let hmac = |alg: &str| {
        fixture
            .token()
            .kid("shared")
            .header("alg", alg)
            .sign_hmac(secret)
    };
    assert_rejected!(
        fixture,
        hmac("HS256"),
        "UNSUPPORTED_ALGORITHM",
        AuthError::AlgorithmNotAllowed { .. }
    );
    assert_rejected!(fixture, hmac("ES256"), "UNKNOWN_KEY", AuthError::UnknownKey);
}
