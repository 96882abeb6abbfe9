//! Rule 7: the key is selected from the keys of that issuer by kid, algorithm and type. A key
//! verifies only one algorithm.

use bearward::{Algorithm, AuthError};
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
fn without_kid_the_only_matching_key_is_used() {
    let [one, two] = [0, 1].map(|which| KeyPair::cached(Algorithm::ES256, which));
    let other_type = KeyPair::cached(Algorithm::EdDSA, 0);
    let unambiguous = Fixture::with_jwks(&one, &jwks([&one, &other_type]));
    unambiguous.verify_ok(&unambiguous.token().without_header("kid").sign());
    let ambiguous = Fixture::with_jwks(&one, &jwks([&one, &two]));
    assert_rejected!(
        ambiguous,
        ambiguous.token().without_header("kid").sign(),
        "UNKNOWN_KEY",
        AuthError::AmbiguousKey
    );
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
fn a_key_without_alg_uses_the_first_listed_one_of_its_type() {
    let key = KeyPair::cached(Algorithm::RS256, 0).with_algorithm(Algorithm::PS256);
    let document = jwks_from([jwk_with(&key, "alg", Value::Null)]);
    let listed = |list: [Algorithm; 3]| {
        let keys = bearward::KeySource::Fixed(document.clone());
        Fixture::with_builder(
            &key,
            |issuer| issuer.algorithms(list).unwrap().keys(keys),
            |builder| builder,
        )
    };
    let pss_first = listed([Algorithm::ES256, Algorithm::PS256, Algorithm::RS256]);
    pss_first.verify_ok(&pss_first.token().sign());
    let rs_first = listed([Algorithm::ES256, Algorithm::RS256, Algorithm::PS256]);
    assert_rejected!(
        rs_first,
        rs_first.token().sign(),
        "UNKNOWN_KEY",
        AuthError::UnknownKey
    );
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
fn keys_with_the_same_kid_and_algorithm_are_both_ignored() {
    let [one, two] = [0, 1].map(|which| KeyPair::cached(Algorithm::ES256, which).with_kid("same"));
    let other = KeyPair::cached(Algorithm::ES256, 0);
    let fixture = Fixture::with_jwks(&other, &jwks([&one, &two, &other]));
    for key in [one, two] {
        assert_rejected!(
            fixture,
            fixture.token().key(key).sign(),
            "UNKNOWN_KEY",
            AuthError::UnknownKey
        );
    }
    fixture.verify_ok(&fixture.token().sign());
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
