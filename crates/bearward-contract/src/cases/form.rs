//! The form of a token: three parts of base64url, one JSON object in each of the first two.

use bearward_testing::signing::{Token, encode};
use serde_json::json;

use super::Group;
use crate::{
    case::{Case, Expectation, Severity},
    forge::{decode, header, payload, split},
    target::Request,
};

pub(super) const GROUP: Group = Group {
    name: "form",
    title: "only a compact JWS is a token",
    hint: "let one well-kept library split and decode the token (jose `jwtVerify`, PyJWT `decode`, \
           `NimbusJwtDecoder`, golang-jwt v5), and answer \
           every error of it with 401. Never decode first and verify later",
    timed: false,
    cases,
};

fn cases() -> Vec<Case> {
    let mut cases = vec![
        Case::refused("form.garbage", "a word instead of a token", |_| "letmein".to_owned()),
        Case::refused("form.header-alone", "the first part alone", |f| f.parts()[0].clone()),
        Case::refused("form.two-parts", "header and payload, no signature and no second dot", |f| {
            let [header, payload, _] = f.parts();
            format!("{header}.{payload}")
        })
        .rationale("a library that counts parts leniently takes it for an unsecured token", "RFC 7515 §7.1, RFC 8725 §3.2"),
        Case::refused("form.four-parts", "a good token and a fourth part", |f| format!("{}.AAAA", f.token().sign()))
            .requires_valid_token(),
        Case::refused("form.five-parts", "a good token and two more parts, as an encrypted one has", |f| {
            format!("{}.AAAA.AAAA", f.token().sign())
        })
        .requires_valid_token(),
        Case::refused("form.dots", "two dots and nothing else", |_| "..".to_owned()),
        Case::refused("form.no-header", "the first part is empty", |f| {
            let [_, payload, signature] = f.parts();
            format!(".{payload}.{signature}")
        }),
        Case::refused("form.no-payload", "the payload is empty, and the signature covers that", |f| f.with_payload(""))
            .requires_issuer(),
        Case::refused("form.json-flattened", "a good token in the flattened JSON form", |f| {
            let [protected, payload, signature] = f.parts();
            json!({ "protected": protected, "payload": payload, "signature": signature }).to_string()
        })
        .requires_valid_token()
        .rationale("a second form is a second parser, and header members outside the signature", "RFC 7515 §7.2, RFC 7519 §1"),
        Case::refused("form.json-general", "a good token in the general JSON form", |f| {
            let [protected, payload, signature] = f.parts();
            json!({ "payload": payload, "signatures": [{ "protected": protected, "signature": signature }] }).to_string()
        })
        .requires_valid_token()
        .rationale("a second form is a second parser, and header members outside the signature", "RFC 7515 §7.2, RFC 7519 §1"),
        Case::refused("form.nested", "a good token signed once more as the payload of another", |f| {
            let (key, outer) = (f.key(), f.token().header("cty", "JWT"));
            Token::raw(header(&outer), f.token().sign()).sign(&key)
        })
        .requires_issuer()
        .rationale("claims that were checked and claims that are used come apart", "RFC 7519 §5.2, CVE-2026-29000"),
        Case::refused("form.encrypted", "an encrypted token", |f| {
            let header = json!({ "alg": "RSA-OAEP-256", "enc": "A256GCM", "kid": f.key().kid(), "typ": "JWT", "cty": "JWT" });
            let part = |length| encode(&vec![0x5a; length]);
            format!("{}.{}.{}.{}.{}", encode(header.to_string().as_bytes()), part(256), part(12), part(300), part(16))
        })
        .rationale("a public key encrypts for anybody: what decrypts is not signed", "CVE-2023-51774, CVE-2026-29000"),
        Case::refused("form.encrypted-by-password", "an encrypted token whose key costs two billion rounds of PBKDF2", |_| {
            let header = json!({ "alg": "PBES2-HS512+A256KW", "enc": "A256GCM", "p2s": "AAAAAAAAAAA", "p2c": 2_000_000_000_u64 });
            format!("{}.AAAA.AAAA.AAAA.AAAA", encode(header.to_string().as_bytes()))
        })
        .severity(Severity::High)
        .rationale("a stranger chooses how long the server computes", "CVE-2022-36083, CVE-2023-52428"),
        Case::refused("form.payload-trailing", "something follows the payload's object", |f| {
            f.with_payload(format!("{}{{}}", payload(&f.token())))
        })
        .severity(Severity::Medium),
        Case::refused("form.header-trailing", "something follows the header's object", |f| {
            f.with_header(r#"{"alg":"{alg}","kid":"{kid}"}{}"#)
        })
        .severity(Severity::Medium),
        Case::refused("form.header-base64", "a header that is no base64url", |f| {
            let [_, payload, signature] = f.parts();
            format!("!!!!.{payload}.{signature}")
        }),
        Case::refused("form.payload-base64", "a payload that is no base64url, signed as it stands", |f| {
            let key = f.key();
            let signed = format!("{}.{}", f.parts()[0], "!!!!");
            format!("{signed}.{}", encode(&key.sign(signed.as_bytes())))
        })
        .requires_issuer(),
        Case::refused("form.signature-base64", "a signature that is no base64url", |f| {
            let [header, payload, _] = f.parts();
            format!("{header}.{payload}.!!!!")
        }),
        Case::refused("form.api-key", "an API key of Supabase in the place of a token", |_| {
            "sb_publishable_AAAAAAAAAAAAAAAAAAAAAA_AAAAAAAA".to_owned()
        }),
        Case::refused("form.refresh-token", "an opaque refresh token", |_| "v1.MRjRl1Wf2KxAAAAAAAAAAAAAAAAA".to_owned()),
        Case::request("form.not-ascii", "bytes outside ASCII", Expectation::RefusedRequest, |f| {
            Request::bare().authorization([b"Bearer ".as_slice(), &[0xff, 0xfe], f.token().sign().as_bytes()].concat())
        })
        .severity(Severity::Medium),
        Case::request("form.inner-space", "a good token with a space in its middle", Expectation::RefusedRequest, |f| {
            let token = f.token().sign();
            let (start, end) = token.split_at(token.len() / 2);
            Request::bearer(&format!("{start} {end}"))
        })
        .severity(Severity::Medium)
        .rationale("a token has no space; whatever was checked, it was not what was sent", "RFC 6750 §2.1"),
    ];
    cases.extend(costly());
    cases.extend(payloads());
    cases.extend(spellings());
    let why = "whatever is not three parts of base64url with JSON objects was made by no issuer";
    cases
        .into_iter()
        .map(|case| {
            if case.why.is_empty() {
                case.rationale(why, "RFC 7515 §5.2, RFC 7519 §7.2")
            } else {
                case
            }
        })
        .collect()
}

/// What costs a careless reader more than it costs its sender.
fn costly() -> Vec<Case> {
    vec![
        Case::refused("form.many-dots", "seven thousand dots", |_| ".".repeat(7000))
            .severity(Severity::High)
            .rationale("splitting without a limit allocates for each", "CVE-2025-30204, CVE-2025-27144"),
        Case::survived("form.deep-nesting", "a claim that nests two thousand arrays", |f| {
            f.with_last(&format!("\"x\":{}{}", "[".repeat(2000), "]".repeat(2000)))
        })
        .rationale(
            "a recursive parser overflows its stack, and the process ends; people choose some claims of their tokens themselves",
            "RFC 8259 §9",
        ),
        Case::survived("form.deep-nesting-unsigned", "the same in the header, of nobody's token", |f| {
            let [_, payload, signature] = f.parts();
            let header = format!("{{\"alg\":{}1{}}}", "[".repeat(2000), "]".repeat(2000));
            format!("{}.{payload}.{signature}", encode(header.as_bytes()))
        })
        .rationale("a recursive parser overflows its stack, and the process ends", "RFC 8259 §9"),
        Case::survived("form.oversize", "a token of 24 KiB", |f| f.token().claim("x", "a".repeat(18_000)).sign())
            .may_be_too_large()
            .rationale("one header must not cost more than a refusal", "RFC 9110 §5.4"),
    ]
}

/// Payloads that are rightly signed and are no JSON object.
fn payloads() -> Vec<Case> {
    let cases = [
        Case::refused("form.payload-array", "the payload is an array", |f| {
            f.with_payload(format!("[{}]", payload(&f.token())))
        }),
        Case::refused("form.payload-string", "the payload is a string", |f| {
            f.with_payload("\"sub\"")
        }),
        Case::refused("form.payload-number", "the payload is a number", |f| {
            f.with_payload("1")
        }),
        Case::refused("form.payload-null", "the payload is null", |f| {
            f.with_payload("null")
        }),
        Case::refused("form.payload-not-json", "the payload is text", |f| {
            f.with_payload("sub=admin")
        }),
        Case::refused(
            "form.payload-empty-object",
            "the payload has no claims",
            |f| f.with_payload("{}"),
        ),
    ];
    cases.map(Case::requires_issuer).into()
}

/// Other spellings of a good token: nobody gets in who could not, but what compares tokens by their
/// bytes is fooled.
fn spellings() -> Vec<Case> {
    let why = "one token then has several spellings, and lists of revoked tokens and caches miss the others";
    let respelled = |end: fn(Vec<u8>, &str) -> String| {
        move |f: &crate::forge::Forge| {
            let [header, payload, signature] = split(&f.token().sign());
            format!("{header}.{payload}.{}", end(decode(&signature), &signature))
        }
    };
    let cases = [
        Case::refused(
            "form.padding",
            "the signature ends in =",
            respelled(|_, text| format!("{text}==")),
        ),
        Case::refused(
            "form.standard-alphabet",
            "the signature in the alphabet with + and /",
            |f| {
                // A signature that has a character in which the alphabets differ: nearly every one.
                let mut token = f.token().sign();
                while !split(&token)[2].contains(['-', '_']) {
                    token = f.token().sign();
                }
                let [header, payload, signature] = split(&token);
                format!(
                    "{header}.{payload}.{}",
                    signature.replace('-', "+").replace('_', "/")
                )
            },
        ),
        Case::refused(
            "form.trailing-bits",
            "the signature's last character has bits that stand for nothing",
            |f| {
                let [header, payload, signature] = f.parts();
                let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
                let last = signature
                    .bytes()
                    .last()
                    .and_then(|last| alphabet.iter().position(|known| *known == last));
                let other = last.map_or('B', |last| char::from(alphabet[(last + 1) % 64]));
                format!(
                    "{header}.{payload}.{}{other}",
                    &signature[..signature.len().saturating_sub(1)]
                )
            },
        ),
    ];
    cases
        .map(|case| {
            case.strict()
                .severity(Severity::Low)
                .rationale(why, "RFC 7515 §2, RFC 4648 §3.5")
        })
        .into()
}
