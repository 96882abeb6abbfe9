//! Good tokens: a target that refuses them passes everything else by accident.

use bearward::Algorithm;
use serde_json::{Value, json};

use super::Group;
use crate::{
    case::{Case, Expectation, Precondition, Severity},
    forge::payload,
    target::Request,
};

pub(super) const GROUP: Group = Group {
    name: "control",
    title: "good tokens are accepted, and nothing else is",
    hint: "compare what the target is configured with: issuer, address of the keys, audience, algorithms. \
           Refuse a token for a rule of an RFC or of yours, and say which",
    timed: false,
    cases,
};

/// After each group a good token must still be accepted.
const AFTER: [&str; 17] = [
    "control.after.form",
    "control.after.header",
    "control.after.alg",
    "control.after.sig",
    "control.after.key",
    "control.after.claims",
    "control.after.iss",
    "control.after.jwks",
    "control.after.ssrf",
    "control.after.http",
    "control.after.cache",
    "control.after.key.rotation",
    "control.after.outage",
    "control.after.slow",
    "control.after.herd",
    "control.after.gate",
    "control.after.flood",
];

const ALGORITHMS: [(&str, Algorithm); 9] = [
    ("control.alg.rs256", Algorithm::RS256),
    ("control.alg.rs384", Algorithm::RS384),
    ("control.alg.rs512", Algorithm::RS512),
    ("control.alg.ps256", Algorithm::PS256),
    ("control.alg.ps384", Algorithm::PS384),
    ("control.alg.ps512", Algorithm::PS512),
    ("control.alg.es256", Algorithm::ES256),
    ("control.alg.es384", Algorithm::ES384),
    ("control.alg.eddsa", Algorithm::EdDSA),
];

fn cases() -> Vec<Case> {
    let mut cases = vec![
        Case::accepted("control.valid", "a good token", |f| f.token().sign())
            .severity(Severity::High),
        Case::request(
            "control.no-token",
            "no Authorization header",
            Expectation::Unauthenticated,
            |_| Request::bare(),
        )
        .rationale("the URL is not protected at all", "RFC 6750 §3.1")
        .hint("is this the protected URL, and is the check mounted before the handler?"),
    ];
    cases.extend(ALGORITHMS.map(|(id, algorithm)| {
        Case::accepted(id, "a good token of this algorithm", move |f| {
            f.token_by(f.key_of(algorithm)).sign()
        })
        .needs(Precondition::Exactly(algorithm))
        .rationale(
            "the target was said, or seen, to accept this algorithm",
            "RFC 7518 §3.1",
        )
    }));
    cases.extend([
        Case::accepted("control.typ-absent", "no typ in the header", |f| f.token().without_header("typ").sign())
            .needs(Precondition::FreeType)
            .rationale("typ is optional", "RFC 7519 §5.1"),
        Case::accepted("control.typ-lower-case", "typ in lower case", |f| f.token().header("typ", "jwt").sign())
            .needs(Precondition::FreeType)
            .rationale("media types know no case", "RFC 7519 §5.1, RFC 2045 §5.1"),
        Case::accepted("control.unknown-header", "members of the header that nobody knows", |f| {
            f.token().header("x-made-up", json!({ "a": [1] })).header("cty", "x").sign()
        })
        .rationale("what is not critical must be ignored; issuers add members", "RFC 7515 §4"),
        Case::accepted("control.unknown-claims", "claims that nobody knows", |f| {
            f.token().claim("x-made-up", json!({ "a": [null, 1.5, "b"] })).claim("https://example.com/claim", true).sign()
        })
        .rationale("claims that are not understood must be ignored", "RFC 7519 §4"),
        Case::accepted("control.aud-array", "aud is an array of one", |f| f.token().claim("aud", json!([f.audience])).sign())
            .rationale("aud is a string or an array of strings", "RFC 7519 §4.1.3"),
        Case::accepted("control.aud-array-of-two", "the audience is the second of two", |f| {
            f.token().claim("aud", json!(["https://other.example", f.audience])).sign()
        })
        .rationale("one of them must match, in any place", "RFC 7519 §4.1.3"),
        Case::accepted("control.nbf-past", "nbf lies in the past", |f| f.token().claim("nbf", f.now() - 60).sign())
            .rationale("a token is good from nbf on", "RFC 7519 §4.1.5"),
        Case::accepted("control.exp-fraction", "exp has a fraction", |f| {
            f.token().claim("exp", json!(f64::from(u32::try_from(f.now()).unwrap_or(u32::MAX)) + 600.5)).sign()
        })
        .rationale("a NumericDate may have a fraction, and some issuers write one", "RFC 7519 §2"),
        Case::accepted("control.white-space", "white space between the claims", |f| {
            let spaced = serde_json::from_str::<Value>(&payload(&f.token())).map(|claims| format!("{claims:#}\n"));
            f.with_payload(spaced.unwrap_or_default())
        })
        .rationale("the payload is any JSON, and the signature covers its bytes", "RFC 7519 §7.1"),
        Case::accepted("control.escaped-names", "a claim's name is written with an escape", |f| {
            f.with_payload(payload(&f.token()).replace("\"exp\"", "\"e\\u0078p\""))
        })
        .rationale("an escape in a name is the same name", "RFC 8259 §8.3"),
        Case::accepted("control.unicode", "a name outside ASCII", |f| {
            f.token().claim("user_metadata", json!({ "full_name": "Zo\u{eb} \u{1f43b} \u{5d0}" })).sign()
        })
        .rationale("people have such names", "RFC 7519 §7.1"),
        Case::accepted("control.large", "3 KiB of claims", |f| {
            let roles: Vec<String> = (0..100).map(|n| format!("organisation-{n:03}:member")).collect();
            f.token().claim("x-groups", json!(roles)).sign()
        })
        .rationale("people in many groups have large tokens", "RFC 7519")
        .hint("raise the limit of header bytes of the server, or of the proxy before it, to 8 KiB at least"),
    ]);
    cases.extend(AFTER.map(|id| {
        Case::accepted(id, "a good token after the cases of that group", |f| f.token().sign())
            .severity(Severity::High)
            .rationale("somebody's bad tokens, or an outage, keep everybody out", "")
            .hint("look for what bad tokens change: a cache of keys that is emptied, a worker that died, a lock-out by address")
    }));
    let why = "nobody gets in, and every refusal of this report means nothing";
    cases
        .into_iter()
        .map(|case| {
            if case.why.is_empty() {
                case.rationale(why, "RFC 7519 §7.2")
            } else {
                case
            }
        })
        .collect()
}
