//! One bad entry must neither take the others with it nor be used.

use bearward::{Algorithm, AuthError, keys::IgnoreReason};
use bearward_testing::KeyPair;
use rstest::rstest;
use serde_json::{Value, json};

use crate::stand::{Stand, jwk_with, refused, set_of, skipped};

fn good() -> KeyPair {
    KeyPair::shared(Algorithm::ES256, 0)
}

#[rstest]
#[case::null(json!(null), IgnoreReason::Malformed)]
#[case::number(json!(1), IgnoreReason::Malformed)]
#[case::string(json!("-----BEGIN PUBLIC KEY-----"), IgnoreReason::Malformed)]
#[case::list(json!([[]]), IgnoreReason::Malformed)]
#[case::empty(json!({}), IgnoreReason::Malformed)]
#[case::numeric_kid(jwk_with(&good(), "kid", json!(1)), IgnoreReason::Malformed)]
#[case::kty_a_list(jwk_with(&good(), "kty", json!(["EC"])), IgnoreReason::Malformed)]
#[case::alg_a_number(jwk_with(&good(), "alg", json!(256)), IgnoreReason::Malformed)]
#[case::private(jwk_with(&good(), "d", json!("AAAA")), IgnoreReason::Private)]
#[case::private_though_null_is_absent_elsewhere(json!({ "kty": "EC", "crv": "P-256", "d": null }), IgnoreReason::Private)]
#[case::symmetric(json!({ "kty": "oct", "k": "AAAA", "kid": "s" }), IgnoreReason::Symmetric)]
#[case::for_encryption(jwk_with(&good(), "use", json!("enc")), IgnoreReason::Use)]
#[case::for_signing_only(jwk_with(&good(), "key_ops", json!(["sign"])), IgnoreReason::KeyOps)]
#[case::other_type(json!({ "kty": "DSA", "y": "AAAA" }), IgnoreReason::KeyType)]
#[case::hmac_on_an_elliptic_key(jwk_with(&good(), "alg", json!("HS256")), IgnoreReason::Algorithm)]
#[case::none_on_an_elliptic_key(jwk_with(&good(), "alg", json!("none")), IgnoreReason::Algorithm)]
#[case::no_coordinates(json!({ "kty": "EC", "crv": "P-256", "alg": "ES256" }), IgnoreReason::Malformed)]
#[case::rsa_without_modulus(json!({ "kty": "RSA", "e": "AQAB" }), IgnoreReason::Malformed)]
#[case::rsa_with_nothing_in_it(json!({ "kty": "RSA", "e": "", "n": "" }), IgnoreReason::Size)]
fn a_poisoned_entry_is_skipped_with_its_reason_first_or_last(
    #[case] poison: Value,
    #[case] reason: IgnoreReason,
) {
    assert_eq!(skipped(&poison), Some(reason));
    // A kid of its own, so that the entry is judged and not its likeness to the good one.
    let good = good();
    for entries in [
        [poison.clone(), good.jwk().into()],
        [good.jwk().into(), poison],
    ] {
        let stand = Stand::of_set(&good, &set_of(entries));
        stand.accepts(&stand.token().sign());
        assert_eq!(stand.auth.key_set_statuses()[0].ignored.len(), 1);
        assert_eq!(stand.auth.key_set_statuses()[0].ignored[0].reason, reason);
    }
}

#[test]
fn a_certificate_chain_of_the_wrong_type_is_not_read_and_so_harms_nothing() {
    for chain in [json!("MIIB"), json!([1]), json!(null), json!({})] {
        let mut jwk = good().jwk();
        jwk.insert("x5c".to_owned(), chain);
        assert_eq!(skipped(&jwk.into()), None);
    }
}

#[test]
fn a_poisoned_entry_with_a_good_keys_kid_does_not_displace_it() {
    let good = good();
    let namesakes = [
        json!({ "kty": "oct", "k": "AAAA", "kid": good.kid(), "alg": "HS256" }),
        json!({ "kty": "EC", "crv": "P-256", "x": "AAAA", "y": "AAAA", "kid": good.kid(), "alg": "ES256" }),
        jwk_with(&good, "use", json!("enc")),
    ];
    for namesake in namesakes {
        let stand = Stand::of_set(&good, &set_of([namesake, good.jwk().into()]));
        stand.accepts(&stand.token().sign());
    }
}

#[test]
fn a_hundred_poisoned_entries_are_a_hundred_entries() {
    let good = good();
    let entries =
        |count: usize| set_of(std::iter::repeat_n(json!(null), count).chain([good.jwk().into()]));
    let stand = Stand::of_set(&good, &entries(99));
    stand.accepts(&stand.token().sign());
    let too_many = bearward::keys::ParsedJwks::parse(entries(100).as_bytes(), &Algorithm::ALL, 100);
    assert!(too_many.is_err());
}

#[test]
fn an_entry_nested_ten_thousand_deep_is_skipped() {
    let good = good();
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let document = format!("{{\"keys\":[{deep},{}]}}", Value::from(good.jwk()));
    let stand = Stand::of_set(&good, &document);
    stand.accepts(&stand.token().sign());
    let in_a_member = format!(
        "{{\"keys\":[{{\"kty\":{deep}}},{}]}}",
        Value::from(good.jwk())
    );
    let stand = Stand::of_set(&good, &in_a_member);
    stand.accepts(&stand.token().sign());
    refused!(
        stand,
        stand.token().kid("deep").sign(),
        "UNKNOWN_KEY",
        AuthError::UnknownKey
    );
}
