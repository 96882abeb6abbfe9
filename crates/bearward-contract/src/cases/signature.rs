//! Signatures that are none, or none of this token.

use bearward::Algorithm;
use bearward_testing::signing::{Token, der_signature, encode};

use super::Group;
use crate::{
    case::{Case, Precondition, Severity},
    forge::{Forge, decode, payload, signed, split, with_signature},
};

pub(super) const GROUP: Group = Group {
    name: "sig",
    title: "the signature covers every byte",
    hint: "call the library's verifying function, not its decoding one: jose `jwtVerify` instead of `decodeJwt`, PyJWT without \
           `verify_signature=False`, golang-jwt `Parse` instead of `ParseUnverified`; keep the crypto library up to date",
    timed: false,
    cases,
};

/// The order of P-256.
const P256: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6,
    0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

/// The order of Ed25519's base point, the least significant byte first as signatures write it.
const ED25519: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

fn cases() -> Vec<Case> {
    let mut cases = vec![
        Case::refused("sig.empty", "no signature", |f| f.token().unsigned()),
        Case::refused(
            "sig.tampered-payload",
            "another subject under a signature of the first",
            |f| f.token().tampered(),
        ),
        Case::refused(
            "sig.tampered-header",
            "one more member of the header than was signed",
            |f| {
                let token = f.token();
                let signature = decode(&split(&token.clone().sign())[2]);
                with_signature(&token.header("x", 1), &signature)
            },
        ),
        Case::refused(
            "sig.stranger",
            "a signature by a stranger's key under the issuer's kid",
            |f| f.token().signed_by_stranger(),
        ),
        Case::refused(
            "sig.of-another-token",
            "the signature of another good token",
            |f| format!("{}.{}", signed(&f.token()), f.parts()[2]),
        ),
        Case::refused(
            "sig.flipped-bit",
            "one bit of the signature is turned",
            |f| {
                respelled(f, |signature| {
                    let middle = signature.len() / 2;
                    signature[middle] ^= 1;
                })
            },
        ),
        Case::refused("sig.truncated", "the signature lacks its last byte", |f| {
            respelled(f, |signature| signature.truncate(signature.len() - 1))
        }),
        Case::refused("sig.half", "the first half of the signature", |f| {
            respelled(f, |signature| signature.truncate(signature.len() / 2))
        }),
        Case::refused("sig.zeros", "a signature of zeros", |f| {
            respelled(f, |signature| signature.fill(0))
        }),
        Case::refused("sig.one", "the number one", |f| {
            respelled(f, |signature| {
                signature.fill(0);
                if let Some(last) = signature.last_mut() {
                    *last = 1;
                }
            })
        }),
        Case::refused(
            "sig.payload-alone",
            "a signature that covers the payload alone",
            |f| {
                let token = f.token();
                with_signature(&token, &f.key().sign(payload(&token).as_bytes()))
            },
        ),
        Case::refused(
            "sig.decoded",
            "a signature of header and payload before they were encoded",
            |f| {
                let token = f.token();
                let text = format!(
                    "{}.{}",
                    super::super::forge::header(&token),
                    payload(&token)
                );
                with_signature(&token, &f.key().sign(text.as_bytes()))
            },
        ),
        Case::refused("sig.extended", "a right signature and one byte more", |f| {
            respelled(f, |signature| signature.push(0))
        })
        .severity(Severity::Medium),
    ];
    cases.extend(ecdsa());
    cases.extend(eddsa());
    cases.extend(
        [Case::refused("sig.rsa.modulus", "the modulus itself", |f| {
            let key = f.rsa();
            let modulus = key
                .jwk()
                .get("n")
                .and_then(serde_json::Value::as_str)
                .map(decode)
                .unwrap_or_default();
            with_signature(&f.token_by(key), &modulus)
        })
        .needs(Precondition::Rsa)
        .rationale(
            "a number that is not below the modulus is no signature",
            "RFC 8017 §5.2.2",
        )],
    );
    let why = "without the check anybody writes what he likes into a token";
    cases
        .into_iter()
        .map(|case| {
            if case.why.is_empty() {
                case.rationale(why, "RFC 7515 §5.2")
            } else {
                case
            }
        })
        .collect()
}

/// A good token with another signature.
fn respelled(f: &Forge, change: impl FnOnce(&mut Vec<u8>)) -> String {
    let [header, payload, signature] = f.parts();
    let mut signature = decode(&signature);
    change(&mut signature);
    format!("{header}.{payload}.{}", encode(&signature))
}

fn ecdsa() -> Vec<Case> {
    let pair = |make: fn(&[u8], &[u8]) -> Vec<u8>| {
        move |f: &Forge| {
            let token = f.token_by(f.key_of(Algorithm::ES256));
            let good = decode(&split(&token.clone().sign())[2]);
            let (r, s) = good.split_at(good.len() / 2);
            with_signature(&token, &make(r, s))
        }
    };
    let zero =
        "two zeros verify for every message where r and s are not looked at: psychic signatures";
    let form = "two numbers of 32 bytes, and nothing else, are an ECDSA signature of JWS";
    let (cve, rfc) = ("CVE-2022-21449, RFC 7518 §3.4", "RFC 7518 §3.4");
    let cases = [
        Case::refused(
            "sig.ecdsa.zeros",
            "ECDSA with r and s zero",
            pair(|r, s| vec![0; r.len() + s.len()]),
        )
        .rationale(zero, cve),
        Case::refused(
            "sig.ecdsa.r-zero",
            "ECDSA with r zero",
            pair(|_, s| [&[0; 32], s].concat()),
        )
        .rationale(zero, cve),
        Case::refused(
            "sig.ecdsa.s-zero",
            "ECDSA with s zero",
            pair(|r, _| [r, &[0; 32]].concat()),
        )
        .rationale(zero, cve),
        Case::refused(
            "sig.ecdsa.order",
            "ECDSA with r and s the curve's order",
            pair(|_, _| [P256, P256].concat()),
        )
        .rationale(zero, cve),
        Case::refused(
            "sig.ecdsa.der",
            "a right ECDSA signature in DER",
            pair(|r, s| der_signature(&[r, s].concat())),
        )
        .severity(Severity::Medium)
        .rationale(form, rfc),
    ];
    cases.map(|case| case.needs(Precondition::Es256)).into()
}

fn eddsa() -> Vec<Case> {
    let plus = |s: &[u8]| -> Vec<u8> {
        let mut carry = 0;
        let digits = s.iter().zip(ED25519).map(|(&one, other)| {
            let sum = u16::from(one) + u16::from(other) + carry;
            carry = sum >> 8;
            u8::try_from(sum & 0xff).unwrap_or(u8::MAX)
        });
        digits.collect()
    };
    let cases = [
        Case::refused(
            "sig.eddsa.identity",
            "Ed25519 with the neutral point and zero",
            |f| {
                let key = f.key_of(Algorithm::EdDSA);
                with_signature(&f.token_by(key), &[&[1], [0; 63].as_slice()].concat())
            },
        )
        .rationale("it verifies under keys of small order", "RFC 8032 §5.1.7"),
        Case::refused(
            "sig.eddsa.other-spelling",
            "a right Ed25519 signature with S and the order added",
            move |f| {
                let token = f.token_by(f.key_of(Algorithm::EdDSA));
                let good = decode(&split(&token.clone().sign())[2]);
                let (r, s) = good.split_at(good.len() / 2);
                Token::new(token.header_members(), token.claims())
                    .with_signature(&[r, &plus(s)].concat())
            },
        )
        .severity(Severity::Low)
        .rationale("one token then has two spellings", "RFC 8032 §5.1.7"),
    ];
    cases.map(|case| case.needs(Precondition::EdDsa)).into()
}
