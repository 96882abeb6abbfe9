//! Valid tokens. If the target rejects these, its other rejections are not meaningful.

use bearward::Algorithm;
use serde_json::{Value, json};

use crate::{
    case::{Case, Expectation, Precondition, Severity},
    forge::payload,
    group::Group,
    target::Request,
};

pub(crate) const GROUP: Group = Group {
    name: "control",
    title: "valid tokens are accepted, and requests without a token are rejected",
    hint: "compare the configuration of the target with the issuer, the key URL, the audience and the algorithms of this run. \
           Reject a token only for a rule of an RFC or of your application, and say which",
    timed: false,
    cases,
};

/// After each group, a valid token must still be accepted.
const AFTER: [&str; 21] = [
    "control.after.form",
    "control.after.header",
    "control.after.alg",
    "control.after.sig",
    "control.after.key",
    "control.after.claims",
    "control.after.at-jwt",
    "control.after.iss",
    "control.after.jwks",
    "control.after.ssrf",
    "control.after.http",
    "control.after.dpop",
    "control.after.mtls",
    "control.after.metadata",
    "control.after.cache",
    "control.after.key.rotation",
    "control.after.outage",
    "control.after.slow",
    "control.after.herd",
    "control.after.gate",
    "control.after.flood",
];

const ALGORITHMS: [(&str, Algorithm); 10] = [
    ("control.alg.rs256", Algorithm::RS256),
    ("control.alg.rs384", Algorithm::RS384),
    ("control.alg.rs512", Algorithm::RS512),
    ("control.alg.ps256", Algorithm::PS256),
    ("control.alg.ps384", Algorithm::PS384),
    ("control.alg.ps512", Algorithm::PS512),
    ("control.alg.es256", Algorithm::ES256),
    ("control.alg.es384", Algorithm::ES384),
    ("control.alg.es512", Algorithm::ES512),
    ("control.alg.eddsa", Algorithm::EdDSA),
];

fn cases() -> Vec<Case> {
    let mut cases = vec![
        Case::accepted("control.valid", "a valid token", |f| f.token().sign())
            .severity(Severity::High),
        Case::request(
            "control.no-token",
            "no Authorization header",
            Expectation::Unauthenticated,
            |_| Request::bare(),
        )
        .rationale("the URL is not protected", "RFC 6750 §3.1")
        .hint(
            "check the URL, and that the authentication middleware is mounted before the handler",
        ),
    ];
    cases.extend(ALGORITHMS.map(|(id, algorithm)| {
        Case::accepted(id, "a valid token signed with this algorithm", move |f| {
            f.token_signed_by(f.key_for(algorithm)).sign()
        })
        .requires(Precondition::Exactly(algorithm))
        .rationale(
            "the algorithm is listed in --algorithms, or was accepted at the start of the run",
            "RFC 7518 §3.1",
        )
    }));
    cases.push(
        Case::accepted(
            "control.alg.ed25519",
            "a valid token with alg Ed25519 instead of EdDSA",
            |f| {
                let token = f.token_signed_by(f.key_for(Algorithm::EdDSA));
                token.header("alg", "Ed25519").sign()
            },
        )
        .requires(Precondition::Ed25519Name)
        .rationale(
            "Ed25519 is the fully specified name of EdDSA with an Ed25519 key",
            "RFC 9864 §2.2",
        ),
    );
    cases.extend([
        Case::accepted("control.typ-absent", "no typ in the header", |f| f.token().without_header("typ").sign())
            .requires(Precondition::AnyTokenType)
            .rationale("typ is optional", "RFC 7519 §5.1"),
        Case::accepted("control.typ-lower-case", "typ in lower case", |f| f.token().header("typ", "jwt").sign())
            .requires(Precondition::AnyTokenType)
            .rationale("media types are case-insensitive", "RFC 7519 §5.1, RFC 2045 §5.1"),
        Case::accepted("control.unknown-header", "unknown header members", |f| {
            f.token().header("x-made-up", json!({ "a": [1] })).header("cty", "x").sign()
        })
        .rationale("unknown header members that are not critical must be ignored", "RFC 7515 §4")
        .hint("ignore header members that the server does not know (joserfc and Authlib: `JWSRegistry(strict_check_header=False)`)"),
        Case::accepted("control.unknown-claims", "unknown claims", |f| {
            f.token().claim("x-made-up", json!({ "a": [null, 1.5, "b"] })).claim("https://example.com/claim", true).sign()
        })
        .rationale("unknown claims must be ignored", "RFC 7519 §4")
        .hint("ignore claims that the server does not know"),
        Case::accepted("control.aud-array", "aud is an array of one", |f| f.token().claim("aud", json!([f.audience])).sign())
            .rationale("aud is a string or an array of strings", "RFC 7519 §4.1.3"),
        Case::accepted("control.aud-array-of-two", "aud is an array with the expected audience second", |f| {
            f.token().claim("aud", json!(["https://other.example", f.audience])).sign()
        })
        .rationale("one element must match, at any position", "RFC 7519 §4.1.3"),
        Case::accepted("control.nbf-past", "nbf in the past", |f| f.token().claim("nbf", f.now() - 60).sign())
            .rationale("a token is valid from nbf on", "RFC 7519 §4.1.5"),
        Case::accepted("control.exp-fraction", "exp has a fraction", |f| {
            f.token().claim("exp", json!(f64::from(u32::try_from(f.now()).unwrap_or(u32::MAX)) + 600.5)).sign()
        })
        .rationale("a NumericDate may have a fraction, and some issuers write one", "RFC 7519 §2"),
        Case::accepted("control.white-space", "whitespace between the claims", |f| {
            let formatted = serde_json::from_str::<Value>(&payload(&f.token())).map(|claims| format!("{claims:#}\n"));
            f.with_payload(formatted.unwrap_or_default())
        })
        .rationale("the payload may be formatted in any way; the signature covers its bytes", "RFC 7519 §7.1"),
        Case::accepted("control.escaped-names", "a claim name with a JSON escape", |f| {
            f.with_payload(payload(&f.token()).replace("\"exp\"", "\"e\\u0078p\""))
        })
        .rationale("an escaped name is equal to the unescaped name", "RFC 8259 §8.3"),
        Case::accepted("control.unicode", "claims with non-ASCII characters", |f| {
            f.token().claim("user_metadata", json!({ "full_name": "Zo\u{eb} \u{1f43b} \u{5d0}" })).sign()
        })
        .rationale("names contain non-ASCII characters", "RFC 7519 §7.1"),
        Case::accepted("control.large", "3 KiB of claims", |f| {
            let roles: Vec<String> = (0..100).map(|n| format!("organisation-{n:03}:member")).collect();
            f.token().claim("x-groups", json!(roles)).sign()
        })
        .rationale("users with many groups have large tokens", "RFC 7519")
        .hint("raise the header size limit of the server, or of the proxy in front of it, to at least 8 KiB"),
    ]);
    cases.extend(AFTER.map(|id| {
        Case::accepted(id, "a valid token after the cases of that group", |f| f.token().sign())
            .severity(Severity::High)
            .rationale("invalid tokens or an outage lock out all users", "")
            .hint("check what invalid tokens change: a cleared key cache, a crashed worker, a block by client address")
    }));
    let rationale =
        "all users are locked out, and the rejections in this report are not meaningful";
    cases
        .into_iter()
        .map(|case| case.default_rationale(rationale, "RFC 7519 §7.2"))
        .collect()
}
