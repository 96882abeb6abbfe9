//! Signatures that a careless check finds right: zeros, other encodings, another spelling of the
//! same (CVE-2022-21449).

use {Algorithm, AuthError};
use bearward_testing::{KeyPair, Token, der_signature, encode};
use rstest::rstest;

use crate::stand::{Stand, decode, parts, refused};

/// The order of P-256.
const P256: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6,
    0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

/// The order of Ed25519's base point, little-endian as signatures write it.
const ED25519: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

fn with_signature(stand: &Stand, signature: &[u8]) -> String {
    let token = stand.token();
    Token::new(token.header_members(), token.claims()).with_signature(signature)
}

/// `one - other` of numbers with the most significant byte first.
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

/// `one + other` of numbers with the least significant byte first.
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
fn cve_2022_21449_an_ecdsa_signature_of_zeros_is_refused(
    #[case] algorithm: Algorithm,
    #[case] length: usize,
) {
    let stand = Stand::of(&KeyPair::shared(algorithm, 0), |issuer| issuer);
    let token = stand.token().sign();
    stand.accepts(&token);
    let good = decode(parts(&token)[2]);
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
        refused!(
            stand,
            with_signature(&stand, &[r, s].concat()),
            "INVALID_SIGNATURE",
            AuthError::InvalidSignature
        );
    }
}

#[test]
fn an_ecdsa_signature_whose_numbers_reach_the_order_is_refused() {
    let stand = Stand::new();
    let good = decode(parts(&stand.token().sign())[2]);
    let (r, s) = good.split_at(32);
    for (r, s) in [
        (P256.as_slice(), s),
        (r, P256.as_slice()),
        (&P256, &P256),
        (&[0xff; 32], s),
        (r, &[0xff; 32]),
    ] {
        refused!(
            stand,
            with_signature(&stand, &[r, s].concat()),
            "INVALID_SIGNATURE",
            AuthError::InvalidSignature
        );
    }
}

#[test]
fn the_other_s_of_an_ecdsa_signature_verifies_so_nothing_may_tell_tokens_apart_by_their_bytes() {
    // RFC 7518 has no rule for a low s. A list of revoked tokens must hold `jti` or `sub`, never
    // the token.
    let stand = Stand::new();
    let token = stand.token().sign();
    let [header, payload, signature] = parts(&token);
    let (r, s) = decode(signature).split_at(32).into_owned();
    let other = format!(
        "{header}.{payload}.{}",
        encode(&[r, minus(&P256, &s)].concat())
    );
    assert_ne!(other, token);
    stand.accepts(&token);
    stand.accepts(&other);
}

#[rstest]
fn an_ecdsa_signature_in_der_is_refused(
    #[values(Algorithm::ES256, Algorithm::ES384)] algorithm: Algorithm,
) {
    let stand = Stand::of(&KeyPair::shared(algorithm, 0), |issuer| issuer);
    let token = stand.token().sign();
    let [header, payload, signature] = parts(&token);
    let der = der_signature(&decode(signature));
    refused!(
        stand,
        format!("{header}.{payload}.{}", encode(&der)),
        "INVALID_SIGNATURE",
        AuthError::InvalidSignature
    );
    stand.accepts(&token);
}

#[test]
fn an_ecdsa_signature_without_its_leading_zero_bytes_is_refused() {
    let stand = Stand::new();
    // One signature in 256 has such an r.
    let token = (0..10_000)
        .map(|_| stand.token().sign())
        .find(|token| decode(parts(token)[2])[0] == 0)
        .expect("one in 256");
    stand.accepts(&token);
    let [header, payload, signature] = parts(&token);
    let short = format!("{header}.{payload}.{}", encode(&decode(signature)[1..]));
    refused!(
        stand,
        short,
        "INVALID_SIGNATURE",
        AuthError::InvalidSignature
    );
}

#[test]
fn the_second_spelling_of_an_ed25519_signature_is_refused() {
    let stand = Stand::of(&KeyPair::shared(Algorithm::EdDSA, 0), |issuer| issuer);
    let token = stand.token().sign();
    stand.accepts(&token);
    let [header, payload, signature] = parts(&token);
    let (r, s) = decode(signature).split_at(32).into_owned();
    // S and S + L stand for the same number; RFC 8032 §5.1.7 accepts the smaller one alone.
    let other = format!(
        "{header}.{payload}.{}",
        encode(&[r, plus(&s, &ED25519)].concat())
    );
    assert_ne!(other, token);
    refused!(
        stand,
        other,
        "INVALID_SIGNATURE",
        AuthError::InvalidSignature
    );
}

#[test]
fn an_ed25519_signature_of_zeros_or_of_another_length_is_refused() {
    let stand = Stand::of(&KeyPair::shared(Algorithm::EdDSA, 0), |issuer| issuer);
    let good = decode(parts(&stand.token().sign())[2]);
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
        refused!(
            stand,
            with_signature(&stand, &other),
            "INVALID_SIGNATURE",
            AuthError::InvalidSignature
        );
    }
}

/// Two halves of their own.
trait Halves {
    fn into_owned(self) -> (Vec<u8>, Vec<u8>);
}

impl Halves for (&[u8], &[u8]) {
    fn into_owned(self) -> (Vec<u8>, Vec<u8>) {
        (self.0.to_vec(), self.1.to_vec())
    }
}
