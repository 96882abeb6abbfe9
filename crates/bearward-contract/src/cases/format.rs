//! Token format: three base64url parts, the first two of them JSON objects.

use bearward_testing::signing::{Token, encode};
use serde_json::json;

use crate::{
    case::{Case, Expectation, Severity},
    forge::{decode, header, payload, split},
    group::Group,
    target::Request,
};

pub(crate) const GROUP: Group = Group {
    name: "form",
    title: "only a compact JWS is accepted",
    hint: "let one well-maintained library parse and verify the token (jose `jwtVerify`, PyJWT `decode`, `NimbusJwtDecoder`, golang-jwt v5), \
           and respond to all of its errors with 401. Never decode a token before verifying it",
    timed: false,
    cases,
};

fn cases() -> Vec<Case> {
    let mut cases = vec![
        Case::rejected("form.garbage", "a word instead of a token", |_| "letmein".to_owned()),
        Case::rejected("form.header-only", "only the first part", |f| f.parts()[0].clone()),
        Case::rejected("form.two-parts", "header and payload, no signature and no second dot", |f| {
            let [header, payload, _] = f.parts();
            format!("{header}.{payload}")
        })
        .rationale("a library that does not require three parts may treat it as an unsecured token", "RFC 7515 §7.1, RFC 8725 §3.2"),
        Case::rejected("form.four-parts", "a valid token with a fourth part", |f| format!("{}.AAAA", f.token().sign()))
            .requires_valid_token(),
        Case::rejected("form.five-parts", "a valid token with two more parts, like a JWE", |f| {
            format!("{}.AAAA.AAAA", f.token().sign())
        })
        .requires_valid_token(),
        Case::rejected("form.dots", "only two dots", |_| "..".to_owned()),
        Case::rejected("form.no-header", "an empty header", |f| {
            let [_, payload, signature] = f.parts();
            format!(".{payload}.{signature}")
        }),
        Case::rejected("form.no-payload", "an empty payload, correctly signed", |f| f.with_payload(""))
            .requires_issuer(),
        Case::rejected("form.json-flattened", "a valid token in the flattened JSON serialization", |f| {
            let [protected, payload, signature] = f.parts();
            json!({ "protected": protected, "payload": payload, "signature": signature }).to_string()
        })
        .requires_valid_token()
        .rationale("a second serialization needs a second parser, and allows header members that are not signed", "RFC 7515 §7.2, RFC 7519 §1"),
        Case::rejected("form.json-general", "a valid token in the general JSON serialization", |f| {
            let [protected, payload, signature] = f.parts();
            json!({ "payload": payload, "signatures": [{ "protected": protected, "signature": signature }] }).to_string()
        })
        .requires_valid_token()
        .rationale("a second serialization needs a second parser, and allows header members that are not signed", "RFC 7515 §7.2, RFC 7519 §1"),
        Case::rejected("form.nested", "a valid token nested as the payload of another", |f| {
            let (key, outer) = (f.key(), f.token().header("cty", "JWT"));
            Token::raw(header(&outer), f.token().sign()).sign(&key)
        })
        .requires_issuer()
        .rationale("the validated claims differ from the claims that are used", "RFC 7519 §5.2, CVE-2026-29000"),
        Case::rejected("form.encrypted", "an encrypted token", |f| {
            let header = json!({ "alg": "RSA-OAEP-256", "enc": "A256GCM", "kid": f.key().kid(), "typ": "JWT", "cty": "JWT" });
            let part = |length| encode(&vec![0x5a; length]);
            format!("{}.{}.{}.{}.{}", encode(header.to_string().as_bytes()), part(256), part(12), part(300), part(16))
        })
        .rationale("anyone can encrypt with a public key: a decrypted token is not authenticated", "CVE-2023-51774, CVE-2026-29000"),
        Case::rejected("form.encrypted-by-password", "an encrypted token whose key requires two billion PBKDF2 iterations", |_| {
            let header = json!({ "alg": "PBES2-HS512+A256KW", "enc": "A256GCM", "p2s": "AAAAAAAAAAA", "p2c": 2_000_000_000_u64 });
            format!("{}.AAAA.AAAA.AAAA.AAAA", encode(header.to_string().as_bytes()))
        })
        .severity(Severity::High)
        .rationale("an attacker controls how much CPU time the server spends", "CVE-2022-36083, CVE-2023-52428"),
        Case::rejected("form.payload-trailing", "trailing data after the payload object", |f| {
            f.with_payload(format!("{}{{}}", payload(&f.token())))
        })
        .severity(Severity::Medium),
        Case::rejected("form.header-trailing", "trailing data after the header object", |f| {
            f.with_header(r#"{"alg":"{alg}","kid":"{kid}"}{}"#)
        })
        .severity(Severity::Medium),
        Case::rejected("form.header-base64", "a header that is not base64url", |f| {
            let [_, payload, signature] = f.parts();
            format!("!!!!.{payload}.{signature}")
        }),
        Case::rejected("form.payload-base64", "a payload that is not base64url, correctly signed", |f| {
            let key = f.key();
            let signed = format!("{}.{}", f.parts()[0], "!!!!");
            format!("{signed}.{}", encode(&key.sign(signed.as_bytes())))
        })
        .requires_issuer(),
        Case::rejected("form.signature-base64", "a signature that is not base64url", |f| {
            let [header, payload, _] = f.parts();
            format!("{header}.{payload}.!!!!")
        }),
        Case::rejected("form.api-key", "a Supabase API key instead of a token", |_| {
            "sb_publishable_AAAAAAAAAAAAAAAAAAAAAA_AAAAAAAA".to_owned()
        }),
        Case::rejected("form.refresh-token", "an opaque refresh token", |_| "v1.MRjRl1Wf2KxAAAAAAAAAAAAAAAAA".to_owned()),
        Case::request("form.not-ascii", "non-ASCII bytes", Expectation::RejectedRequest, |f| {
            Request::bare().authorization([b"Bearer ".as_slice(), &[0xff, 0xfe], f.token().sign().as_bytes()].concat())
        })
        .severity(Severity::Medium),
        Case::request("form.inner-space", "a valid token with a space inside", Expectation::RejectedRequest, |f| {
            let token = f.token().sign();
            let (start, end) = token.split_at(token.len() / 2);
            Request::bearer(&format!("{start} {end}"))
        })
        .severity(Severity::Medium)
        .rationale("a token contains no space: the verified text differs from the one that was sent", "RFC 6750 §2.1"),
    ];
    cases.extend(expensive());
    cases.extend(payloads());
    cases.extend(encodings());
    let rationale = "a token consists of three base64url parts, the first two of them JSON objects; anything else was not issued";
    cases
        .into_iter()
        .map(|case| case.default_rationale(rationale, "RFC 7515 §5.2, RFC 7519 §7.2"))
        .collect()
}

/// Tokens that are expensive to parse.
fn expensive() -> Vec<Case> {
    vec![
        Case::rejected("form.many-dots", "7,000 dots", |_| ".".repeat(7000))
            .severity(Severity::High)
            .rationale("splitting without a limit allocates memory for each part", "CVE-2025-30204, CVE-2025-27144"),
        Case::no_crash("form.deep-nesting", "a claim with 2,000 nested arrays", |f| {
            f.with_appended_member(&format!("\"x\":{}{}", "[".repeat(2000), "]".repeat(2000)))
        })
        .rationale(
            "a recursive parser overflows its stack and the process crashes; users can set some of their own claims",
            "RFC 8259 §9",
        ),
        Case::no_crash("form.deep-nesting-unsigned", "2,000 nested arrays in the header of an unsigned token", |f| {
            let [_, payload, signature] = f.parts();
            let header = format!("{{\"alg\":{}1{}}}", "[".repeat(2000), "]".repeat(2000));
            format!("{}.{payload}.{signature}", encode(header.as_bytes()))
        })
        .rationale("a recursive parser overflows its stack and the process crashes", "RFC 8259 §9"),
        Case::no_crash("form.oversize", "a token of 24 KiB", |f| f.token().claim("x", "a".repeat(18_000)).sign())
            .may_exceed_size_limit()
            .rationale("an oversized header must only cause a rejection", "RFC 9110 §5.4"),
    ]
}

/// Correctly signed payloads that are not JSON objects.
fn payloads() -> Vec<Case> {
    let cases = [
        Case::rejected("form.payload-array", "the payload is an array", |f| {
            f.with_payload(format!("[{}]", payload(&f.token())))
        }),
        Case::rejected("form.payload-string", "the payload is a string", |f| {
            f.with_payload("\"sub\"")
        }),
        Case::rejected("form.payload-number", "the payload is a number", |f| {
            f.with_payload("1")
        }),
        Case::rejected("form.payload-null", "the payload is null", |f| {
            f.with_payload("null")
        }),
        Case::rejected("form.payload-not-json", "the payload is text", |f| {
            f.with_payload("sub=admin")
        }),
        Case::rejected(
            "form.payload-empty-object",
            "the payload has no claims",
            |f| f.with_payload("{}"),
        ),
    ];
    cases.map(Case::requires_issuer).into()
}

/// Other encodings of a valid token. They do not grant access, but bypass components that compare
/// tokens by their bytes.
fn encodings() -> Vec<Case> {
    let rationale = "a token then has several encodings, which bypass revocation lists and caches";
    let re_encoded = |end: fn(Vec<u8>, &str) -> String| {
        move |f: &crate::forge::Forge| {
            let [header, payload, signature] = split(&f.token().sign());
            format!("{header}.{payload}.{}", end(decode(&signature), &signature))
        }
    };
    let cases = [
        Case::rejected(
            "form.padding",
            "a padded signature (=)",
            re_encoded(|_, text| format!("{text}==")),
        ),
        Case::rejected(
            "form.standard-alphabet",
            "a signature in standard base64 (+ and /)",
            |f| {
                // The alphabets differ only in two characters, which nearly every signature contains.
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
        Case::rejected(
            "form.trailing-bits",
            "non-zero trailing bits in the last character of the signature",
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
                .rationale(rationale, "RFC 7515 §2, RFC 4648 §3.5")
        })
        .into()
}
