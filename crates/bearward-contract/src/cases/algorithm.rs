//! The verifier is talked into another algorithm than the key's.

use bearward::Algorithm;
use bearward_testing::signing::{Token, encode, hmac_sha256};
use serde_json::json;

use super::Group;
use crate::{
    case::{Case, Precondition, Severity},
    forge::{signed, with_signature},
};

pub(super) const GROUP: Group = Group {
    name: "alg",
    title: "the server chooses the algorithm, never the token",
    hint: "pin the algorithms where the token is verified: jose `{ algorithms: ['RS256'] }`, PyJWT `algorithms=[\"RS256\"]`, Spring \
           `jwsAlgorithm(RS256)`, golang-jwt `WithValidMethods`, and give the verifier a public key object, never its text",
    timed: false,
    cases,
};

/// RFC 7518 §3.6: no algorithm at all.
const NONE: [(&str, &str, &str); 8] = [
    ("alg.none.lower-case", "none", "alg none, no signature"),
    ("alg.none.upper-case", "NONE", "alg NONE, no signature"),
    ("alg.none.capitalised", "None", "alg None, no signature"),
    ("alg.none.mixed-case", "nOnE", "alg nOnE, no signature"),
    (
        "alg.none.space",
        "none ",
        "alg none and a space, no signature",
    ),
    (
        "alg.none.leading-space",
        " none",
        "alg a space and none, no signature",
    ),
    ("alg.none.nul", "none\0", "alg none and a NUL, no signature"),
    ("alg.none.null", "null", "alg null as a word, no signature"),
];

/// CVE-2015-9235: the public key as the secret, in the encodings of `KeyPair::public_encodings`.
const ENCODINGS: [(&str, &str, &str); 6] = [
    ("alg.hmac.pem", "pem", "HS256 by the public key's PEM"),
    (
        "alg.hmac.pem-trimmed",
        "pem without the last line's end",
        "HS256 by the public key's PEM without the last line's end",
    ),
    ("alg.hmac.der", "der", "HS256 by the public key's DER"),
    (
        "alg.hmac.raw",
        "raw",
        "HS256 by the public key's modulus or point",
    ),
    ("alg.hmac.jwk", "jwk", "HS256 by the public JWK's text"),
    ("alg.hmac.empty", "empty", "HS256 by an empty secret"),
];

/// Secrets that stand in documentation.
const KNOWN_SECRETS: [(&str, &str, &str); 4] = [
    (
        "alg.hmac.known.secret",
        "secret",
        "HS256 by the secret \"secret\"",
    ),
    (
        "alg.hmac.known.your-256-bit-secret",
        "your-256-bit-secret",
        "HS256 by the secret of jwt.io's example",
    ),
    (
        "alg.hmac.known.supabase-local",
        "super-secret-jwt-token-with-at-least-32-characters-long",
        "HS256 by the secret of every local Supabase",
    ),
    (
        "alg.hmac.known.change-me",
        "change-me",
        "HS256 by the secret \"change-me\"",
    ),
];

const UNLISTED: [(&str, Algorithm); 9] = [
    ("alg.unlisted.rs256", Algorithm::RS256),
    ("alg.unlisted.rs384", Algorithm::RS384),
    ("alg.unlisted.rs512", Algorithm::RS512),
    ("alg.unlisted.ps256", Algorithm::PS256),
    ("alg.unlisted.ps384", Algorithm::PS384),
    ("alg.unlisted.ps512", Algorithm::PS512),
    ("alg.unlisted.es256", Algorithm::ES256),
    ("alg.unlisted.es384", Algorithm::ES384),
    ("alg.unlisted.eddsa", Algorithm::EdDSA),
];

fn cases() -> Vec<Case> {
    let mut cases = none();
    cases.extend(hmac());
    cases.extend(swapped());
    cases.extend(UNLISTED.map(|(id, algorithm)| {
        Case::refused(
            id,
            "a right signature of an algorithm that is not listed",
            move |f| f.token_by(f.key_of(algorithm)).sign(),
        )
        .severity(Severity::Medium)
        .needs(Precondition::Unlisted(algorithm))
        .rationale(
            "what is accepted is a list, and this is not on it",
            "RFC 8725 §3.1",
        )
    }));
    cases
}

fn none() -> Vec<Case> {
    let mut cases: Vec<Case> = NONE
        .map(|(id, alg, title)| {
            Case::refused(id, title, move |f| f.token().header("alg", alg).unsigned())
        })
        .into();
    cases.extend([
        Case::refused(
            "alg.none.with-signature",
            "alg none, and a signature of zeros",
            |f| with_signature(&f.token().header("alg", "none"), &[0; 64]),
        ),
        Case::refused(
            "alg.none.rightly-signed",
            "alg none, and the right signature by the good key",
            |f| f.token().header("alg", "none").sign(),
        )
        .requires_issuer(),
        Case::refused("alg.none.no-dot", "alg none, and no second dot", |f| {
            signed(&f.token().header("alg", "none"))
        }),
        Case::refused("alg.none.no-kid", "alg none without kid", |f| {
            f.token()
                .header("alg", "none")
                .without_header("kid")
                .unsigned()
        }),
    ]);
    let why = "anybody writes such a token, with any subject";
    cases
        .into_iter()
        .map(|case| {
            case.rationale(
                why,
                "RFC 7518 §3.6, RFC 8725 §3.2, CVE-2015-9235, CVE-2026-23993",
            )
        })
        .collect()
}

fn hmac() -> Vec<Case> {
    let mut cases: Vec<Case> = ENCODINGS
        .map(|(id, encoding, title)| {
            Case::refused(id, title, move |f| {
                f.hmac("HS256", None, &public(&f.key(), encoding))
            })
        })
        .into();
    cases.extend([
        Case::refused("alg.hmac.hs384", "HS384 by the public key's PEM", |f| {
            f.hmac("HS384", None, &public(&f.key(), "pem"))
        }),
        Case::refused("alg.hmac.hs512", "HS512 by the public key's PEM", |f| {
            f.hmac("HS512", None, &public(&f.key(), "pem"))
        }),
        Case::refused(
            "alg.hmac.no-kid",
            "HS256 by the public key's PEM, without kid",
            |f| {
                let token = f.token().header("alg", "HS256").without_header("kid");
                token.sign_hmac(&public(&f.key(), "pem"))
            },
        ),
        Case::refused(
            "alg.hmac.own-name",
            "an HMAC by the public key's PEM under the key's own algorithm",
            |f| f.token().sign_hmac(&public(&f.key(), "pem")),
        ),
        Case::refused("alg.hmac.kid", "HS256 by the kid", |f| {
            f.hmac("HS256", None, f.key().kid().as_bytes())
        }),
        Case::refused(
            "alg.hmac.modulus-text",
            "HS256 by the text of the JWK's n or x",
            |f| {
                let jwk = f.key().jwk();
                let text = jwk
                    .get("n")
                    .or_else(|| jwk.get("x"))
                    .and_then(serde_json::Value::as_str)
                    .unwrap_or_default()
                    .to_owned();
                f.hmac("HS256", None, text.as_bytes())
            },
        ),
    ]);
    let confused =
        "the public key is public: whoever takes it for an HMAC secret lets everybody sign";
    let mut cases: Vec<Case> = cases
        .into_iter()
        .map(|case| {
            case.rationale(
                confused,
                "RFC 8725 §3.1, CVE-2015-9235, CVE-2022-29217, CVE-2026-22817",
            )
        })
        .collect();
    let known = "a secret that stands in documentation is a secret that everybody has";
    cases.extend(KNOWN_SECRETS.map(|(id, secret, title)| {
        Case::refused(id, title, move |f| f.hmac("HS256", None, secret.as_bytes()))
            .rationale(known, "RFC 8725 §3.5")
            .hint("remove the shared secret from the server's configuration: its tokens are verified with the published keys")
    }));
    cases
}

fn swapped() -> Vec<Case> {
    let other = "a key serves one algorithm; who lets the header choose another lets it choose a weaker one";
    let rs = |alg: Algorithm| {
        move |f: &crate::forge::Forge| {
            let key = f.rsa();
            f.token_by(key.clone().with_algorithm(alg))
                .kid(key.kid())
                .sign()
        }
    };
    let cases = [
        Case::refused(
            "alg.swap.rs512",
            "the key of RS256 signs RS512",
            rs(Algorithm::RS512),
        ),
        Case::refused(
            "alg.swap.ps256",
            "the key of RS256 signs PS256",
            rs(Algorithm::PS256),
        ),
    ];
    let mut cases: Vec<Case> = cases
        .map(|case| {
            let case = case
                .severity(Severity::Medium)
                .needs(Precondition::Exactly(Algorithm::RS256));
            case.rationale(other, "RFC 8725 §3.1, RFC 7517 §4.4, CVE-2026-48523")
        })
        .into();
    cases.extend([
        Case::refused(
            "alg.header-lies",
            "a right signature under another algorithm's name",
            |f| {
                let key = f.key();
                let lie = if key.algorithm() == Algorithm::RS384 {
                    "RS512"
                } else {
                    "RS384"
                };
                f.token().header("alg", lie).sign()
            },
        )
        .requires_issuer()
        .rationale("the header's name was not looked at", "RFC 7515 §5.2"),
        Case::refused("alg.unknown", "an algorithm that nobody knows", |f| {
            f.token().header("alg", "XS256").sign()
        })
        .requires_issuer()
        .rationale("what is not known cannot be verified", "RFC 7515 §5.2"),
        Case::refused("alg.key-wrapping", "an algorithm that wraps keys", |f| {
            f.token().header("alg", "dir").sign()
        })
        .requires_issuer()
        .rationale("what encrypts does not sign", "RFC 7518 §4.1"),
        Case::refused(
            "alg.pbes2",
            "an algorithm that derives keys, two billion rounds of it",
            |f| {
                f.token()
                    .header("alg", "PBES2-HS256+A128KW")
                    .header("p2s", "AAAA")
                    .header("p2c", json!(2_000_000_000_u64))
                    .sign()
            },
        )
        .severity(Severity::High)
        .rationale(
            "a stranger chooses how long the server computes",
            "CVE-2022-36083",
        ),
        Case::refused(
            "alg.hmac.padded",
            "an HMAC as long as the right signature",
            |f| {
                let token = f.token();
                let tag = hmac_sha256(&public(&f.key(), "pem"), signed(&token).as_bytes());
                let length = f.key().sign(b"").len();
                let text = Token::new(token.header_members(), token.claims()).signed();
                format!(
                    "{text}.{}",
                    encode(&tag.repeat(length.div_ceil(32))[..length])
                )
            },
        )
        .rationale(
            "a signature is verified, not compared in part",
            "CVE-2022-29217",
        ),
    ]);
    cases
}

fn public(key: &bearward_testing::signing::KeyPair, encoding: &str) -> Vec<u8> {
    key.public_encodings()
        .into_iter()
        .find(|(name, _)| *name == encoding)
        .map(|(_, bytes)| bytes)
        .unwrap_or_default()
}
