//! The issuer: one exact string. Every token here is rightly signed by the good key.

use serde_json::{Value, json};

use super::Group;
use crate::{
    case::{Case, Severity},
    forge::Forge,
};

pub(super) const GROUP: Group = Group {
    name: "iss",
    title: "the issuer is one exact string",
    hint: "name the issuer where the token is verified and let it be compared byte by byte: jose `{ issuer }`, PyJWT `issuer=`, Spring \
           `issuer-uri`, golang-jwt `WithIssuer`. No prefix, no regular expression, no URL normalisation",
    timed: false,
    cases,
};

const SAME: &str = "another spelling of one issuer is no other issuer, until two tenants differ in no more than that";

fn cases() -> Vec<Case> {
    let with =
        |change: fn(&Forge) -> Value| move |f: &Forge| f.token().claim("iss", change(f)).sign();
    let cases = [
        Case::refused(
            "iss.other",
            "another issuer",
            with(|_| json!("https://evil.example/auth/v1")),
        ),
        Case::refused("iss.missing", "no issuer", |f| {
            f.token().without("iss").sign()
        })
        .requires_issuer(),
        Case::refused("iss.null", "the issuer is null", with(|_| Value::Null)).requires_issuer(),
        Case::refused("iss.empty", "the issuer is empty", with(|_| json!(""))).requires_issuer(),
        Case::refused("iss.number", "the issuer is a number", with(|_| json!(1))).requires_issuer(),
        Case::refused(
            "iss.array",
            "the issuer is in an array",
            with(|f| json!([f.issuer])),
        )
        .requires_issuer(),
        Case::refused(
            "iss.object",
            "the issuer is the name of a member",
            with(|f| json!({ &f.issuer: true })),
        )
        .requires_issuer(),
        Case::refused(
            "iss.slash",
            "our issuer and a slash",
            with(|f| json!(format!("{}/", f.issuer))),
        )
        .severity(Severity::Medium)
        .severity_note(SAME),
        Case::refused(
            "iss.case",
            "our issuer in upper case",
            with(|f| json!(f.issuer.to_uppercase())),
        )
        .severity(Severity::Medium)
        .severity_note(SAME),
        Case::refused(
            "iss.base",
            "the issuer's host without its path",
            with(|f| json!(f.base)),
        ),
        Case::refused(
            "iss.longer-host",
            "a host that begins with the issuer's",
            with(|f| json!(format!("{}.evil.example/auth/v1", f.base))),
        ),
        Case::refused(
            "iss.longer-path",
            "a path below the issuer",
            with(|f| json!(format!("{}/evil", f.issuer))),
        ),
        Case::refused(
            "iss.contained",
            "our issuer in the path of another",
            with(|f| json!(format!("https://evil.example/{}", f.issuer))),
        ),
        Case::refused(
            "iss.user",
            "our issuer as the user of another host",
            with(|f| json!(format!("{}@evil.example/auth/v1", f.base))),
        ),
        Case::refused(
            "iss.query",
            "our issuer and a query",
            with(|f| json!(format!("{}?x=1", f.issuer))),
        ),
        Case::refused(
            "iss.fragment",
            "our issuer and a fragment",
            with(|f| json!(format!("{}#x", f.issuer))),
        ),
        Case::refused(
            "iss.space",
            "our issuer after a space",
            with(|f| json!(format!(" {}", f.issuer))),
        )
        .severity(Severity::Medium)
        .severity_note(SAME),
        Case::refused(
            "iss.list",
            "our issuer among commas",
            with(|f| json!(format!("{},https://evil.example", f.issuer))),
        ),
        Case::refused(
            "iss.dots",
            "our issuer by a roundabout path",
            with(|f| json!(f.issuer.replace("/auth", "/x/../auth"))),
        )
        .severity(Severity::Medium)
        .severity_note(SAME),
        Case::refused(
            "iss.scheme",
            "our issuer without its scheme",
            with(|f| {
                json!(
                    f.issuer
                        .split_once("://")
                        .map_or(f.issuer.as_str(), |(_, rest)| rest)
                )
            }),
        )
        .severity(Severity::Medium)
        .severity_note(SAME),
        Case::refused(
            "iss.nul",
            "our issuer, a NUL, another",
            with(|f| json!(format!("{}\u{0}.evil.example", f.issuer))),
        ),
        Case::refused(
            "iss.look-alike",
            "our issuer with a letter that looks like another",
            with(|f| json!(f.issuer.replace('a', "\u{430}"))),
        ),
    ];
    let why = "providers sign for many tenants with the same keys: whoever has a tenant of his own gets in here";
    cases
        .map(|case| case.rationale(why, "RFC 7519 §4.1.1, RFC 8725 §3.8, GHSA-75c5-xw7c-p5pm"))
        .into()
}
