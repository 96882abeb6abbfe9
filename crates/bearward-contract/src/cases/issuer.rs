//! The issuer claim. All tokens are correctly signed with the issuer's key.
#![allow(clippy::too_many_lines, reason = "a list of cases")]

use serde_json::{Value, json};

use crate::{
    case::{Case, Severity},
    forge::Forge,
    group::Group,
};

pub(crate) const GROUP: Group = Group {
    name: "iss",
    title: "the issuer is one exact string",
    hint: "set the issuer where the token is verified and compare it byte by byte: jose `{ issuer }`, PyJWT `issuer=`, Spring \
           `issuer-uri`, golang-jwt `WithIssuer`. Do not use prefixes, regular expressions or URL normalization",
    timed: false,
    cases,
};

const EQUIVALENT: &str = "it matters only if two tenants differ only in that spelling";

fn cases() -> Vec<Case> {
    let with =
        |change: fn(&Forge) -> Value| move |f: &Forge| f.token().claim("iss", change(f)).sign();
    let cases = [
        Case::rejected(
            "iss.other",
            "another issuer",
            with(|_| json!("https://evil.example/auth/v1")),
        ),
        Case::rejected("iss.missing", "no iss", |f| f.token().without("iss").sign())
            .requires_issuer(),
        Case::rejected("iss.null", "iss is null", with(|_| Value::Null)).requires_issuer(),
        Case::rejected("iss.empty", "iss is empty", with(|_| json!(""))).requires_issuer(),
        Case::rejected("iss.number", "iss is a number", with(|_| json!(1))).requires_issuer(),
        Case::rejected(
            "iss.array",
            "iss is an array with the expected issuer",
            with(|f| json!([f.issuer])),
        )
        .requires_issuer(),
        Case::rejected(
            "iss.object",
            "iss is an object with the issuer as a member name",
            with(|f| json!({ &f.issuer: true })),
        )
        .requires_issuer(),
        Case::rejected(
            "iss.slash",
            "the expected issuer with a trailing slash",
            with(|f| json!(format!("{}/", f.issuer))),
        )
        .severity(Severity::Medium)
        .severity_note(EQUIVALENT),
        Case::rejected(
            "iss.case",
            "the expected issuer in upper case",
            with(|f| json!(f.issuer.to_uppercase())),
        )
        .severity(Severity::Medium)
        .severity_note(EQUIVALENT),
        Case::rejected(
            "iss.base",
            "the issuer's host without its path",
            with(|f| json!(f.base)),
        ),
        Case::rejected(
            "iss.longer-host",
            "a host that starts with the issuer's host",
            with(|f| json!(format!("{}.evil.example/auth/v1", f.base))),
        ),
        Case::rejected(
            "iss.longer-path",
            "a path below the issuer",
            with(|f| json!(format!("{}/evil", f.issuer))),
        ),
        Case::rejected(
            "iss.contained",
            "the expected issuer in the path of another host",
            with(|f| json!(format!("https://evil.example/{}", f.issuer))),
        ),
        Case::rejected(
            "iss.user",
            "the expected issuer as the userinfo of another host",
            with(|f| json!(format!("{}@evil.example/auth/v1", f.base))),
        ),
        Case::rejected(
            "iss.query",
            "the expected issuer with a query",
            with(|f| json!(format!("{}?x=1", f.issuer))),
        ),
        Case::rejected(
            "iss.fragment",
            "the expected issuer with a fragment",
            with(|f| json!(format!("{}#x", f.issuer))),
        ),
        Case::rejected(
            "iss.space",
            "the expected issuer after a space",
            with(|f| json!(format!(" {}", f.issuer))),
        )
        .severity(Severity::Medium)
        .severity_note(EQUIVALENT),
        Case::rejected(
            "iss.list",
            "the expected issuer in a comma-separated list",
            with(|f| json!(format!("{},https://evil.example", f.issuer))),
        ),
        Case::rejected(
            "iss.dots",
            "the expected issuer with .. in its path",
            with(|f| json!(f.issuer.replace("/auth", "/x/../auth"))),
        )
        .severity(Severity::Medium)
        .severity_note(EQUIVALENT),
        Case::rejected(
            "iss.scheme",
            "the expected issuer without its scheme",
            with(|f| {
                json!(
                    f.issuer
                        .split_once("://")
                        .map_or(f.issuer.as_str(), |(_, rest)| rest)
                )
            }),
        )
        .severity(Severity::Medium)
        .severity_note(EQUIVALENT),
        Case::rejected(
            "iss.nul",
            "the expected issuer, NUL, another host",
            with(|f| json!(format!("{}\u{0}.evil.example", f.issuer))),
        ),
        Case::rejected(
            "iss.look-alike",
            "the expected issuer with a homoglyph",
            with(|f| json!(f.issuer.replace('a', "\u{430}"))),
        ),
    ];
    let rationale = "providers sign tokens of all tenants with the same keys: an attacker with another tenant gains access";
    cases
        .map(|case| {
            case.rationale(
                rationale,
                "RFC 7519 §4.1.1, RFC 8725 §3.8, GHSA-75c5-xw7c-p5pm",
            )
        })
        .into()
}
