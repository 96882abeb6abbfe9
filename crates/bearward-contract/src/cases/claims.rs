//! Claims: times, audience, subject. All tokens are correctly signed by the issuer.
#![allow(clippy::too_many_lines, reason = "a list of cases")]

use serde_json::{Value, json};

use super::claim_rules;
use crate::{
    case::{Case, Severity},
    forge::{Forge, payload},
    group::Group,
};

pub(crate) const GROUP: Group = Group {
    name: "claims",
    title: "times and audience are validated, including their JSON types",
    hint: "set the audience where the token is verified; limit the clock leeway to one minute; do not disable the checks of `exp` and `nbf`, and \
           reject claims of another JSON type",
    timed: false,
    cases,
};

/// Most libraries validate a claim only if it is present.
const REQUIRED: &str =
    "libraries validate a claim only if it is present: require `exp`, `aud` and `sub`, too";

/// The hint for duplicate claims.
const TWICE: &str = "parse the payload with a parser that rejects duplicate members";

/// The hint for subjects.
const SUBJECT: &str =
    "require a `sub` that is a string, is not empty and has at most 255 characters";

/// Creates a valid token except for this claim.
fn claim(name: &'static str, value: impl Into<Value>) -> impl Fn(&Forge) -> String + Send + Sync {
    let value = value.into();
    move |f| f.token().claim(name, value.clone()).sign()
}

/// Creates a token whose claim is this many seconds from now.
fn from_now(name: &'static str, seconds: i64) -> impl Fn(&Forge) -> String + Send + Sync {
    move |f| f.token().claim(name, f.now() + seconds).sign()
}

fn cases() -> Vec<Case> {
    let mut cases = times();
    cases.extend(audience());
    cases.extend(claim_rules::cases());
    cases.extend(duplicate_claims());
    cases.extend(strict());
    cases
}

fn times() -> Vec<Case> {
    let expired = "without the check, a stolen token can be used forever";
    let (exp, nbf) = ("RFC 7519 §4.1.4", "RFC 7519 §4.1.5");
    let not_yet_valid = "the token is not valid yet";
    let out_of_range = "a number outside the integer range must not cause an error";
    let timestamp_text = |f: &Forge, seconds: i64| json!((f.now() + seconds).to_string());
    let mut cases = vec![
        Case::rejected("claims.exp.past", "exp one hour ago", |f| {
            f.token().expired().sign()
        })
        .rationale(expired, exp),
        Case::rejected(
            "claims.exp.ten-minutes",
            "exp ten minutes ago",
            from_now("exp", -600),
        )
        .severity(Severity::Medium)
        .severity_note("the token was valid until ten minutes ago")
        .rationale(
            "leeway compensates clock skew and is a few minutes at most",
            exp,
        ),
        Case::rejected(
            "claims.exp.fraction-past",
            "exp one hour ago, with a fraction",
            |f| {
                let past = f64::from(u32::try_from(f.now() - 3600).unwrap_or(u32::MAX)) + 0.5;
                f.token().claim("exp", json!(past)).sign()
            },
        )
        .rationale(
            "a fraction must not disable the check",
            "RFC 7519 §2, §4.1.4",
        ),
    ];
    let only_by_issuer = [
        Case::rejected("claims.exp.zero", "exp is 0", claim("exp", 0))
            .rationale("0 is 1970, not \"never\"", exp),
        Case::rejected("claims.exp.negative", "exp is negative", claim("exp", -1))
            .rationale("a negative NumericDate is before 1970", exp),
        Case::rejected(
            "claims.exp.string-past",
            "exp one hour ago, as a string",
            move |f| f.token().claim("exp", timestamp_text(f, -3600)).sign(),
        )
        .rationale("a wrong type must not disable the check", exp),
        Case::rejected(
            "claims.nbf.future",
            "nbf in one hour",
            from_now("nbf", 3600),
        )
        .rationale(not_yet_valid, nbf),
        Case::rejected(
            "claims.nbf.ten-minutes",
            "nbf in ten minutes",
            from_now("nbf", 600),
        )
        .rationale(
            "leeway compensates clock skew and is a few minutes at most",
            nbf,
        ),
        Case::no_crash("claims.exp.huge", "exp is 2^63", |f| {
            f.with_exp("9223372036854775808")
        })
        .rationale(out_of_range, exp),
        Case::no_crash("claims.exp.float", "exp is 1e300", |f| f.with_exp("1e300"))
            .rationale(out_of_range, exp),
        Case::no_crash("claims.exp.overflow", "exp is 1e999", |f| {
            f.with_exp("1e999")
        })
        .rationale(out_of_range, exp),
        Case::no_crash("claims.exp.lowest", "exp is -2^63", |f| {
            f.with_exp("-9223372036854775808")
        })
        .rationale(out_of_range, exp),
        Case::no_crash("claims.sub.odd", "a subject with control characters", |f| {
            f.with_payload(payload(&f.token().sub("a\u{0}b\u{1b}[31m\r\nX: 1\u{2028}")))
        })
        .rationale(
            "applications write subjects to logs and headers",
            "RFC 7519 §4.1.2",
        ),
        Case::no_crash(
            "claims.sub.object",
            "sub is an object",
            claim("sub", json!({ "$ne": null })),
        )
        .rationale("applications use subjects in queries", "RFC 7519 §4.1.2"),
    ];
    cases.extend(only_by_issuer.map(Case::requires_issuer));
    cases
}

fn audience() -> Vec<Case> {
    let other_service =
        "a token issued for another service, or for the app's front end, is accepted here";
    let with = |change: fn(&str) -> Value| {
        move |f: &Forge| f.token().claim("aud", change(&f.audience)).sign()
    };
    let other_audiences = [
        Case::rejected(
            "claims.aud.other",
            "another audience",
            claim("aud", "https://other.example"),
        ),
        Case::rejected(
            "claims.aud.array-of-others",
            "an array of two other audiences",
            claim("aud", json!(["https://a.example", "https://b.example"])),
        ),
        Case::rejected(
            "claims.aud.prefix",
            "an audience that starts with the expected one",
            with(|aud| json!(format!("{aud}.evil.example"))),
        ),
        Case::rejected(
            "claims.aud.suffix",
            "an audience that ends with the expected one",
            with(|aud| json!(format!("evil-{aud}"))),
        ),
        Case::rejected(
            "claims.aud.beginning",
            "a prefix of the expected audience",
            with(|aud| {
                json!(
                    aud.chars()
                        .take(aud.chars().count() / 2)
                        .collect::<String>()
                )
            }),
        ),
    ];
    let malformed_audiences = [
        Case::rejected("claims.aud.missing", "no aud", |f| {
            f.token().without("aud").sign()
        })
        .hint(REQUIRED),
        Case::rejected("claims.aud.null", "aud is null", claim("aud", Value::Null)),
        Case::rejected("claims.aud.empty", "aud is empty", claim("aud", "")),
        Case::rejected(
            "claims.aud.empty-array",
            "aud is an empty array",
            claim("aud", json!([])),
        ),
        Case::rejected("claims.aud.number", "aud is a number", claim("aud", 1)),
        Case::rejected("claims.aud.true", "aud is true", claim("aud", true)),
        Case::rejected(
            "claims.aud.object",
            "aud is an object with the audience as a member name",
            with(|aud| json!({ aud: true })),
        ),
        Case::rejected(
            "claims.aud.nested",
            "aud is a nested array",
            with(|aud| json!([[aud]])),
        ),
        Case::rejected(
            "claims.aud.case",
            "the expected audience in upper case",
            with(|aud| {
                let upper = aud.to_uppercase();
                json!(if upper == aud {
                    aud.to_lowercase()
                } else {
                    upper
                })
            }),
        ),
        Case::rejected(
            "claims.aud.words",
            "the expected audience in a space-separated list",
            with(|aud| json!(format!("other {aud}"))),
        ),
        Case::rejected(
            "claims.aud.commas",
            "the expected audience in a comma-separated list",
            with(|aud| json!(format!("other,{aud}"))),
        ),
        Case::rejected(
            "claims.aud.space",
            "the expected audience followed by a space",
            with(|aud| json!(format!("{aud} "))),
        ),
        Case::rejected("claims.aud.star", "aud is \"*\"", claim("aud", "*")),
    ];
    let not_validated =
        "a missing aud, or one of another type or spelling, does not match: the check was skipped";
    let reference = "RFC 7519 §4.1.3, RFC 8725 §3.9";
    let other_audiences = other_audiences.map(|case| case.rationale(other_service, reference));
    let malformed_audiences =
        malformed_audiences.map(|case| case.rationale(not_validated, reference).requires_issuer());
    other_audiences
        .into_iter()
        .chain(malformed_audiences)
        .collect()
}

/// RFC 7519 §4: a parser must reject duplicate claims or use the last one.
fn duplicate_claims() -> Vec<Case> {
    let rationale = "a parser must reject a duplicate claim or use the last one; parsers that use the first one disagree about the token";
    let cases = [
        Case::rejected(
            "claims.twice.exp",
            "duplicate exp, the last one in the past",
            |f| f.with_appended_member(&format!("\"exp\":{}", f.now() - 3600)),
        ),
        Case::rejected(
            "claims.twice.exp-escaped",
            "duplicate exp, the last one in the past and its name escaped",
            |f| f.with_appended_member(&format!("\"e\\u0078p\":{}", f.now() - 3600)),
        ),
        Case::rejected(
            "claims.twice.aud",
            "duplicate aud, the last one another audience",
            |f| f.with_appended_member("\"aud\":\"https://other.example\""),
        ),
        Case::rejected(
            "claims.twice.iss",
            "duplicate iss, the last one another issuer",
            |f| f.with_appended_member("\"iss\":\"https://evil.example\""),
        ),
        Case::rejected(
            "claims.twice.nbf",
            "duplicate nbf, the last one in the future",
            |f| {
                let future = f.now() + 3600;
                f.with_appended_member(&format!("\"nbf\":0,\"nbf\":{future}"))
            },
        ),
    ];
    cases
        .map(|case| {
            case.severity(Severity::Medium)
                .hint(TWICE)
                .rationale(rationale, "RFC 7519 §4")
        })
        .into()
}

fn strict() -> Vec<Case> {
    let wrong_type = "issuers do not write claims of another type, and lenient parsers interpret them differently";
    let no_expiry = "the token never expires";
    let subject = "a missing or shared subject maps to another user's account";
    let numeric = "RFC 7519 §2, §4.1";
    let mut cases = vec![
        Case::rejected("claims.exp.missing", "no exp", |f| f.token().without("exp").sign())
            .hint(REQUIRED)
            .rationale(no_expiry, "RFC 9068 §2.2, RFC 7519 §4.1.4"),
        Case::rejected("claims.exp.null", "exp is null", claim("exp", Value::Null)).rationale(no_expiry, numeric),
        Case::rejected("claims.exp.string-future", "exp in the future, as a string", |f| {
            f.token().claim("exp", (f.now() + 3600).to_string()).sign()
        })
        .rationale(wrong_type, numeric),
        Case::rejected("claims.exp.true", "exp is true", claim("exp", true)).rationale(wrong_type, numeric),
        Case::rejected("claims.exp.array", "exp in the future, in an array", |f| f.token().claim("exp", json!([f.now() + 3600])).sign())
            .rationale(wrong_type, numeric),
        Case::rejected("claims.exp.object", "exp is an object", claim("exp", json!({}))).rationale(wrong_type, numeric),
        Case::rejected("claims.nbf.string", "nbf in the future, as a string", |f| {
            f.token().claim("nbf", (f.now() + 3600).to_string()).sign()
        })
        .rationale(wrong_type, numeric),
        Case::rejected("claims.iat.future", "iat in one hour", from_now("iat", 3600))
            .rationale("a token from the future was issued by a wrong clock", "RFC 7519 §4.1.6"),
        Case::rejected("claims.iat.string", "iat is a string", claim("iat", "now")).rationale(wrong_type, numeric),
        Case::rejected("claims.aud.mixed", "an array of the expected audience and a number", |f| {
            f.token().claim("aud", json!([f.audience, 1])).sign()
        })
        .rationale(wrong_type, "RFC 7519 §4.1.3"),
        Case::rejected("claims.sub.missing", "no sub", |f| f.token().without("sub").sign())
            .hint(SUBJECT)
            .rationale(subject, "RFC 9068 §2.2"),
        Case::rejected("claims.sub.null", "sub is null", claim("sub", Value::Null)).hint(SUBJECT).rationale(subject, "RFC 7519 §4.1.2"),
        Case::rejected("claims.sub.empty", "sub is empty", claim("sub", "")).hint(SUBJECT).rationale(subject, "RFC 7519 §4.1.2"),
        Case::rejected("claims.sub.number", "sub is a number", claim("sub", 7)).hint(SUBJECT).rationale(subject, "RFC 7519 §4.1.2"),
        Case::rejected("claims.sub.array", "sub is an array of two strings", claim("sub", json!(["a", "b"])))
            .hint(SUBJECT).rationale(subject, "RFC 7519 §4.1.2"),
        Case::rejected("claims.sub.long", "a subject of 300 characters", claim("sub", "s".repeat(300))).hint(SUBJECT).rationale(
            "OpenID Connect allows 255 characters; a longer subject may be truncated and collide with another one",
            "OpenID Connect Core §2",
        ),
        Case::rejected("claims.cnf", "a token bound to a key (cnf)", |f| {
            f.token().claim("cnf", json!({ "jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" })).sign()
        })
        .hint("reject tokens with `cnf`, unless the server checks the proof of possession (DPoP, mutual TLS)")
        .rationale(
            "a bound token requires a proof of possession, which the Bearer scheme does not carry; otherwise a stolen one is usable",
            "RFC 9449 §7.2, RFC 8705 §3",
        ),
    ];
    let duplicate = "two parsers read different tokens";
    cases.extend(
        [
            Case::rejected("claims.twice.sub", "duplicate sub", |f| {
                f.with_appended_member("\"sub\":\"admin\"")
            }),
            Case::rejected(
                "claims.twice.sub-escaped",
                "duplicate sub, one with an escaped name",
                |f| f.with_appended_member("\"s\\u0075b\":\"admin\""),
            ),
            Case::rejected(
                "claims.twice.exp-first",
                "duplicate exp, the first one in the past",
                |f| f.with_prepended_member(&format!("\"exp\":{}", f.now() - 3600)),
            ),
            Case::rejected("claims.twice.unknown", "a duplicate unknown claim", |f| {
                f.with_appended_member("\"x\":1,\"x\":2")
            }),
        ]
        .map(|case| case.hint(TWICE).rationale(duplicate, "RFC 7519 §4")),
    );
    cases
        .into_iter()
        .map(|case| case.strict().severity(Severity::Medium))
        .collect()
}
