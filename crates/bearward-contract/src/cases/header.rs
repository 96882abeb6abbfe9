//! The protected header: what it must say, and what must not be passed over. Every token here is
//! rightly signed by the issuer.

use serde_json::json;

use super::Group;
use crate::{
    case::{Case, Precondition},
    forge::Forge,
};

pub(super) const GROUP: Group = Group {
    name: "header",
    title: "the header is read strictly",
    hint: "use a library that reads the header with a strict JSON parser, knows `crit`, and wants `alg` to be a string; then update it",
    timed: false,
    cases,
};

/// Over the usual claims, rightly signed by the good key: the header alone is at fault.
fn header(text: &'static str) -> impl Fn(&Forge) -> String + Send + Sync {
    move |f| f.with_header(text)
}

fn cases() -> Vec<Case> {
    let mut cases = vec![
        Case::refused("header.not-json", "a header that is text", header("alg={alg}")),
        Case::refused("header.array", "a header that is an array", header(r#"[{"alg":"{alg}","kid":"{kid}"}]"#)),
        Case::refused("header.null", "a header that is null", header("null")),
        Case::refused("header.empty-object", "a header without members", header("{}")),
        Case::refused("header.alg-missing", "no alg", header(r#"{"kid":"{kid}"}"#)),
        Case::refused("header.alg-null", "alg is null", header(r#"{"alg":null,"kid":"{kid}"}"#)),
        Case::refused("header.alg-number", "alg is a number", header(r#"{"alg":256,"kid":"{kid}"}"#)),
        Case::refused("header.alg-array", "alg is an array", header(r#"{"alg":["{alg}"],"kid":"{kid}"}"#)),
        Case::refused("header.alg-empty", "alg is empty", header(r#"{"alg":"","kid":"{kid}"}"#)),
        Case::refused("header.alg-case", "alg in lower case", |f| {
            let key = f.key();
            f.token().header("alg", key.algorithm().name().to_lowercase()).sign()
        })
        .rationale("names of algorithms are compared with their case; who folds it also folds nOnE", "RFC 7515 §4.1.1"),
        Case::refused("header.alg-space", "alg ends in a space", |f| {
            f.token().header("alg", format!("{} ", f.key().algorithm())).sign()
        })
        .rationale("names of algorithms are compared whole; who trims them also trims \"none \"", "RFC 7515 §4.1.1"),
        Case::refused(
            "header.alg-twice-last-none",
            "alg twice, the last one none",
            header(r#"{"alg":"{alg}","kid":"{kid}","alg":"none"}"#),
        )
        .rationale("two readers see two algorithms: a member must not occur twice, or else the last one counts", "RFC 7515 §4"),
        Case::refused(
            "header.kid-twice-last-unknown",
            "kid twice, the last one unknown",
            header(r#"{"alg":"{alg}","kid":"{kid}","kid":"nobody"}"#),
        )
        .rationale("two readers see two keys: a member must not occur twice, or else the last one counts", "RFC 7515 §4"),
    ];
    cases.extend(critical());
    cases.extend(strict());
    let why = "a header that the RFC does not allow was made by no issuer, and lenient readers disagree about it";
    let rationale = |case: Case| {
        if case.why.is_empty() {
            case.rationale(why, "RFC 7515 §4, §5.2")
        } else {
            case
        }
    };
    cases
        .into_iter()
        .map(rationale)
        .map(Case::requires_issuer)
        .collect()
}

fn critical() -> Vec<Case> {
    let why = "the issuer said: refuse this unless you understand the extension. It may limit what the token is good for";
    let hint = "some libraries pass `crit` over: read the header before the token is verified, and refuse one that has `crit`";
    let rationale = |case: Case| {
        case.rationale(why, "RFC 7515 §4.1.11, CVE-2025-59420, CVE-2026-32597")
            .hint(hint)
    };
    let with = |value: serde_json::Value| {
        move |f: &Forge| {
            f.token()
                .header("crit", value.clone())
                .header("exotic", true)
                .sign()
        }
    };
    let cases = [
        Case::refused(
            "header.crit-unknown",
            "crit names an extension that nobody knows",
            with(json!(["exotic"])),
        ),
        Case::refused(
            "header.crit-absent-member",
            "crit names a member that is not there",
            with(json!(["elsewhere"])),
        ),
        Case::refused("header.crit-b64", "crit says b64, and b64 is false", |f| {
            f.token()
                .header("b64", false)
                .header("crit", json!(["b64"]))
                .sign()
        }),
        Case::refused(
            "header.crit-empty",
            "crit is an empty list",
            with(json!([])),
        )
        .strict(),
        Case::refused(
            "header.crit-standard",
            "crit names a member of the standard",
            with(json!(["alg"])),
        )
        .strict(),
        Case::refused(
            "header.crit-not-a-list",
            "crit is a string",
            with(json!("exotic")),
        )
        .strict(),
    ];
    cases.map(rationale).into()
}

fn strict() -> Vec<Case> {
    let typ = |typ: &'static str| move |f: &Forge| f.token().header("typ", typ).sign();
    let typed = "a token of another kind, signed by the same issuer for another purpose, is no access token";
    let cases = [
        Case::refused(
            "header.typ-logout",
            "the type of a logout token",
            typ("logout+jwt"),
        )
        .rationale(typed, "RFC 8725 §3.11, OpenID Connect Back-Channel Logout"),
        Case::refused(
            "header.typ-dpop",
            "the type of a DPoP proof",
            typ("dpop+jwt"),
        )
        .rationale(typed, "RFC 8725 §3.11, RFC 9449 §4.2"),
        Case::refused(
            "header.typ-secevent",
            "the type of a security event",
            typ("secevent+jwt"),
        )
        .rationale(typed, "RFC 8725 §3.11, RFC 8417 §2.3"),
        Case::refused(
            "header.typ-client-authentication",
            "the type of a client's assertion",
            typ("client-authentication+jwt"),
        )
        .rationale(typed, "RFC 8725 §3.11"),
        Case::refused("header.typ-number", "typ is a number", |f| {
            f.token().header("typ", 1).sign()
        })
        .needs(Precondition::FreeType),
        Case::refused(
            "header.kid-number",
            "kid is a number",
            header(r#"{"alg":"{alg}","kid":1}"#),
        ),
        Case::refused(
            "header.kid-null",
            "kid is null",
            header(r#"{"alg":"{alg}","kid":null}"#),
        ),
        Case::refused(
            "header.b64",
            "b64 is false, and crit does not say so",
            |f| f.token().header("b64", false).sign(),
        )
        .rationale(
            "b64 must be named by crit; whoever knows it reads another payload",
            "RFC 7797 §6",
        ),
        Case::refused(
            "header.alg-twice-first-none",
            "alg twice, the first one none",
            header(r#"{"alg":"none","kid":"{kid}","alg":"{alg}"}"#),
        )
        .rationale("two readers see two algorithms", "RFC 7515 §4"),
        Case::refused(
            "header.alg-twice-escaped",
            "alg twice, once with an escape",
            header(r#"{"alg":"none","kid":"{kid}","a\u006cg":"{alg}"}"#),
        )
        .rationale("two readers see two algorithms", "RFC 7515 §4"),
        Case::refused(
            "header.unknown-twice",
            "an unknown member twice",
            header(r#"{"alg":"{alg}","kid":"{kid}","x":1,"x":1}"#),
        )
        .rationale(
            "a strict parser refuses what two readers may read differently",
            "RFC 7515 §4",
        ),
        Case::refused(
            "header.byte-order-mark",
            "a byte order mark before the header",
            header("\u{feff}{\"alg\":\"{alg}\",\"kid\":\"{kid}\"}"),
        )
        .rationale("JSON on the network begins without one", "RFC 8259 §8.1"),
    ];
    cases.map(Case::strict).into()
}
