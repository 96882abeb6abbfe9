//! Degenerate signatures that an incomplete check accepts: zeros, other encodings, noncanonical
//! values (CVE-2022-21449).

use bearward::{Algorithm, AuthError};
use bearward_testing::{KeyPair, Token, der_signature, encode};
use rstest::rstest;

use crate::fixture::{Fixture, assert_rejected, decode, split_token};

/// Group order of P-256.
const P256: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6,
    0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

/// Order of the base point of Ed25519, little-endian as in signatures.
const ED25519: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

fn with_signature(fixture: &Fixture, signature: &[u8]) -> String {
    let token = fixture.token();
    Token::new(token.header_members(), token.claims()).with_signature(signature)
}

/// Returns `one - other` for big-endian numbers.
fn minus(one: &[u8], other: &[u8]) -> Vec<u8> {
    let mut borrow = 0;
    let mut digits: Vec<u8> = one
        .iter()
        .zip(other)
        .rev()
        .map(|(&one, &other)| {
            let difference = i16::from(one) - i16::from(other) - borrow;
            borrow = i16::from(difference < 0);
            u8::try_from(difference.rem_euclid(256)).unwrap()
        })
        .collect();
    digits.reverse();
    digits
}

/// Returns `one + other` for little-endian numbers.
fn plus(one: &[u8], other: &[u8]) -> Vec<u8> {
    let mut carry = 0;
    one.iter()
        .zip(other)
        .map(|(&one, &other)| {
            let sum = u16::from(one) + u16::from(other) + carry;
            carry = sum >> 8;
            u8::try_from(sum & 0xff).unwrap()
        })
        .collect()
}

#[rstest]
#[case(Algorithm::ES256, 32)]
#[case(Algorithm::ES384, 48)]
fn cve_2022_21449_an_all_zero_ecdsa_signature_is_rejected(
    #[case] algorithm: Algorithm,
    #[case] length: usize,
) {
    let fixture = Fixture::with_key(&KeyPair::cached(algorithm, 0), |issuer| issuer);
    let token = fixture.token().sign();
    fixture.verify_ok(&token);
    let good = decode(split_token(&token)[2]);
    let (zero, one) = (vec![0; length], [vec![0; length - 1], vec![1]].concat());
    let (r, s) = good.split_at(length);
    let pairs: [(&[u8], &[u8]); 6] = [
        (&zero, &zero),
        (&zero, s),
        (r, &zero),
        (&zero, &one),
        (&one, &zero),
        (&one, &one),
    ];
    for (r, s) in pairs {
        assert_rejected!(
            fixture,
            with_signature(&fixture, &[r, s].concat()),
            "INVALID_SIGNATURE",
            AuthError::InvalidSignature
        );
    }
}

#[test]
fn ecdsa_values_not_below_the_group_order_are_rejected() {
    let fixture = Fixture::new();
    let good = decode(split_token(&fixture.token().sign())[2]);
    let (r, s) = good.split_at(32);
    for (r, s) in [
        (P256.as_slice(), s),
        (r, P256.as_slice()),
        (&P256, &P256),
        (&[0xff; 32], s),
        (r, &[0xff; 32]),
    ] {
        assert_rejected!(
            fixture,
            with_signature(&fixture, &[r, s].concat()),
            "INVALID_SIGNATURE",
            AuthError::InvalidSignature
        );
    }
}

#[test]
fn ecdsa_signatures_are_malleable_in_s() {
    // RFC 7518 does not require a low s, so two different signatures are valid for one message. A
    // revocation list must therefore contain `jti` or `sub`, not tokens or their hashes.
    let fixture = Fixture::new();
    let token = fixture.token().sign();
    let [header, payload, signature] = split_token(&token);
    let (r, s) = decode(signature).split_at(32).into_owned();
    let other = format!(
        "{header}.{payload}.{}",
        encode(&[r, minus(&P256, &s)].concat())
    );
    assert_ne!(other, token);
    fixture.verify_ok(&token);
    fixture.verify_ok(&other);
}

#[rstest]
fn a_der_encoded_ecdsa_signature_is_rejected(
    #[values(Algorithm::ES256, Algorithm::ES384)] algorithm: Algorithm,
) {
    let fixture = Fixture::with_key(&KeyPair::cached(algorithm, 0), |issuer| issuer);
    let token = fixture.token().sign();
    let [header, payload, signature] = split_token(&token);
    let der = der_signature(&decode(signature));
    assert_rejected!(
        fixture,
        format!("{header}.{payload}.{}", encode(&der)),
        "INVALID_SIGNATURE",
        AuthError::InvalidSignature
    );
    fixture.verify_ok(&token);
}

#[test]
fn an_ecdsa_signature_without_leading_zeros_is_rejected() {
    let fixture = Fixture::new();
    // In one of 256 signatures, r starts with a zero byte.
    let token = (0..10_000)
        .map(|_| fixture.token().sign())
        .find(|token| decode(split_token(token)[2])[0] == 0)
        .expect("one key or signature in 256 matches");
    fixture.verify_ok(&token);
    let [header, payload, signature] = split_token(&token);
    let short = format!("{header}.{payload}.{}", encode(&decode(signature)[1..]));
    assert_rejected!(
        fixture,
        short,
        "INVALID_SIGNATURE",
        AuthError::InvalidSignature
    );
}

#[test]
fn a_noncanonical_ed25519_signature_is_rejected() {
    let fixture = Fixture::with_key(&KeyPair::cached(Algorithm::EdDSA, 0), |issuer| issuer);
    let token = fixture.token().sign();
    fixture.verify_ok(&token);
    let [header, payload, signature] = split_token(&token);
    let (r, s) = decode(signature).split_at(32).into_owned();
    // S and S + L are congruent; RFC 8032 §5.1.7 accepts only the smaller one.
    let other = format!(
        "{header}.{payload}.{}",
        encode(&[r, plus(&s, &ED25519)].concat())
    );
    assert_ne!(other, token);
    assert_rejected!(
        fixture,
        other,
        "INVALID_SIGNATURE",
        AuthError::InvalidSignature
    );
}

#[test]
fn degenerate_ed25519_signatures_are_rejected() {
    let fixture = Fixture::with_key(&KeyPair::cached(Algorithm::EdDSA, 0), |issuer| issuer);
    let good = decode(split_token(&fixture.token().sign())[2]);
    let identity = [vec![1], vec![0; 63]].concat();
    let others = [
        vec![0; 64],
        identity,
        good[..63].to_vec(),
        [good.as_slice(), &[0]].concat(),
        [&[0], good.as_slice()].concat(),
        vec![0xff; 64],
    ];
    for other in others {
        assert_rejected!(
            fixture,
            with_signature(&fixture, &other),
            "INVALID_SIGNATURE",
            AuthError::InvalidSignature
        );
    }
}

/// Converts two slices into owned vectors.
trait Halves {
    fn into_owned(self) -> (Vec<u8>, Vec<u8>);
}

impl Halves for (&[u8], &[u8]) {
    fn into_owned(self) -> (Vec<u8>, Vec<u8>) {
        (self.0.to_vec(), self.1.to_vec())
    }
}
