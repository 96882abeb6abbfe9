//! RFC 7518, JSON Web Algorithms: sizes of RSA keys, the exact length of ECDSA signatures, and
//! `none` never.

use {Algorithm, AuthError, FormatError, keys::IgnoreReason};
use bearward_testing::{KeyPair, Token, der_signature, encode};
use rstest::rstest;
use serde_json::{Value, json};

use crate::stand::{Stand, decode, jwk_with, parts, refused, skipped};

/// An RSA key with a modulus of exactly this many bits. Nobody knows its factors, and no check asks
/// for them.
fn modulus(bits: usize) -> Value {
    let mut n = vec![0xa5; bits.div_ceil(8)];
    let unused = n.len() * 8 - bits;
    n[0] = 0xff >> unused;
    *n.last_mut().unwrap() |= 1;
    json!({ "kty": "RSA", "n": encode(&n), "e": "AQAB" })
}

#[rstest]
#[case(512, false)]
#[case(1024, false)]
#[case(2040, false)]
#[case(2047, false)]
#[case(2048, true)]
#[case(2049, true)]
#[case(3072, true)]
#[case(4096, true)]
#[case(8192, true)]
#[case(8193, false)]
#[case(16_384, false)]
fn section_3_3_an_rsa_key_has_2048_bits_at_least_and_8192_at_most(
    #[case] bits: usize,
    #[case] used: bool,
) {
    assert_eq!(
        skipped(&modulus(bits)),
        if used { None } else { Some(IgnoreReason::Size) }
    );
}

#[test]
fn leading_zero_bytes_of_a_modulus_are_neither_bits_nor_a_mistake() {
    let key = KeyPair::shared(Algorithm::RS256, 0);
    let padded = [&[0, 0], decode(key.jwk()["n"].as_str().unwrap()).as_slice()].concat();
    let stand = Stand::of_set(
        &key,
        &crate::stand::set_of([jwk_with(&key, "n", json!(encode(&padded)))]),
    );
    stand.accepts(&stand.token().sign());
    // 2047 bits in 256 bytes, and 2048 bits minus a zero byte in front of 1024 bits.
    let mut short = vec![0_u8; 256];
    short[128..].fill(0xff);
    assert_eq!(
        skipped(&json!({ "kty": "RSA", "n": encode(&short), "e": "AQAB" })),
        Some(IgnoreReason::Size)
    );
}

#[rstest]
#[case::zero(&[0], Some(IgnoreReason::Exponent))]
#[case::empty(&[], Some(IgnoreReason::Exponent))]
#[case::one(&[1], Some(IgnoreReason::Exponent))]
#[case::one_with_a_zero_byte(&[0, 1], Some(IgnoreReason::Exponent))]
#[case::two(&[2], Some(IgnoreReason::Exponent))]
#[case::three(&[3], None)]
#[case::four(&[4], Some(IgnoreReason::Exponent))]
#[case::seventeen(&[17], None)]
#[case::f4(&[1, 0, 1], None)]
#[case::f4_with_a_zero_byte(&[0, 1, 0, 1], None)]
#[case::f4_and_one(&[1, 0, 2], Some(IgnoreReason::Exponent))]
fn an_rsa_exponent_is_odd_and_three_at_least(
    #[case] e: &[u8],
    #[case] expected: Option<IgnoreReason>,
) {
    let key = KeyPair::shared(Algorithm::RS256, 0);
    assert_eq!(skipped(&jwk_with(&key, "e", json!(encode(e)))), expected);
}

#[rstest]
#[case::f4(&[1, 0, 1], None)]
#[case::bits_33(&[1, 0xff, 0xff, 0xff, 0xff], None)]
#[case::bits_34(&[2, 0, 0, 0, 1], Some(IgnoreReason::Exponent))]
#[case::bits_2040(&[0xff; 255], Some(IgnoreReason::Exponent))]
fn an_rsa_exponent_of_over_33_bits_would_make_a_slow_check_and_is_not_used(
    #[case] e: &[u8],
    #[case] expected: Option<IgnoreReason>,
) {
    assert_eq!(
        skipped(&jwk_with(
            &KeyPair::shared(Algorithm::RS256, 0),
            "e",
            json!(encode(e))
        )),
        expected
    );
}

#[rstest]
#[case(Algorithm::ES256, 64)]
#[case(Algorithm::ES384, 96)]
fn section_3_4_an_ecdsa_signature_has_exactly_twice_the_curves_length(
    #[case] algorithm: Algorithm,
    #[case] length: usize,
) {
    let stand = Stand::of(&KeyPair::shared(algorithm, 0), |issuer| issuer);
    let token = stand.token().sign();
    let [header, payload, signature] = parts(&token);
    let signature = decode(signature);
    assert_eq!(signature.len(), length);
    stand.accepts(&token);
    let (r, s) = signature.split_at(length / 2);
    let others = [
        signature[..length - 1].to_vec(),
        [signature.as_slice(), &[0]].concat(),
        [&[0], signature.as_slice()].concat(),
        [&[0], r, &[0], s].concat(),
        [&r[1..], &s[1..]].concat(),
        signature.repeat(2),
        der_signature(&signature),
        vec![0],
    ];
    for other in others {
        let spoilt = format!("{header}.{payload}.{}", encode(&other));
        refused!(
            stand,
            spoilt,
            "INVALID_SIGNATURE",
            AuthError::InvalidSignature
        );
    }
}

#[rstest]
fn section_3_3_an_rsa_signature_is_exactly_as_long_as_the_modulus(
    #[values(Algorithm::RS256, Algorithm::PS256)] algorithm: Algorithm,
) {
    let stand = Stand::of(
        &KeyPair::shared(Algorithm::RS256, 0).with_algorithm(algorithm),
        |issuer| issuer,
    );
    let token = stand.token().sign();
    let [header, payload, signature] = parts(&token);
    let signature = decode(signature);
    assert_eq!(signature.len(), 256);
    for other in [
        signature[..255].to_vec(),
        [&[0], signature.as_slice()].concat(),
        [signature.as_slice(), &[0]].concat(),
        vec![0; 256],
    ] {
        let spoilt = format!("{header}.{payload}.{}", encode(&other));
        refused!(
            stand,
            spoilt,
            "INVALID_SIGNATURE",
            AuthError::InvalidSignature
        );
    }
}

#[test]
fn section_3_5_a_pkcs1_signature_is_no_pss_signature_of_the_same_key_nor_the_other_way_round() {
    let key = KeyPair::shared(Algorithm::RS256, 0);
    for (named, signed) in [
        (Algorithm::PS256, Algorithm::RS256),
        (Algorithm::RS256, Algorithm::PS256),
    ] {
        let stand = Stand::of(&key.clone().with_algorithm(named), |issuer| issuer);
        stand.accepts(&stand.token().sign());
        let good = stand.token();
        let token = Token::new(good.header_members(), good.claims())
            .sign(&key.clone().with_algorithm(signed));
        refused!(
            stand,
            token,
            "INVALID_SIGNATURE",
            AuthError::InvalidSignature
        );
    }
}

#[rstest]
fn section_3_6_none_is_never_accepted(#[values("none", "None", "NONE", "nOnE")] alg: &str) {
    let stand = Stand::new();
    let token = stand.token().header("alg", alg);
    refused!(
        stand,
        token.clone().unsigned(),
        "MALFORMED_TOKEN",
        AuthError::Form(FormatError::Empty)
    );
    refused!(
        stand,
        token.sign(),
        "UNSUPPORTED_ALGORITHM",
        AuthError::AlgorithmNotAllowed { .. }
    );
}

#[rstest]
fn section_3_2_no_hmac_is_ever_computed(#[values("HS256", "HS384", "HS512")] alg: &str) {
    let stand = Stand::new();
    let token = stand.token().header("alg", alg).sign_hmac(b"secret");
    refused!(
        stand,
        token,
        "UNSUPPORTED_ALGORITHM",
        AuthError::AlgorithmNotAllowed { .. }
    );
}
