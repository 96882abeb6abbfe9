//! RFC 7518, JSON Web Algorithms: RSA key sizes, the exact length of ECDSA signatures, and
//! rejection of `none`.

use bearward::{Algorithm, AuthError, FormatError, keys::IgnoreReason};
use bearward_testing::{KeyPair, Token, der_signature, encode};
use rstest::rstest;
use serde_json::{Value, json};

use crate::fixture::{Fixture, assert_rejected, decode, ignore_reason, jwk_with, split_token};

/// Returns an RSA JWK with a modulus of exactly `bits` bits. The modulus is not a product of two
/// known primes, which the checks do not require.
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
fn section_3_3_rsa_keys_have_2048_to_8192_bits(#[case] bits: usize, #[case] used: bool) {
    assert_eq!(
        ignore_reason(&modulus(bits)),
        if used { None } else { Some(IgnoreReason::Size) }
    );
}

#[test]
fn leading_zero_bytes_of_a_modulus_are_not_counted() {
    let key = KeyPair::cached(Algorithm::RS256, 0);
    let padded = [&[0, 0], decode(key.jwk()["n"].as_str().unwrap()).as_slice()].concat();
    let fixture = Fixture::with_jwks(
        &key,
        &crate::fixture::jwks_from([jwk_with(&key, "n", json!(encode(&padded)))]),
    );
    fixture.verify_ok(&fixture.token().sign());
    // 1024 bits, padded with zero bytes to 256 bytes.
    let mut short = vec![0_u8; 256];
    short[128..].fill(0xff);
    assert_eq!(
        ignore_reason(&json!({ "kty": "RSA", "n": encode(&short), "e": "AQAB" })),
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
fn an_rsa_exponent_is_odd_and_at_least_3(#[case] e: &[u8], #[case] expected: Option<IgnoreReason>) {
    let key = KeyPair::cached(Algorithm::RS256, 0);
    assert_eq!(
        ignore_reason(&jwk_with(&key, "e", json!(encode(e)))),
        expected
    );
}

#[rstest]
#[case::f4(&[1, 0, 1], None)]
#[case::bits_33(&[1, 0xff, 0xff, 0xff, 0xff], None)]
#[case::bits_34(&[2, 0, 0, 0, 1], Some(IgnoreReason::Exponent))]
#[case::bits_2040(&[0xff; 255], Some(IgnoreReason::Exponent))]
fn an_rsa_exponent_has_at_most_33_bits(#[case] e: &[u8], #[case] expected: Option<IgnoreReason>) {
    assert_eq!(
        ignore_reason(&jwk_with(
            &KeyPair::cached(Algorithm::RS256, 0),
            "e",
            json!(encode(e))
        )),
        expected
    );
}

#[rstest]
#[case(Algorithm::ES256, 64)]
#[case(Algorithm::ES384, 96)]
fn section_3_4_ecdsa_signatures_have_a_fixed_length(
    #[case] algorithm: Algorithm,
    #[case] length: usize,
) {
    let fixture = Fixture::with_key(&KeyPair::cached(algorithm, 0), |issuer| issuer);
    let token = fixture.token().sign();
    let [header, payload, signature] = split_token(&token);
    let signature = decode(signature);
    assert_eq!(signature.len(), length);
    fixture.verify_ok(&token);
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
        let altered = format!("{header}.{payload}.{}", encode(&other));
        assert_rejected!(
            fixture,
            altered,
            "INVALID_SIGNATURE",
            AuthError::InvalidSignature
        );
    }
}

#[rstest]
fn section_3_3_rsa_signatures_have_the_length_of_the_modulus(
    #[values(Algorithm::RS256, Algorithm::PS256)] algorithm: Algorithm,
) {
    let fixture = Fixture::with_key(
        &KeyPair::cached(Algorithm::RS256, 0).with_algorithm(algorithm),
        |issuer| issuer,
    );
    let token = fixture.token().sign();
    let [header, payload, signature] = split_token(&token);
    let signature = decode(signature);
    assert_eq!(signature.len(), 256);
    for other in [
        signature[..255].to_vec(),
        [&[0], signature.as_slice()].concat(),
        [signature.as_slice(), &[0]].concat(),
        vec![0; 256],
    ] {
        let altered = format!("{header}.{payload}.{}", encode(&other));
        assert_rejected!(
            fixture,
            altered,
            "INVALID_SIGNATURE",
            AuthError::InvalidSignature
        );
    }
}

#[test]
fn section_3_5_pkcs1_and_pss_signatures_are_not_interchangeable() {
    let key = KeyPair::cached(Algorithm::RS256, 0);
    for (named, signed) in [
        (Algorithm::PS256, Algorithm::RS256),
        (Algorithm::RS256, Algorithm::PS256),
    ] {
        let fixture = Fixture::with_key(&key.clone().with_algorithm(named), |issuer| issuer);
        fixture.verify_ok(&fixture.token().sign());
        let good = fixture.token();
        let token = Token::new(good.header_members(), good.claims())
            .sign(&key.clone().with_algorithm(signed));
        assert_rejected!(
            fixture,
            token,
            "INVALID_SIGNATURE",
            AuthError::InvalidSignature
        );
    }
}

#[rstest]
fn section_3_6_none_is_never_accepted(#[values("none", "None", "NONE", "nOnE")] alg: &str) {
    let fixture = Fixture::new();
    let token = fixture.token().header("alg", alg);
    assert_rejected!(
        fixture,
        token.clone().unsigned(),
        "MALFORMED_TOKEN",
        AuthError::Format(FormatError::Empty)
    );
    assert_rejected!(
        fixture,
        token.sign(),
        "UNSUPPORTED_ALGORITHM",
        AuthError::AlgorithmNotAllowed { .. }
    );
}

#[rstest]
fn section_3_2_hmac_algorithms_are_rejected(#[values("HS256", "HS384", "HS512")] alg: &str) {
    let fixture = Fixture::new();
    let token = fixture.token().header("alg", alg).sign_hmac(b"secret");
    assert_rejected!(
        fixture,
        token,
        "UNSUPPORTED_ALGORITHM",
        AuthError::AlgorithmNotAllowed { .. }
    );
}
