//! Rule 8: the signature covers the exact bytes received.

use bearward::{Algorithm, AuthError};
use bearward_testing::{KeyPair, Token, encode, tamper};

use crate::fixture::{Fixture, assert_rejected, decode, split_token};

#[test]
fn each_algorithm_rejects_signatures_by_another_key() {
    for &algorithm in Algorithm::ALL {
        let key = match algorithm {
            Algorithm::ES256 | Algorithm::ES384 | Algorithm::ES512 | Algorithm::EdDSA => {
                KeyPair::cached(algorithm, 0)
            }
            // One RSA key is used for all six algorithms, because generating one is slow.
            _ => KeyPair::cached(Algorithm::RS256, 0).with_algorithm(algorithm),
        };
        let foreign_key = match algorithm {
            Algorithm::ES256 | Algorithm::ES384 | Algorithm::ES512 | Algorithm::EdDSA => {
                KeyPair::cached(algorithm, 1)
            }
            _ => KeyPair::cached(Algorithm::RS256, 1).with_algorithm(algorithm),
        };
        let fixture = Fixture::with_key(&key, |issuer| issuer);
        let good = fixture.token();
        fixture.verify_ok(&good.clone().sign());
        let forged =
            Token::new(good.header_members(), good.claims()).sign(&foreign_key.with_kid(key.kid()));
        assert_rejected!(
            fixture,
            forged,
            "INVALID_SIGNATURE",
            AuthError::InvalidSignature
        );
        assert_rejected!(
            fixture,
            tamper(&good.sign()),
            "INVALID_SIGNATURE",
            AuthError::InvalidSignature
        );
    }
}

#[test]
fn reserialized_header_or_payload_is_rejected() {
    let fixture = Fixture::new();
    let token = fixture.token().sign();
    let [header, payload, signature] = split_token(&token);
    let spaced = encode(&[b" ", decode(payload).as_slice()].concat());
    assert_rejected!(
        fixture,
        format!("{header}.{spaced}.{signature}"),
        "INVALID_SIGNATURE",
        AuthError::InvalidSignature
    );
    let spaced = encode(&[decode(header).as_slice(), b" "].concat());
    assert_rejected!(
        fixture,
        format!("{spaced}.{payload}.{signature}"),
        "INVALID_SIGNATURE",
        AuthError::InvalidSignature
    );
}

#[test]
fn a_signature_of_another_token_is_rejected() {
    let fixture = Fixture::new();
    let (one, two) = (
        fixture.token().sub("one").sign(),
        fixture.token().sub("two").sign(),
    );
    let ([header, payload, _], [_, _, signature]) = (split_token(&one), split_token(&two));
    assert_rejected!(
        fixture,
        format!("{header}.{payload}.{signature}"),
        "INVALID_SIGNATURE",
        AuthError::InvalidSignature
    );
}

#[test]
fn the_signing_input_includes_the_dot() {
    let fixture = Fixture::new();
    let token = fixture.token().sign();
    let [header, payload, _] = split_token(&token);
    let signature = encode(&fixture.key.sign(format!("{header}{payload}").as_bytes()));
    assert_rejected!(
        fixture,
        format!("{header}.{payload}.{signature}"),
        "INVALID_SIGNATURE",
        AuthError::InvalidSignature
    );
    let signature = encode(&fixture.key.sign(format!("{header}.{payload}").as_bytes()));
    fixture.verify_ok(&format!("{header}.{payload}.{signature}"));
}

#[test]
fn every_altered_byte_is_rejected() {
    let key = KeyPair::cached(Algorithm::EdDSA, 0);
    let fixture = Fixture::with_key(&key, |issuer| issuer);
    let token = fixture.token().sign();
    fixture.verify_ok(&token);
    for at in 0..token.len() {
        for other in [b'A', b'z', b'_', b'.', b'=', 0] {
            let mut bytes = token.clone().into_bytes();
            if bytes[at] != other {
                bytes[at] = other;
                let altered = String::from_utf8(bytes).unwrap();
                assert!(
                    fixture.verify(&altered).is_err(),
                    "byte {at} changed to {other}"
                );
            }
        }
    }
}
