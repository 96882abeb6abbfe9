//! Invalid entries in a key set are ignored and do not affect the valid ones.

use bearward::{Algorithm, AuthError, keys::IgnoreReason};
use bearward_testing::KeyPair;
use rstest::rstest;
use serde_json::{Value, json};

use crate::fixture::{Fixture, assert_rejected, ignore_reason, jwk_with, jwks_from};

fn valid_key() -> KeyPair {
    KeyPair::cached(Algorithm::ES256, 0)
}

#[rstest]
#[case::null(json!(null), IgnoreReason::Malformed)]
#[case::number(json!(1), IgnoreReason::Malformed)]
#[case::string(json!("-----BEGIN PUBLIC KEY-----"), IgnoreReason::Malformed)]
#[case::list(json!([[]]), IgnoreReason::Malformed)]
#[case::empty(json!({}), IgnoreReason::MissingMember("kty"))]
#[case::numeric_kid(jwk_with(&valid_key(), "kid", json!(1)), IgnoreReason::InvalidMember("kid"))]
#[case::kty_a_list(jwk_with(&valid_key(), "kty", json!(["EC"])), IgnoreReason::InvalidMember("kty"))]
#[case::alg_a_number(jwk_with(&valid_key(), "alg", json!(256)), IgnoreReason::InvalidMember("alg"))]
#[case::private(jwk_with(&valid_key(), "d", json!("AAAA")), IgnoreReason::Private)]
#[case::symmetric(json!({ "kty": "oct", "k": "AAAA", "kid": "s" }), IgnoreReason::Symmetric)]
#[case::for_encryption(jwk_with(&valid_key(), "use", json!("enc")), IgnoreReason::Use)]
#[case::for_signing_only(jwk_with(&valid_key(), "key_ops", json!(["sign"])), IgnoreReason::KeyOps)]
#[case::other_type(json!({ "kty": "DSA", "y": "AAAA" }), IgnoreReason::KeyType)]
#[case::hmac_on_an_elliptic_key(jwk_with(&valid_key(), "alg", json!("HS256")), IgnoreReason::Algorithm)]
#[case::none_on_an_elliptic_key(jwk_with(&valid_key(), "alg", json!("none")), IgnoreReason::Algorithm)]
#[case::no_coordinates(json!({ "kty": "EC", "crv": "P-256", "alg": "ES256" }), IgnoreReason::MissingMember("x"))]
#[case::rsa_without_modulus(json!({ "kty": "RSA", "e": "AQAB" }), IgnoreReason::MissingMember("n"))]
#[case::rsa_with_nothing_in_it(json!({ "kty": "RSA", "e": "", "n": "" }), IgnoreReason::Size)]
fn an_invalid_entry_is_ignored_with_its_reason(
    #[case] invalid: Value,
    #[case] reason: IgnoreReason,
) {
    assert_eq!(ignore_reason(&invalid), Some(reason));
    // The valid key comes before or after the invalid entry.
    let valid = valid_key();
    for entries in [
        [invalid.clone(), valid.jwk().into()],
        [valid.jwk().into(), invalid],
    ] {
        let fixture = Fixture::with_jwks(&valid, &jwks_from(entries));
        fixture.verify_ok(&fixture.token().sign());
        assert_eq!(fixture.auth.key_set_statuses()[0].ignored.len(), 1);
        assert_eq!(fixture.auth.key_set_statuses()[0].ignored[0].reason, reason);
    }
}

#[test]
fn a_malformed_certificate_chain_is_ignored() {
    for chain in [json!("MIIB"), json!([1]), json!(null), json!({})] {
        let mut jwk = valid_key().jwk();
        jwk.insert("x5c".to_owned(), chain);
        assert_eq!(ignore_reason(&jwk.into()), None);
    }
}

#[test]
fn an_invalid_entry_with_the_same_kid_does_not_replace_a_key() {
    let valid = valid_key();
    let conflicting_entries = [
        json!({ "kty": "oct", "k": "AAAA", "kid": valid.kid(), "alg": "HS256" }),
        json!({ "kty": "EC", "crv": "P-256", "x": "AAAA", "y": "AAAA", "kid": valid.kid(), "alg": "ES256" }),
        jwk_with(&valid, "use", json!("enc")),
    ];
    for entry in conflicting_entries {
        let fixture = Fixture::with_jwks(&valid, &jwks_from([entry, valid.jwk().into()]));
        fixture.verify_ok(&fixture.token().sign());
    }
}

#[test]
fn invalid_entries_count_toward_the_key_limit() {
    let valid = valid_key();
    let entries = |count: usize| {
        jwks_from(std::iter::repeat_n(json!(null), count).chain([valid.jwk().into()]))
    };
    let fixture = Fixture::with_jwks(&valid, &entries(99));
    fixture.verify_ok(&fixture.token().sign());
    let too_many = bearward::keys::ParsedJwks::parse(entries(100).as_bytes(), Algorithm::ALL, 100);
    assert!(too_many.is_err());
}

#[test]
fn an_entry_nested_10000_deep_is_ignored() {
    let valid = valid_key();
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let document = format!("{{\"keys\":[{deep},{}]}}", Value::from(valid.jwk()));
    let fixture = Fixture::with_jwks(&valid, &document);
    fixture.verify_ok(&fixture.token().sign());
    let in_a_member = format!(
        "{{\"keys\":[{{\"kty\":{deep}}},{}]}}",
        Value::from(valid.jwk())
    );
    let fixture = Fixture::with_jwks(&valid, &in_a_member);
    fixture.verify_ok(&fixture.token().sign());
    assert_rejected!(
        fixture,
        fixture.token().kid("deep").sign(),
        "UNKNOWN_KEY",
        AuthError::UnknownKey
    );
}
