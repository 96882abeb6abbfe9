//! Where the key comes from: the issuer's set alone, by an exact kid.

use bearward_testing::signing::Token;
use serde_json::{Value, json};
use uuid::Uuid;

use super::Group;
use crate::{
    case::{Case, Precondition, Severity},
    forge::Forge,
};

pub(super) const GROUP: Group = Group {
    name: "key",
    title: "the key comes from the issuer's set alone",
    hint: "take the key from the fetched set by `kid` and algorithm, and never from the token: no `jwk`, `x5c`, `jku` or `x5u` of the header, \
           no path or query built from `kid`",
    timed: false,
    cases,
};

const INJECTION: &str = "a kid is looked up, never opened, queried or run";

/// What is found there, and the kid that leads there.
const INJECTIONS: [(&str, &str, &str, &[u8]); 5] = [
    (
        "key.kid.dev-null",
        "kid is a path to an empty file, HMAC by nothing",
        "../../../../../../../../dev/null",
        b"",
    ),
    (
        "key.kid.file",
        "kid is a path to a file that everybody has",
        "../../../../../../../../proc/sys/kernel/randomize_va_space",
        b"2\n",
    ),
    (
        "key.kid.sql",
        "kid is a query that gives a secret",
        "x' UNION SELECT 'secret' -- ",
        b"secret",
    ),
    (
        "key.kid.ldap",
        "kid is a filter that everything matches",
        "*)(objectClass=*",
        b"",
    ),
    ("key.kid.shell", "kid is a command", "$(id)`id`|id;id", b""),
];

/// Signed by a stranger: names that are there in every object of some languages, and other shapes.
const STRANGE: [(&str, &str, &str); 6] = [
    ("key.kid.proto", "kid is __proto__", "__proto__"),
    ("key.kid.constructor", "kid is constructor", "constructor"),
    ("key.kid.to-string", "kid is toString", "toString"),
    ("key.kid.empty", "kid is empty", ""),
    ("key.kid.number", "kid is the number of a place", "0"),
    (
        "key.kid.format",
        "kid is a format string and ends lines",
        "%n%s{0}${jndi:ldap://127.0.0.1:9/a}\r\nX-Injected: 1",
    ),
];

fn cases() -> Vec<Case> {
    let stranger = |kid: &'static str| {
        move |f: &Forge| {
            Token::new(f.token().kid(kid).header_members(), f.token().claims()).sign(&f.stranger())
        }
    };
    let mut cases = vec![
        Case::refused(
            "key.embedded-jwk",
            "the forger's key in the header, under the issuer's kid",
            |f| {
                let own = f.stranger();
                let token = f.token().header("jwk", Value::from(own.jwk()));
                Token::new(token.header_members(), token.claims()).sign(&own)
            },
        )
        .rationale(
            "the token brings the key that it is verified with",
            "CVE-2018-0114, RFC 8725 §3.10",
        ),
        Case::refused(
            "key.embedded-jwk-no-kid",
            "the forger's key in the header, without kid",
            |f| {
                let own = f.stranger();
                let token = f
                    .token()
                    .without_header("kid")
                    .header("jwk", Value::from(own.jwk()));
                Token::new(token.header_members(), token.claims()).sign(&own)
            },
        )
        .rationale(
            "the token brings the key that it is verified with",
            "CVE-2018-0114, RFC 8725 §3.10",
        ),
        Case::refused("key.embedded-x5c", "the forger's public key in x5c", |f| {
            let own = f.stranger();
            let der = own
                .public_encodings()
                .into_iter()
                .find(|(name, _)| *name == "der")
                .map(|(_, der)| der)
                .unwrap_or_default();
            let token = f
                .token()
                .header("x5c", json!([base64_simd::STANDARD.encode_to_string(der)]));
            Token::new(token.header_members(), token.claims()).sign(&own)
        })
        .rationale(
            "the token brings the key that it is verified with",
            "RFC 8725 §3.10",
        ),
        Case::refused(
            "key.unknown-kid",
            "a stranger's signature under a kid that nobody has published",
            |f| {
                let token = f.token().kid(&Uuid::new_v4().to_string());
                Token::new(token.header_members(), token.claims()).sign(&f.stranger())
            },
        )
        .rationale(
            "what no key of the issuer verifies was not signed by the issuer",
            "RFC 7515 §5.2",
        ),
        Case::refused(
            "key.no-kid-stranger",
            "a stranger's signature without kid",
            |f| {
                let token = f.token().without_header("kid");
                Token::new(token.header_members(), token.claims()).sign(&f.stranger())
            },
        )
        .rationale(
            "what no key of the issuer verifies was not signed by the issuer",
            "RFC 7515 §5.2",
        ),
        Case::refused(
            "key.of-another-issuer",
            "a token by the key of another issuer, under its kid",
            |f| {
                f.token_by(f.canary.key.clone().with_algorithm(f.rsa().algorithm()))
                    .sign()
            },
        )
        .needs(Precondition::Rsa)
        .rationale(
            "keys belong to one issuer",
            "RFC 8725 §3.8, GHSA-75c5-xw7c-p5pm",
        ),
        Case::refused("key.kid.long", "a kid of 4000 characters", |f| {
            let token = f.token().kid(&"k".repeat(4000));
            Token::new(token.header_members(), token.claims()).sign(&f.stranger())
        })
        .severity(Severity::High)
        .rationale(
            "a kid that fills caches and logs costs memory",
            "RFC 7515 §4.1.4",
        ),
        Case::refused(
            "key.kid.case",
            "a good token whose kid has another case",
            |f| {
                let kid = f.key().kid().to_uppercase();
                f.token().kid(&kid).sign()
            },
        )
        .strict()
        .severity(Severity::Low)
        .rationale("kids are compared with their case", "RFC 7515 §4.1.4"),
        Case::refused(
            "key.kid.other",
            "a good token under a kid that nobody has published",
            |f| f.token().kid(&Uuid::new_v4().to_string()).sign(),
        )
        .strict()
        .severity(Severity::Medium)
        .rationale(
            "who tries every key does a stranger's bidding, as often as he asks",
            "RFC 7515 §4.1.4",
        ),
        Case::refused(
            "key.kid.beginning",
            "a good token whose kid is the beginning of a published one",
            |f| {
                let kid = f.key().kid()[..8].to_owned();
                f.token().kid(&kid).sign()
            },
        )
        .strict()
        .severity(Severity::Medium)
        .rationale("a kid is compared whole", "RFC 7515 §4.1.4"),
    ];
    cases.extend(INJECTIONS.map(|(id, title, kid, secret)| {
        Case::refused(id, title, move |f| f.hmac("HS256", Some(kid), secret))
            .rationale(INJECTION, "RFC 7515 §4.1.4, RFC 8725 §3.10")
    }));
    cases.extend(STRANGE.map(|(id, title, kid)| {
        Case::refused(id, title, stranger(kid))
            .rationale(INJECTION, "RFC 7515 §4.1.4, RFC 8725 §3.10")
    }));
    cases
}
