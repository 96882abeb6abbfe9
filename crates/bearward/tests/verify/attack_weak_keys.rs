//! Keys that allow forgery are ignored: short RSA keys, an exponent of 1, points of small order.

use aws_lc_rs::digest;
use bearward::{Algorithm, AuthError, keys::IgnoreReason};
use bearward_testing::{KeyPair, Token, encode};
use rstest::rstest;
use serde_json::{Value, json};

use crate::fixture::{Fixture, assert_rejected, decode, ignore_reason, jwk_with, jwks_from};

/// Returns a fixture whose issuer publishes a weak key and a valid one.
fn fixture_with_weak_key(weak: Value) -> Fixture {
    let good = KeyPair::cached(Algorithm::ES256, 0);
    Fixture::with_jwks(&good, &jwks_from([weak, good.jwk().into()]))
}

#[test]
fn a_1024_bit_rsa_key_is_ignored() {
    let n = encode(&[[0xff; 127].as_slice(), &[0xfd]].concat());
    let weak = json!({ "kty": "RSA", "n": n, "e": "AQAB", "kid": "weak", "alg": "RS256" });
    assert_eq!(ignore_reason(&weak), Some(IgnoreReason::Size));
    let fixture = fixture_with_weak_key(weak);
    fixture.verify_ok(&fixture.token().sign());
    let token = fixture.token().kid("weak").header("alg", "RS256").sign();
    assert_rejected!(fixture, token, "UNKNOWN_KEY", AuthError::UnknownKey);
}

#[test]
fn an_rsa_exponent_of_1_is_ignored() {
    let rsa = KeyPair::cached(Algorithm::RS256, 0);
    for exponent in [vec![1], vec![0, 1]] {
        let weak = jwk_with(&rsa, "e", json!(encode(&exponent)));
        assert_eq!(ignore_reason(&weak), Some(IgnoreReason::Exponent));
        let fixture = fixture_with_weak_key(weak);
        // With an exponent of 1, the padded digest is the signature.
        let token = fixture.token().kid(rsa.kid()).header("alg", "RS256");
        let token = Token::new(token.header_members(), token.claims());
        let hash = digest::digest(&digest::SHA256, token.signed().as_bytes());
        let info = [
            0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02,
            0x01, 0x05, 0x00, 0x04, 0x20,
        ];
        let padded = [&[0, 1], [0xff; 202].as_slice(), &[0], &info, hash.as_ref()].concat();
        assert_eq!(padded.len(), 256);
        assert_rejected!(
            fixture,
            token.with_signature(&padded),
            "UNKNOWN_KEY",
            AuthError::UnknownKey
        );
    }
}

#[test]
fn an_even_rsa_modulus_is_ignored() {
    let rsa = KeyPair::cached(Algorithm::RS256, 0);
    let mut n = decode(rsa.jwk()["n"].as_str().unwrap());
    n[255] &= 0xfe;
    assert!(ignore_reason(&jwk_with(&rsa, "n", json!(encode(&n)))).is_some());
}

/// Encodings of the points of small order of Ed25519 without the sign bit of x, as listed in
/// `has_small_order` of libsodium.
const SMALL_ORDER: [&str; 7] = [
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
];

#[rstest]
fn ed25519_keys_of_small_order_are_ignored(#[values(0, 1, 2, 3, 4, 5, 6)] which: usize) {
    let hex = SMALL_ORDER[which];
    let mut point: Vec<u8> = (0..32)
        .map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap())
        .collect();
    for sign in [0, 0x80] {
        point[31] |= sign;
        let weak = json!({ "kty": "OKP", "crv": "Ed25519", "x": encode(&point), "kid": "weak", "alg": "EdDSA" });
        let fixture = fixture_with_weak_key(weak.clone());
        // R is the neutral element and S is zero: 0·B = R + h·A if h·A is neutral too.
        let signature = [vec![1], vec![0; 63]].concat();
        for attempt in 0..16 {
            let token = fixture
                .token()
                .kid("weak")
                .header("alg", "EdDSA")
                .claim("attempt", attempt);
            let token =
                Token::new(token.header_members(), token.claims()).with_signature(&signature);
            assert_rejected!(fixture, token, "UNKNOWN_KEY", AuthError::UnknownKey);
        }
        assert_eq!(ignore_reason(&weak), Some(IgnoreReason::Point), "{hex}");
    }
}

#[test]
fn the_ecdsa_point_at_infinity_is_ignored() {
    for (curve, length) in [("P-256", 32), ("P-384", 48)] {
        let zero = encode(&vec![0; length]);
        assert_eq!(
            ignore_reason(&json!({ "kty": "EC", "crv": curve, "x": zero, "y": zero })),
            Some(IgnoreReason::Point)
        );
        assert_eq!(
            ignore_reason(&json!({ "kty": "EC", "crv": curve, "x": "", "y": "" })),
            Some(IgnoreReason::Point)
        );
    }
}
