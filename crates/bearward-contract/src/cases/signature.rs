//! Invalid signatures, and signatures of other data.
#![allow(clippy::too_many_lines, reason = "a list of cases")]

use bearward::Algorithm;
use bearward_testing::signing::{Token, der_signature, encode};

use crate::{
    case::{Case, Precondition, Severity},
    forge::{Forge, decode, header, payload, signing_input, split, with_signature},
    group::Group,
};

pub(crate) const GROUP: Group = Group {
    name: "sig",
    title: "the signature covers every byte",
    hint: "call the verifying function of the library, not the decoding one: jose `jwtVerify` instead of `decodeJwt`, PyJWT without \
           `verify_signature=False`, golang-jwt `Parse` instead of `ParseUnverified`; keep the crypto library up to date",
    timed: false,
    cases,
};

/// The order of the P-256 group.
const P256_ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6,
    0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

/// The order of the Ed25519 base point, little-endian.
const ED25519_ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

fn cases() -> Vec<Case> {
    let mut cases = vec![
        Case::rejected("sig.empty", "no signature", |f| f.token().unsigned()),
        Case::rejected(
            "sig.tampered-payload",
            "a changed subject with the original signature",
            |f| f.token().tampered(),
        ),
        Case::rejected(
            "sig.tampered-header",
            "a header member added after signing",
            |f| {
                let token = f.token();
                let signature = decode(&split(&token.clone().sign())[2]);
                with_signature(&token.header("x", 1), &signature)
            },
        ),
        Case::rejected(
            "sig.untrusted-key",
            "a signature with an attacker's key and the issuer's kid",
            |f| f.token().signed_by_stranger(),
        ),
        Case::rejected(
            "sig.of-another-token",
            "the signature of another valid token",
            |f| format!("{}.{}", signing_input(&f.token()), f.parts()[2]),
        ),
        Case::rejected(
            "sig.flipped-bit",
            "one bit of the signature is flipped",
            |f| {
                with_changed_signature(f, |signature| {
                    let middle = signature.len() / 2;
                    signature[middle] ^= 1;
                })
            },
        ),
        Case::rejected(
            "sig.truncated",
            "the signature without its last byte",
            |f| with_changed_signature(f, |signature| signature.truncate(signature.len() - 1)),
        ),
        Case::rejected("sig.half", "the first half of the signature", |f| {
            with_changed_signature(f, |signature| signature.truncate(signature.len() / 2))
        }),
        Case::rejected("sig.zeros", "a signature of zeros", |f| {
            with_changed_signature(f, |signature| signature.fill(0))
        }),
        Case::rejected("sig.one", "a signature that is the number one", |f| {
            with_changed_signature(f, |signature| {
                signature.fill(0);
                if let Some(last) = signature.last_mut() {
                    *last = 1;
                }
            })
        }),
        Case::rejected(
            "sig.payload-only",
            "a signature that covers only the payload",
            |f| {
                let token = f.token();
                with_signature(&token, &f.key().sign(payload(&token).as_bytes()))
            },
        ),
        Case::rejected(
            "sig.decoded",
            "a signature of header and payload before base64url encoding",
            |f| {
                let token = f.token();
                let text = format!("{}.{}", header(&token), payload(&token));
                with_signature(&token, &f.key().sign(text.as_bytes()))
            },
        ),
        Case::rejected(
            "sig.extended",
            "a valid signature with one more byte",
            |f| with_changed_signature(f, |signature| signature.push(0)),
        )
        .severity(Severity::Medium),
    ];
    cases.extend(ecdsa());
    cases.extend(eddsa());
    cases.extend([
        Case::rejected("sig.rsa.modulus", "a signature that is the modulus", |f| {
            let key = f.rsa_key();
            let modulus = key
                .jwk()
                .get("n")
                .and_then(serde_json::Value::as_str)
                .map(decode)
                .unwrap_or_default();
            with_signature(&f.token_signed_by(key), &modulus)
        })
        .requires(Precondition::Rsa)
        .rationale(
            "a signature must be smaller than the modulus",
            "RFC 8017 §5.2.2",
        ),
    ]);
    let rationale = "without this check anyone can forge a token";
    cases
        .into_iter()
        .map(|case| case.default_rationale(rationale, "RFC 7515 §5.2"))
        .collect()
}

/// Replaces the signature of a valid token.
fn with_changed_signature(f: &Forge, change: impl FnOnce(&mut Vec<u8>)) -> String {
    let [header, payload, signature] = f.parts();
    let mut signature = decode(&signature);
    change(&mut signature);
    format!("{header}.{payload}.{}", encode(&signature))
}

fn ecdsa() -> Vec<Case> {
    let pair = |make: fn(&[u8], &[u8]) -> Vec<u8>| {
        move |f: &Forge| {
            let token = f.token_signed_by(f.key_for(Algorithm::ES256));
            let valid = decode(&split(&token.clone().sign())[2]);
            let (r, s) = valid.split_at(valid.len() / 2);
            with_signature(&token, &make(r, s))
        }
    };
    let zero =
        "if r and s are not checked, zeros verify for every message (\"psychic signatures\")";
    let format = "a JWS ECDSA signature consists of exactly two 32-byte numbers";
    let (cve, rfc) = ("CVE-2022-21449, RFC 7518 §3.4", "RFC 7518 §3.4");
    let cases = [
        Case::rejected(
            "sig.ecdsa.zeros",
            "ECDSA with r = s = 0",
            pair(|r, s| vec![0; r.len() + s.len()]),
        )
        .rationale(zero, cve),
        Case::rejected(
            "sig.ecdsa.r-zero",
            "ECDSA with r = 0",
            pair(|_, s| [&[0; 32], s].concat()),
        )
        .rationale(zero, cve),
        Case::rejected(
            "sig.ecdsa.s-zero",
            "ECDSA with s = 0",
            pair(|r, _| [r, &[0; 32]].concat()),
        )
        .rationale(zero, cve),
        Case::rejected(
            "sig.ecdsa.order",
            "ECDSA with r and s equal to the order of the curve",
            pair(|_, _| [P256_ORDER, P256_ORDER].concat()),
        )
        .rationale(zero, cve),
        Case::rejected(
            "sig.ecdsa.der",
            "a valid ECDSA signature in DER",
            pair(|r, s| der_signature(&[r, s].concat())),
        )
        .severity(Severity::Medium)
        .rationale(format, rfc),
    ];
    cases.map(|case| case.requires(Precondition::Es256)).into()
}

fn eddsa() -> Vec<Case> {
    let add_order = |s: &[u8]| -> Vec<u8> {
        let mut carry = 0;
        let bytes = s.iter().zip(ED25519_ORDER).map(|(&one, other)| {
            let sum = u16::from(one) + u16::from(other) + carry;
            carry = sum >> 8;
            u8::try_from(sum & 0xff).unwrap_or(u8::MAX)
        });
        bytes.collect()
    };
    let cases = [
        Case::rejected(
            "sig.eddsa.identity",
            "Ed25519 with R = identity and S = 0",
            |f| {
                let key = f.key_for(Algorithm::EdDSA);
                with_signature(
                    &f.token_signed_by(key),
                    &[&[1], [0; 63].as_slice()].concat(),
                )
            },
        )
        .rationale("it verifies with keys of small order", "RFC 8032 §5.1.7"),
        Case::rejected(
            "sig.eddsa.other-spelling",
            "a valid Ed25519 signature with the group order added to S",
            move |f| {
                let token = f.token_signed_by(f.key_for(Algorithm::EdDSA));
                let valid = decode(&split(&token.clone().sign())[2]);
                let (r, s) = valid.split_at(valid.len() / 2);
                Token::new(token.header_members(), token.claims())
                    .with_signature(&[r, &add_order(s)].concat())
            },
        )
        .severity(Severity::Low)
        .rationale("a token then has two valid encodings", "RFC 8032 §5.1.7"),
    ];
    cases.map(|case| case.requires(Precondition::EdDsa)).into()
}
