//! Rule 7: the key is selected from the keys of that issuer by kid, algorithm and type. A key
//! verifies only its own algorithms.

use bearward::{Algorithm, AuthError, keys::IgnoreReason};
use bearward_testing::{KeyPair, Token};
use serde_json::{Value, json};

use crate::fixture::{Fixture, assert_rejected, jwk_with, jwks, jwks_from};

#[test]
fn the_kid_selects_the_key() {
    let [one, two] = [0, 1].map(|which| KeyPair::cached(Algorithm::ES256, which));
    let fixture = Fixture::with_jwks(&one, &jwks([&one, &two]));
    fixture.verify_ok(&fixture.token().sign());
    fixture.verify_ok(&fixture.token().key(two.clone()).sign());
    assert_rejected!(
        fixture,
        fixture.token().kid(two.kid()).sign(),
        "INVALID_SIGNATURE",
        AuthError::InvalidSignature
    );
    assert_rejected!(
        fixture,
        fixture.token().kid("unknown").sign(),
        "UNKNOWN_KEY",
        AuthError::UnknownKey
    );
    assert_rejected!(
        fixture,
        fixture.token().kid("").sign(),
        "UNKNOWN_KEY",
        AuthError::UnknownKey
    );
    assert_rejected!(
        fixture,
        fixture.token().kid(&one.kid().to_uppercase()).sign(),
        "UNKNOWN_KEY",
        AuthError::UnknownKey
    );
}

#[test]
fn without_kid_the_keys_of_the_algorithm_are_tried() {
    let [one, two] = [0, 1].map(|which| KeyPair::cached(Algorithm::ES256, which));
    let other_type = KeyPair::cached(Algorithm::EdDSA, 0);
    let fixture = Fixture::with_jwks(&one, &jwks([&one, &other_type, &two]));
    for key in [&one, &two, &other_type] {
        let token = fixture.token().key(key.clone()).without_header("kid");
        fixture.verify_ok(&token.clone().sign());
        assert_rejected!(
            fixture,
            token.signed_by_stranger(),
            "INVALID_SIGNATURE",
            AuthError::InvalidSignature
        );
    }
    let none = Fixture::with_jwks(&other_type, &jwks([&other_type]));
    assert_rejected!(
        none,
        none.token().key(one).without_header("kid").sign(),
        "UNKNOWN_KEY",
        AuthError::UnknownKey
    );
}

#[test]
fn a_key_without_kid_verifies_only_tokens_without_kid() {
    let key = KeyPair::cached(Algorithm::ES256, 0);
    let fixture = Fixture::with_jwks(&key, &jwks_from([jwk_with(&key, "kid", Value::Null)]));
    fixture.verify_ok(&fixture.token().without_header("kid").sign());
    assert_rejected!(
        fixture,
        fixture.token().sign(),
        "UNKNOWN_KEY",
        AuthError::UnknownKey
    );
}

#[test]
fn a_key_verifies_only_its_own_algorithm() {
    let key = KeyPair::cached(Algorithm::RS256, 0);
    let fixture = Fixture::with_key(&key, |issuer| issuer);
    fixture.verify_ok(&fixture.token().sign());
    for other in [
        Algorithm::RS384,
        Algorithm::RS512,
        Algorithm::PS256,
        Algorithm::PS384,
        Algorithm::PS512,
    ] {
        let token = fixture
            .token()
            .key(key.clone().with_algorithm(other))
            .sign();
        assert_rejected!(fixture, token, "UNKNOWN_KEY", AuthError::UnknownKey);
    }
}

#[test]
fn a_key_without_alg_serves_every_listed_algorithm_of_its_type() {
    let key = KeyPair::cached(Algorithm::RS256, 0);
    let document = jwks_from([jwk_with(&key, "alg", Value::Null)]);
    let listed = [Algorithm::ES256, Algorithm::PS256, Algorithm::RS256];
    let keys = bearward::KeySource::Fixed(document);
    let fixture = Fixture::with_builder(
        &key,
        |issuer| issuer.algorithms(listed).unwrap().keys(keys),
        |builder| builder,
    );
    for algorithm in [Algorithm::RS256, Algorithm::PS256] {
        let token = fixture.token().key(key.clone().with_algorithm(algorithm));
        let verified = fixture.verify_ok(&token.clone().sign());
        assert_eq!(verified.algorithm(), algorithm);
        fixture.verify_ok(&token.without_header("kid").sign());
    }
    let unlisted = fixture
        .token()
        .key(key.clone().with_algorithm(Algorithm::RS384))
        .sign();
    assert_rejected!(
        fixture,
        unlisted,
        "UNSUPPORTED_ALGORITHM",
        AuthError::AlgorithmNotAllowed { .. }
    );
    let status = &fixture.auth.key_set_statuses()[0];
    assert_eq!(status.keys, 1);
    assert_eq!(
        status.usable[0].algorithms,
        [Algorithm::RS256, Algorithm::PS256]
    );
}

#[test]
fn the_alg_of_the_header_must_match_the_signature_of_a_key_without_alg() {
    let key = KeyPair::cached(Algorithm::RS256, 0);
    let fixture = Fixture::with_jwks(&key, &jwks_from([jwk_with(&key, "alg", Value::Null)]));
    let claims = fixture.token().claims().clone();
    for (named, signed_with) in [
        (Algorithm::RS256, Algorithm::PS256),
        (Algorithm::PS256, Algorithm::RS256),
        (Algorithm::RS512, Algorithm::RS256),
    ] {
        let header = json!({ "alg": named.name(), "kid": key.kid() });
        let token = Token::new(header.as_object().unwrap(), &claims)
            .sign(&key.clone().with_algorithm(signed_with));
        assert_rejected!(
            fixture,
            token,
            "INVALID_SIGNATURE",
            AuthError::InvalidSignature
        );
    }
    // Other key types and HMAC with the public key.
    for alg in ["ES256", "EdDSA"] {
        let header = json!({ "alg": alg, "kid": key.kid() });
        let token = Token::new(header.as_object().unwrap(), &claims).sign(&key);
        assert_rejected!(fixture, token, "UNKNOWN_KEY", AuthError::UnknownKey);
    }
    for (name, encoding) in key.public_encodings() {
        let header = json!({ "alg": "HS256", "kid": key.kid() });
        let token = Token::new(header.as_object().unwrap(), &claims).sign_hmac(&encoding);
        let error = fixture.verify_err(&token);
        assert_eq!(error.code(), "UNSUPPORTED_ALGORITHM", "{name}");
    }
}

#[test]
fn an_elliptic_key_without_alg_serves_the_algorithm_of_its_curve() {
    for algorithm in [Algorithm::ES256, Algorithm::ES384, Algorithm::ES512] {
        let key = KeyPair::cached(algorithm, 0);
        let fixture = Fixture::with_jwks(&key, &jwks_from([jwk_with(&key, "alg", Value::Null)]));
        fixture.verify_ok(&fixture.token().sign());
        let status = &fixture.auth.key_set_statuses()[0];
        assert_eq!(status.usable[0].algorithms, [algorithm]);
    }
}

#[test]
fn ed25519_is_a_synonym_of_eddsa() {
    let key = KeyPair::cached(Algorithm::EdDSA, 0);
    for published in [json!("EdDSA"), json!("Ed25519"), Value::Null] {
        let fixture = Fixture::with_jwks(&key, &jwks_from([jwk_with(&key, "alg", published)]));
        for alg in ["EdDSA", "Ed25519"] {
            let token = fixture.with_header_member("alg", &json!(alg).to_string());
            assert_eq!(fixture.verify_ok(&token).algorithm(), Algorithm::EdDSA);
        }
        for alg in ["ed25519", "Ed448"] {
            let token = fixture.with_header_member("alg", &json!(alg).to_string());
            assert_rejected!(
                fixture,
                token,
                "UNSUPPORTED_ALGORITHM",
                AuthError::AlgorithmNotAllowed { .. }
            );
        }
    }
}

#[test]
fn keys_with_the_same_kid_may_differ_in_algorithm() {
    let rsa = KeyPair::cached(Algorithm::RS256, 0).with_kid("same");
    let elliptic = KeyPair::cached(Algorithm::ES256, 0).with_kid("same");
    let fixture = Fixture::with_jwks(&rsa, &jwks([&rsa, &elliptic]));
    fixture.verify_ok(&fixture.token().sign());
    fixture.verify_ok(&fixture.token().key(elliptic).sign());
}

#[test]
fn different_keys_with_the_same_kid_and_algorithm_are_all_tried() {
    let keys = [0, 1, 2].map(|_| KeyPair::generate(Algorithm::ES256).with_kid("same"));
    let fixture = Fixture::with_jwks(&keys[0], &jwks(&keys));
    for key in &keys {
        fixture.verify_ok(&fixture.token().key(key.clone()).sign());
    }
    assert_rejected!(
        fixture,
        fixture.token().signed_by_stranger(),
        "INVALID_SIGNATURE",
        AuthError::InvalidSignature
    );
    let status = &fixture.auth.key_set_statuses()[0];
    assert_eq!((status.keys, status.ignored.len()), (3, 0));
}

#[test]
fn of_four_keys_with_the_same_kid_the_first_is_not_tried() {
    let keys = [0, 1, 2, 3].map(|_| KeyPair::generate(Algorithm::ES256).with_kid("same"));
    let fixture = Fixture::with_jwks(&keys[0], &jwks(&keys));
    for key in &keys[1..] {
        fixture.verify_ok(&fixture.token().key(key.clone()).sign());
    }
    assert_rejected!(
        fixture,
        fixture.token().sign(),
        "INVALID_SIGNATURE",
        AuthError::InvalidSignature
    );
    let status = &fixture.auth.key_set_statuses()[0];
    assert_eq!(status.keys, 3);
    assert_eq!(status.ignored[0].reason, IgnoreReason::DuplicateKid);
    // A token without kid tries the same three.
    for (key, is_tried) in keys.iter().zip([false, true, true, true]) {
        let token = fixture
            .token()
            .key(key.clone())
            .without_header("kid")
            .sign();
        assert_eq!(fixture.verify(&token).is_ok(), is_tried);
    }
}

#[test]
fn the_same_public_key_twice_is_one_key() {
    let key = KeyPair::cached(Algorithm::RS256, 0);
    let plain = Value::from(key.jwk());
    let with_x5c = jwk_with(&key, "x5c", json!(["MIIB"]));
    let without_alg = jwk_with(&key, "alg", Value::Null);
    for entries in [
        vec![plain.clone(), plain.clone()],
        vec![plain.clone(), with_x5c],
        vec![plain.clone(), without_alg.clone()],
        vec![without_alg, plain.clone()],
        vec![plain; 100],
    ] {
        let fixture = Fixture::with_jwks(&key, &jwks_from(entries));
        fixture.verify_ok(&fixture.token().sign());
        fixture.verify_ok(&fixture.token().without_header("kid").sign());
        let status = &fixture.auth.key_set_statuses()[0];
        assert_eq!((status.keys, status.ignored.len()), (1, 0));
    }
}

#[test]
fn copies_of_a_key_do_not_displace_other_keys() {
    let [one, two] = [0, 1].map(|which| KeyPair::cached(Algorithm::ES256, which).with_kid("same"));
    let copies = std::iter::once(&one).chain(std::iter::repeat_n(&two, 50));
    let fixture = Fixture::with_jwks(&one, &jwks(copies));
    for key in [&one, &two] {
        let token = fixture.token().key(key.clone());
        fixture.verify_ok(&token.clone().sign());
        fixture.verify_ok(&token.without_header("kid").sign());
    }
}

#[test]
fn the_header_cannot_select_another_key_type() {
    let key = KeyPair::cached(Algorithm::ES256, 0);
    let fixture = Fixture::with_key(&key, |issuer| issuer);
    let claims = fixture.token().claims().clone();
    for alg in ["RS256", "ES384", "EdDSA", "PS256"] {
        let header = json!({ "alg": alg, "kid": key.kid() });
        let token = Token::new(header.as_object().unwrap(), &claims).sign(&key);
        assert_rejected!(fixture, token, "UNKNOWN_KEY", AuthError::UnknownKey);
    }
}
