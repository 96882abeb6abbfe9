//! Rule 8: the signature is over the exact bytes received.

use {Algorithm, AuthError};
use bearward_testing::{KeyPair, Token, encode, tamper};

use crate::stand::{Stand, decode, parts, refused};

#[test]
fn each_algorithm_accepts_its_own_signature_and_no_other_keys() {
    for algorithm in Algorithm::ALL {
        let key = match algorithm {
            Algorithm::ES256 | Algorithm::ES384 | Algorithm::EdDSA => KeyPair::shared(algorithm, 0),
            // One RSA key plays all six parts: to make one takes long.
            _ => KeyPair::shared(Algorithm::RS256, 0).with_algorithm(algorithm),
        };
        let stranger = match algorithm {
            Algorithm::ES256 | Algorithm::ES384 | Algorithm::EdDSA => KeyPair::shared(algorithm, 1),
            _ => KeyPair::shared(Algorithm::RS256, 1).with_algorithm(algorithm),
        };
        let stand = Stand::of(&key, |issuer| issuer);
        let good = stand.token();
        stand.accepts(&good.clone().sign());
        let forged =
            Token::new(good.header_members(), good.claims()).sign(&stranger.with_kid(key.kid()));
        refused!(
            stand,
            forged,
            "INVALID_SIGNATURE",
            AuthError::InvalidSignature
        );
        refused!(
            stand,
            tamper(&good.sign()),
            "INVALID_SIGNATURE",
            AuthError::InvalidSignature
        );
    }
}

#[test]
fn the_same_claims_in_another_spelling_are_not_what_was_signed() {
    let stand = Stand::new();
    let token = stand.token().sign();
    let [header, payload, signature] = parts(&token);
    let spaced = encode(&[b" ", decode(payload).as_slice()].concat());
    refused!(
        stand,
        format!("{header}.{spaced}.{signature}"),
        "INVALID_SIGNATURE",
        AuthError::InvalidSignature
    );
    let spaced = encode(&[decode(header).as_slice(), b" "].concat());
    refused!(
        stand,
        format!("{spaced}.{payload}.{signature}"),
        "INVALID_SIGNATURE",
        AuthError::InvalidSignature
    );
}

#[test]
fn the_payload_of_one_token_does_not_go_with_the_signature_of_another() {
    let stand = Stand::new();
    let (one, two) = (
        stand.token().sub("one").sign(),
        stand.token().sub("two").sign(),
    );
    let ([header, payload, _], [_, _, signature]) = (parts(&one), parts(&two));
    refused!(
        stand,
        format!("{header}.{payload}.{signature}"),
        "INVALID_SIGNATURE",
        AuthError::InvalidSignature
    );
}

#[test]
fn the_dot_belongs_to_what_is_signed() {
    let stand = Stand::new();
    let token = stand.token().sign();
    let [header, payload, _] = parts(&token);
    let signature = encode(&stand.key.sign(format!("{header}{payload}").as_bytes()));
    refused!(
        stand,
        format!("{header}.{payload}.{signature}"),
        "INVALID_SIGNATURE",
        AuthError::InvalidSignature
    );
    let signature = encode(&stand.key.sign(format!("{header}.{payload}").as_bytes()));
    stand.accepts(&format!("{header}.{payload}.{signature}"));
}

#[test]
fn any_altered_byte_of_a_token_is_refused() {
    let key = KeyPair::shared(Algorithm::EdDSA, 0);
    let stand = Stand::of(&key, |issuer| issuer);
    let token = stand.token().sign();
    stand.accepts(&token);
    for at in 0..token.len() {
        for other in [b'A', b'z', b'_', b'.', b'=', 0] {
            let mut bytes = token.clone().into_bytes();
            if bytes[at] != other {
                bytes[at] = other;
                let altered = String::from_utf8(bytes).unwrap();
                assert!(
                    stand.verify(&altered).is_err(),
                    "byte {at} changed to {other}"
                );
            }
        }
    }
}
