//! Algorithm confusion: tokens that try to select the verification algorithm.

use bearward::Algorithm;
use bearward_testing::signing::{encode, hmac_sha256};
use serde_json::json;

use crate::{
    case::{Case, Precondition, Severity},
    forge::{signing_input, with_signature},
    group::Group,
};

pub(crate) const GROUP: Group = Group {
    name: "alg",
    title: "the server selects the algorithm, not the token",
    hint: "pin the algorithms where the token is verified: jose `{ algorithms: ['RS256'] }`, PyJWT `algorithms=[\"RS256\"]`, Spring \
           `jwsAlgorithm(RS256)`, golang-jwt `WithValidMethods`; pass a public key object to the verifier, not its text",
    timed: false,
    cases,
};

/// Spellings of the algorithm none (RFC 7518 §3.6).
const NONE: [(&str, &str, &str); 8] = [
    ("alg.none.lower-case", "none", "alg none, no signature"),
    ("alg.none.upper-case", "NONE", "alg NONE, no signature"),
    ("alg.none.capitalised", "None", "alg None, no signature"),
    ("alg.none.mixed-case", "nOnE", "alg nOnE, no signature"),
    ("alg.none.space", "none ", "alg \"none \", no signature"),
    (
        "alg.none.leading-space",
        " none",
        "alg \" none\", no signature",
    ),
    (
        "alg.none.nul",
        "none\0",
        "alg none followed by NUL, no signature",
    ),
    (
        "alg.none.null",
        "null",
        "alg is the string \"null\", no signature",
    ),
];

/// Encodings of the public key that are used as an HMAC secret (CVE-2015-9235), from
/// `KeyPair::public_encodings`.
const ENCODINGS: [(&str, &str, &str); 6] = [
    (
        "alg.hmac.pem",
        "pem",
        "HS256 with the public key's PEM as the secret",
    ),
    (
        "alg.hmac.pem-trimmed",
        "pem without the final newline",
        "HS256 with the public key's PEM, without the trailing newline, as the secret",
    ),
    (
        "alg.hmac.der",
        "der",
        "HS256 with the public key's DER as the secret",
    ),
    (
        "alg.hmac.raw",
        "raw",
        "HS256 with the public key's modulus or point as the secret",
    ),
    (
        "alg.hmac.jwk",
        "jwk",
        "HS256 with the public JWK as the secret",
    ),
    ("alg.hmac.empty", "empty", "HS256 with an empty secret"),
];

/// Secrets from documentation.
const KNOWN_SECRETS: [(&str, &str, &str); 4] = [
    (
        "alg.hmac.known.secret",
        "secret",
        "HS256 with the secret \"secret\"",
    ),
    (
        "alg.hmac.known.your-256-bit-secret",
        "your-256-bit-secret",
        "HS256 with the secret of the jwt.io example",
    ),
    (
        "alg.hmac.known.supabase-local",
        "super-secret-jwt-token-with-at-least-32-characters-long",
        "HS256 with the default secret of local Supabase stacks",
    ),
    (
        "alg.hmac.known.change-me",
        "change-me",
        "HS256 with the secret \"change-me\"",
    ),
];

const UNLISTED: [(&str, Algorithm); 10] = [
    ("alg.unlisted.rs256", Algorithm::RS256),
    ("alg.unlisted.rs384", Algorithm::RS384),
    ("alg.unlisted.rs512", Algorithm::RS512),
    ("alg.unlisted.ps256", Algorithm::PS256),
    ("alg.unlisted.ps384", Algorithm::PS384),
    ("alg.unlisted.ps512", Algorithm::PS512),
    ("alg.unlisted.es256", Algorithm::ES256),
    ("alg.unlisted.es384", Algorithm::ES384),
    ("alg.unlisted.es512", Algorithm::ES512),
    ("alg.unlisted.eddsa", Algorithm::EdDSA),
];

fn cases() -> Vec<Case> {
    let mut cases = none();
    cases.extend(hmac());
    cases.extend(key_algorithm_mismatch());
    cases.extend(UNLISTED.map(|(id, algorithm)| {
        Case::rejected(
            id,
            "a valid signature with an algorithm that is not in --algorithms",
            move |f| f.token_signed_by(f.key_for(algorithm)).sign(),
        )
        .severity(Severity::Medium)
        .severity_note("the issuer would have to publish a key for that algorithm")
        .requires(Precondition::Unlisted(algorithm))
        .rationale(
            "a server must accept only the algorithms it is configured for",
            "RFC 8725 §3.1",
        )
    }));
    cases
}

fn none() -> Vec<Case> {
    let mut cases: Vec<Case> = NONE
        .map(|(id, alg, title)| {
            Case::rejected(id, title, move |f| f.token().header("alg", alg).unsigned())
        })
        .into();
    cases.extend([
        Case::rejected(
            "alg.none.with-signature",
            "alg none with a signature of zeros",
            |f| with_signature(&f.token().header("alg", "none"), &[0; 64]),
        ),
        Case::rejected(
            "alg.none.rightly-signed",
            "alg none with a valid signature of the issuer's key",
            |f| f.token().header("alg", "none").sign(),
        )
        .requires_issuer(),
        Case::rejected("alg.none.no-dot", "alg none without the second dot", |f| {
            signing_input(&f.token().header("alg", "none"))
        }),
        Case::rejected("alg.none.no-kid", "alg none without kid", |f| {
            f.token()
                .header("alg", "none")
                .without_header("kid")
                .unsigned()
        }),
    ]);
    let rationale = "anyone can create such a token for any subject";
    cases
        .into_iter()
        .map(|case| {
            case.rationale(
                rationale,
                "RFC 7518 §3.6, RFC 8725 §3.2, CVE-2015-9235, CVE-2026-23993",
            )
        })
        .collect()
}

fn hmac() -> Vec<Case> {
    let mut cases: Vec<Case> = ENCODINGS
        .map(|(id, encoding, title)| {
            Case::rejected(id, title, move |f| {
                f.hmac("HS256", None, &public_encoding(&f.key(), encoding))
            })
        })
        .into();
    cases.extend([
        Case::rejected("alg.hmac.hs384", "HS384 with the public key's PEM as the secret", |f| {
            f.hmac("HS384", None, &public_encoding(&f.key(), "pem"))
        }),
        Case::rejected("alg.hmac.hs512", "HS512 with the public key's PEM as the secret", |f| {
            f.hmac("HS512", None, &public_encoding(&f.key(), "pem"))
        }),
        Case::rejected(
            "alg.hmac.no-kid",
            "HS256 with the public key's PEM as the secret, without kid",
            |f| {
                let token = f.token().header("alg", "HS256").without_header("kid");
                token.sign_hmac(&public_encoding(&f.key(), "pem"))
            },
        ),
        Case::rejected(
            "alg.hmac.own-name",
            "an HMAC with the public key's PEM as the secret, with the key's algorithm in the header",
            |f| f.token().sign_hmac(&public_encoding(&f.key(), "pem")),
        ),
        Case::rejected("alg.hmac.kid", "HS256 with the kid as the secret", |f| {
            f.hmac("HS256", None, f.key().kid().as_bytes())
        }),
        Case::rejected(
            "alg.hmac.modulus-text",
            "HS256 with the n or x member of the JWK as the secret",
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
    let rationale =
        "the public key is not a secret: if it is used as an HMAC secret, anyone can sign tokens";
    let mut cases: Vec<Case> = cases
        .into_iter()
        .map(|case| {
            case.rationale(
                rationale,
                "RFC 8725 §3.1, CVE-2015-9235, CVE-2022-29217, CVE-2026-22817",
            )
        })
        .collect();
    let rationale = "secrets from documentation are publicly known";
    cases.extend(KNOWN_SECRETS.map(|(id, secret, title)| {
        Case::rejected(id, title, move |f| f.hmac("HS256", None, secret.as_bytes()))
            .rationale(rationale, "RFC 8725 §3.5")
            .hint("remove the shared secret from the server's configuration and verify tokens with the published keys")
    }));
    cases
}

fn key_algorithm_mismatch() -> Vec<Case> {
    let rationale = "a key is bound to one algorithm; if the header can select another, it can select a weaker one";
    let with_rsa_key = |alg: Algorithm| {
        move |f: &crate::forge::Forge| {
            let key = f.rsa_key();
            f.token_signed_by(key.clone().with_algorithm(alg))
                .kid(key.kid())
                .sign()
        }
    };
    let cases = [
        Case::rejected(
            "alg.swap.rs512",
            "RS512 signed with the RS256 key",
            with_rsa_key(Algorithm::RS512),
        ),
        Case::rejected(
            "alg.swap.ps256",
            "PS256 signed with the RS256 key",
            with_rsa_key(Algorithm::PS256),
        ),
    ];
    let mut cases: Vec<Case> = cases
        .map(|case| {
            let case = case
                .severity(Severity::Medium)
                .requires(Precondition::Exactly(Algorithm::RS256));
            case.rationale(rationale, "RFC 8725 §3.1, RFC 7517 §4.4, CVE-2026-48523")
        })
        .into();
    cases.extend([
        Case::rejected(
            "alg.header-lies",
            "a valid signature with another algorithm in the header",
            |f| {
                let key = f.key();
                let other = if key.algorithm() == Algorithm::RS384 {
                    "RS512"
                } else {
                    "RS384"
                };
                f.token().header("alg", other).sign()
            },
        )
        .requires_issuer()
        .rationale("the alg header was not checked", "RFC 7515 §5.2"),
        Case::rejected("alg.unknown", "an unknown algorithm", |f| {
            f.token().header("alg", "XS256").sign()
        })
        .requires_issuer()
        .rationale(
            "a signature with an unknown algorithm cannot be verified",
            "RFC 7515 §5.2",
        ),
        Case::rejected("alg.key-wrapping", "a key encryption algorithm", |f| {
            f.token().header("alg", "dir").sign()
        })
        .requires_issuer()
        .rationale(
            "an encryption algorithm is not a signature algorithm",
            "RFC 7518 §4.1",
        ),
        Case::rejected(
            "alg.pbes2",
            "a password-based key derivation with two billion iterations",
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
            "an attacker controls how much CPU time the server spends",
            "CVE-2022-36083",
        ),
        Case::rejected(
            "alg.hmac.padded",
            "an HMAC repeated to the length of a valid signature",
            |f| {
                let token = f.token();
                let tag = hmac_sha256(
                    &public_encoding(&f.key(), "pem"),
                    signing_input(&token).as_bytes(),
                );
                let length = f.key().sign(b"").len();
                let input = signing_input(&token);
                format!(
                    "{input}.{}",
                    encode(&tag.repeat(length.div_ceil(32))[..length])
                )
            },
        )
        .rationale("a signature must be verified as a whole", "CVE-2022-29217"),
    ]);
    cases
}

fn public_encoding(key: &bearward_testing::signing::KeyPair, encoding: &str) -> Vec<u8> {
    key.public_encodings()
        .into_iter()
        .find(|(name, _)| *name == encoding)
        .map(|(_, bytes)| bytes)
        .unwrap_or_default()
}
