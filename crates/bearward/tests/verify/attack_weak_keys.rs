//! Keys under which anybody can sign: short RSA, an exponent of one, points of small order. They
//! are not used.

use aws_lc_rs::digest;
use {Algorithm, AuthError, keys::IgnoreReason};
use bearward_testing::{KeyPair, Token, encode};
use rstest::rstest;
use serde_json::{Value, json};

use crate::stand::{Stand, decode, jwk_with, refused, set_of, skipped};

/// A stand whose issuer publishes this key beside a good one.
fn beside_a_good_key(weak: Value) -> Stand {
    let good = KeyPair::shared(Algorithm::ES256, 0);
    Stand::of_set(&good, &set_of([weak, good.jwk().into()]))
}

#[test]
fn a_1024_bit_rsa_key_is_not_used() {
    let n = encode(&[[0xff; 127].as_slice(), &[0xfd]].concat());
    let weak = json!({ "kty": "RSA", "n": n, "e": "AQAB", "kid": "weak", "alg": "RS256" });
    assert_eq!(skipped(&weak), Some(IgnoreReason::Size));
    let stand = beside_a_good_key(weak);
    stand.accepts(&stand.token().sign());
    let token = stand.token().kid("weak").header("alg", "RS256").sign();
    refused!(stand, token, "UNKNOWN_KEY", AuthError::UnknownKey);
}

#[test]
fn with_an_exponent_of_one_the_padded_digest_is_the_signature_so_such_a_key_is_not_used() {
    let rsa = KeyPair::shared(Algorithm::RS256, 0);
    for exponent in [vec![1], vec![0, 1]] {
        let weak = jwk_with(&rsa, "e", json!(encode(&exponent)));
        assert_eq!(skipped(&weak), Some(IgnoreReason::Exponent));
        let stand = beside_a_good_key(weak);
        // The forgery that needs no private key.
        let token = stand.token().kid(rsa.kid()).header("alg", "RS256");
        let token = Token::new(token.header_members(), token.claims());
        let hash = digest::digest(&digest::SHA256, token.signed().as_bytes());
        let info = [
            0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02,
            0x01, 0x05, 0x00, 0x04, 0x20,
        ];
        let padded = [&[0, 1], [0xff; 202].as_slice(), &[0], &info, hash.as_ref()].concat();
        assert_eq!(padded.len(), 256);
        refused!(
            stand,
            token.with_signature(&padded),
            "UNKNOWN_KEY",
            AuthError::UnknownKey
        );
    }
}

#[test]
fn an_even_modulus_is_not_used() {
    let rsa = KeyPair::shared(Algorithm::RS256, 0);
    let mut n = decode(rsa.jwk()["n"].as_str().unwrap());
    n[255] &= 0xfe;
    assert!(skipped(&jwk_with(&rsa, "n", json!(encode(&n)))).is_some());
}

/// The encodings of Ed25519's points of small order, the sign of x left out (the list of
/// libsodium's `has_small_order`).
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
fn an_ed25519_key_of_small_order_would_accept_one_signature_for_every_message_so_it_is_not_used(
    #[values(0, 1, 2, 3, 4, 5, 6)] which: usize,
) {
    let hex = SMALL_ORDER[which];
    let mut point: Vec<u8> = (0..32)
        .map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap())
        .collect();
    for sign in [0, 0x80] {
        point[31] |= sign;
        let weak = json!({ "kty": "OKP", "crv": "Ed25519", "x": encode(&point), "kid": "weak", "alg": "EdDSA" });
        let stand = beside_a_good_key(weak.clone());
        // R is the neutral point, S is zero: 0·B = R + h·A wherever h·A is neutral too.
        let signature = [vec![1], vec![0; 63]].concat();
        for attempt in 0..16 {
            let token = stand
                .token()
                .kid("weak")
                .header("alg", "EdDSA")
                .claim("attempt", attempt);
            let token =
                Token::new(token.header_members(), token.claims()).with_signature(&signature);
            refused!(stand, token, "UNKNOWN_KEY", AuthError::UnknownKey);
        }
        assert_eq!(skipped(&weak), Some(IgnoreReason::Point), "{hex}");
    }
}

#[test]
fn the_point_at_infinity_is_no_key_of_an_ecdsa_curve() {
    for (curve, length) in [("P-256", 32), ("P-384", 48)] {
        let zero = encode(&vec![0; length]);
        assert_eq!(
            skipped(&json!({ "kty": "EC", "crv": curve, "x": zero, "y": zero })),
            Some(IgnoreReason::Point)
        );
        assert_eq!(
            skipped(&json!({ "kty": "EC", "crv": curve, "x": "", "y": "" })),
            Some(IgnoreReason::Point)
        );
    }
}
