//! Rule 7: a key of that issuer only, by kid, algorithm and type. One key serves one algorithm.

use {Algorithm, AuthError};
use bearward_testing::{KeyPair, Token};
use serde_json::{Value, json};

use crate::stand::{Stand, jwk_with, refused, set, set_of};

#[test]
fn the_kid_names_the_key() {
    let [one, two] = [0, 1].map(|which| KeyPair::shared(Algorithm::ES256, which));
    let stand = Stand::of_set(&one, &set([&one, &two]));
    stand.accepts(&stand.token().sign());
    stand.accepts(&stand.token().key(two.clone()).sign());
    refused!(
        stand,
        stand.token().kid(two.kid()).sign(),
        "INVALID_SIGNATURE",
        AuthError::InvalidSignature
    );
    refused!(
        stand,
        stand.token().kid("nobody").sign(),
        "UNKNOWN_KEY",
        AuthError::UnknownKey
    );
    refused!(
        stand,
        stand.token().kid("").sign(),
        "UNKNOWN_KEY",
        AuthError::UnknownKey
    );
    refused!(
        stand,
        stand.token().kid(&one.kid().to_uppercase()).sign(),
        "UNKNOWN_KEY",
        AuthError::UnknownKey
    );
}

#[test]
fn without_kid_the_only_key_that_fits_is_taken() {
    let [one, two] = [0, 1].map(|which| KeyPair::shared(Algorithm::ES256, which));
    let other_type = KeyPair::shared(Algorithm::EdDSA, 0);
    let alone = Stand::of_set(&one, &set([&one, &other_type]));
    alone.accepts(&alone.token().without_header("kid").sign());
    let ambiguous = Stand::of_set(&one, &set([&one, &two]));
    refused!(
        ambiguous,
        ambiguous.token().without_header("kid").sign(),
        "UNKNOWN_KEY",
        AuthError::AmbiguousKey
    );
    let none = Stand::of_set(&other_type, &set([&other_type]));
    refused!(
        none,
        none.token().key(one).without_header("kid").sign(),
        "UNKNOWN_KEY",
        AuthError::UnknownKey
    );
}

#[test]
fn a_key_without_kid_serves_tokens_without_kid_alone() {
    let key = KeyPair::shared(Algorithm::ES256, 0);
    let stand = Stand::of_set(&key, &set_of([jwk_with(&key, "kid", Value::Null)]));
    stand.accepts(&stand.token().without_header("kid").sign());
    refused!(
        stand,
        stand.token().sign(),
        "UNKNOWN_KEY",
        AuthError::UnknownKey
    );
}

#[test]
fn one_key_serves_one_algorithm_though_its_type_would_fit_another() {
    let key = KeyPair::shared(Algorithm::RS256, 0);
    let stand = Stand::of(&key, |issuer| issuer);
    stand.accepts(&stand.token().sign());
    for other in [
        Algorithm::RS384,
        Algorithm::RS512,
        Algorithm::PS256,
        Algorithm::PS384,
        Algorithm::PS512,
    ] {
        let token = stand.token().key(key.clone().with_algorithm(other)).sign();
        refused!(stand, token, "UNKNOWN_KEY", AuthError::UnknownKey);
    }
}

#[test]
fn a_key_without_alg_serves_the_first_listed_algorithm_that_fits_its_type() {
    let key = KeyPair::shared(Algorithm::RS256, 0).with_algorithm(Algorithm::PS256);
    let document = set_of([jwk_with(&key, "alg", Value::Null)]);
    let listed = |list: [Algorithm; 3]| {
        let keys = bearward::KeySource::Fixed(document.clone());
        Stand::built(
            &key,
            |issuer| issuer.algorithms(list).unwrap().keys(keys),
            |builder| builder,
        )
    };
    let pss_first = listed([Algorithm::ES256, Algorithm::PS256, Algorithm::RS256]);
    pss_first.accepts(&pss_first.token().sign());
    let rs_first = listed([Algorithm::ES256, Algorithm::RS256, Algorithm::PS256]);
    refused!(
        rs_first,
        rs_first.token().sign(),
        "UNKNOWN_KEY",
        AuthError::UnknownKey
    );
}

#[test]
fn one_kid_may_name_two_keys_of_different_algorithms_and_each_serves_its_own() {
    let rsa = KeyPair::shared(Algorithm::RS256, 0).with_kid("same");
    let elliptic = KeyPair::shared(Algorithm::ES256, 0).with_kid("same");
    let stand = Stand::of_set(&rsa, &set([&rsa, &elliptic]));
    stand.accepts(&stand.token().sign());
    stand.accepts(&stand.token().key(elliptic).sign());
}

#[test]
fn of_two_keys_with_one_kid_and_one_algorithm_neither_is_used() {
    let [one, two] = [0, 1].map(|which| KeyPair::shared(Algorithm::ES256, which).with_kid("same"));
    let other = KeyPair::shared(Algorithm::ES256, 0);
    let stand = Stand::of_set(&other, &set([&one, &two, &other]));
    for key in [one, two] {
        refused!(
            stand,
            stand.token().key(key).sign(),
            "UNKNOWN_KEY",
            AuthError::UnknownKey
        );
    }
    stand.accepts(&stand.token().sign());
}

#[test]
fn the_header_cannot_choose_another_type_than_the_key_has() {
    let key = KeyPair::shared(Algorithm::ES256, 0);
    let stand = Stand::of(&key, |issuer| issuer);
    let claims = stand.token().claims().clone();
    for alg in ["RS256", "ES384", "EdDSA", "PS256"] {
        let header = json!({ "alg": alg, "kid": key.kid() });
        let token = Token::new(header.as_object().unwrap(), &claims).sign(&key);
        refused!(stand, token, "UNKNOWN_KEY", AuthError::UnknownKey);
    }
}
