//! Key selection: only from the issuer's key set, by the exact kid.
#![allow(clippy::too_many_lines, reason = "a list of cases")]

use bearward_testing::signing::Token;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    case::{Case, Precondition, Severity},
    forge::Forge,
    group::Group,
};

pub(crate) const GROUP: Group = Group {
    name: "key",
    title: "the key comes only from the issuer's key set",
    hint: "select the key from the fetched set by `kid` and algorithm, never from the token: ignore `jwk`, `x5c`, `jku` and `x5u` headers, \
           and do not build paths or queries from `kid`",
    timed: false,
    cases,
};

const INJECTION: &str = "a kid must only be compared, never used as a path, query or command";

/// Injections through the kid: id, title, kid, and the secret that the injection would yield.
const INJECTIONS: [(&str, &str, &str, &[u8]); 5] = [
    (
        "key.kid.dev-null",
        "kid is a path to an empty file, HMAC with an empty secret",
        "../../../../../../../../dev/null",
        b"",
    ),
    (
        "key.kid.file",
        "kid is a path to a file with known content",
        "../../../../../../../../proc/sys/kernel/randomize_va_space",
        b"2\n",
    ),
    (
        "key.kid.sql",
        "kid is an SQL injection that returns a known secret",
        "x' UNION SELECT 'secret' -- ",
        b"secret",
    ),
    (
        "key.kid.ldap",
        "kid is an LDAP filter that matches everything",
        "*)(objectClass=*",
        b"",
    ),
    (
        "key.kid.shell",
        "kid is a shell command",
        "$(id)`id`|id;id",
        b"",
    ),
];

/// Kids that are inherited member names in some languages, and other unusual values, with an
/// attacker's signature.
const UNUSUAL: [(&str, &str, &str); 6] = [
    ("key.kid.proto", "kid is __proto__", "__proto__"),
    ("key.kid.constructor", "kid is constructor", "constructor"),
    ("key.kid.to-string", "kid is toString", "toString"),
    ("key.kid.empty", "kid is empty", ""),
    ("key.kid.number", "kid is an array index", "0"),
    (
        "key.kid.format",
        "kid is a format string with line breaks",
        "%n%s{0}${jndi:ldap://127.0.0.1:9/a}\r\nX-Injected: 1",
    ),
];

fn cases() -> Vec<Case> {
    let foreign_token = |kid: &'static str| {
        move |f: &Forge| {
            Token::new(f.token().kid(kid).header_members(), f.token().claims())
                .sign(&f.foreign_key())
        }
    };
    let mut cases = vec![
        Case::rejected(
            "key.embedded-jwk",
            "the attacker's key in the jwk header, with the issuer's kid",
            |f| {
                let attacker = f.foreign_key();
                let token = f.token().header("jwk", Value::from(attacker.jwk()));
                Token::new(token.header_members(), token.claims()).sign(&attacker)
            },
        )
        .rationale(
            "the token supplies its own verification key",
            "CVE-2018-0114, RFC 8725 §3.10",
        ),
        Case::rejected(
            "key.embedded-jwk-no-kid",
            "the attacker's key in the jwk header, without kid",
            |f| {
                let attacker = f.foreign_key();
                let token = f
                    .token()
                    .without_header("kid")
                    .header("jwk", Value::from(attacker.jwk()));
                Token::new(token.header_members(), token.claims()).sign(&attacker)
            },
        )
        .rationale(
            "the token supplies its own verification key",
            "CVE-2018-0114, RFC 8725 §3.10",
        ),
        Case::rejected(
            "key.embedded-x5c",
            "the attacker's public key in x5c",
            |f| {
                let attacker = f.foreign_key();
                let der = attacker
                    .public_encodings()
                    .into_iter()
                    .find(|(name, _)| *name == "der")
                    .map(|(_, der)| der)
                    .unwrap_or_default();
                let token = f
                    .token()
                    .header("x5c", json!([base64_simd::STANDARD.encode_to_string(der)]));
                Token::new(token.header_members(), token.claims()).sign(&attacker)
            },
        )
        .rationale(
            "the token supplies its own verification key",
            "RFC 8725 §3.10",
        ),
        Case::rejected(
            "key.unknown-kid",
            "an attacker's signature with an unpublished kid",
            |f| {
                let token = f.token().kid(&Uuid::new_v4().to_string());
                Token::new(token.header_members(), token.claims()).sign(&f.foreign_key())
            },
        )
        .rationale(
            "a signature that no key of the issuer verifies is not from the issuer",
            "RFC 7515 §5.2",
        ),
        Case::rejected(
            "key.no-kid-untrusted-key",
            "an attacker's signature without kid",
            |f| {
                let token = f.token().without_header("kid");
                Token::new(token.header_members(), token.claims()).sign(&f.foreign_key())
            },
        )
        .rationale(
            "a signature that no key of the issuer verifies is not from the issuer",
            "RFC 7515 §5.2",
        ),
        Case::rejected(
            "key.of-another-issuer",
            "a token signed with the key of another issuer, with its kid",
            |f| {
                f.token_signed_by(f.canary.key.clone().with_algorithm(f.rsa_key().algorithm()))
                    .sign()
            },
        )
        .requires(Precondition::Rsa)
        .rationale(
            "keys belong to one issuer",
            "RFC 8725 §3.8, GHSA-75c5-xw7c-p5pm",
        ),
        Case::rejected("key.kid.long", "a kid of 4000 characters", |f| {
            let token = f.token().kid(&"k".repeat(4000));
            Token::new(token.header_members(), token.claims()).sign(&f.foreign_key())
        })
        .severity(Severity::High)
        .rationale("long kids fill caches and logs", "RFC 7515 §4.1.4"),
        Case::rejected(
            "key.kid.case",
            "a valid token with its kid in upper case",
            |f| {
                let kid = f.key().kid().to_uppercase();
                f.token().kid(&kid).sign()
            },
        )
        .strict()
        .severity(Severity::Low)
        .rationale("kids are case-sensitive", "RFC 7515 §4.1.4"),
        Case::rejected(
            "key.kid.other",
            "a valid token with an unpublished kid",
            |f| f.token().kid(&Uuid::new_v4().to_string()).sign(),
        )
        .strict()
        .severity(Severity::Medium)
        .rationale(
            "trying every key lets an attacker multiply the cost of each request",
            "RFC 7515 §4.1.4",
        ),
        Case::rejected(
            "key.kid.beginning",
            "a valid token whose kid is a prefix of a published one",
            |f| {
                let kid = f.key().kid()[..8].to_owned();
                f.token().kid(&kid).sign()
            },
        )
        .strict()
        .severity(Severity::Medium)
        .rationale("kids are compared exactly", "RFC 7515 §4.1.4"),
    ];
    cases.extend(INJECTIONS.map(|(id, title, kid, secret)| {
        Case::rejected(id, title, move |f| f.hmac("HS256", Some(kid), secret))
            .rationale(INJECTION, "RFC 7515 §4.1.4, RFC 8725 §3.10")
    }));
    cases.extend(UNUSUAL.map(|(id, title, kid)| {
        Case::rejected(id, title, foreign_token(kid))
            .rationale(INJECTION, "RFC 7515 §4.1.4, RFC 8725 §3.10")
    }));
    cases.into_iter().map(Case::with_unknown_key).collect()
}
