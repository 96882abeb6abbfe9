//! The protected header. All tokens are correctly signed by the issuer.

use serde_json::json;

use crate::{
    case::{Case, Precondition},
    forge::Forge,
    group::Group,
};

pub(crate) const GROUP: Group = Group {
    name: "header",
    title: "the header is parsed strictly",
    hint: "use an up-to-date library that parses the header with a strict JSON parser, supports `crit`, and requires `alg` to be a string",
    timed: false,
    cases,
};

/// Creates a token with this header, valid claims and a valid signature.
fn header(text: &'static str) -> impl Fn(&Forge) -> String + Send + Sync {
    move |f| f.with_header(text)
}

fn cases() -> Vec<Case> {
    let mut cases = vec![
        Case::rejected("header.not-json", "a header that is not JSON", header("alg={alg}")),
        Case::rejected("header.array", "a header that is an array", header(r#"[{"alg":"{alg}","kid":"{kid}"}]"#)),
        Case::rejected("header.null", "a header that is null", header("null")),
        Case::rejected("header.empty-object", "a header without members", header("{}")),
        Case::rejected("header.alg-missing", "no alg", header(r#"{"kid":"{kid}"}"#)),
        Case::rejected("header.alg-null", "alg is null", header(r#"{"alg":null,"kid":"{kid}"}"#)),
        Case::rejected("header.alg-number", "alg is a number", header(r#"{"alg":256,"kid":"{kid}"}"#)),
        Case::rejected("header.alg-array", "alg is an array", header(r#"{"alg":["{alg}"],"kid":"{kid}"}"#)),
        Case::rejected("header.alg-empty", "alg is empty", header(r#"{"alg":"","kid":"{kid}"}"#)),
        Case::rejected("header.alg-case", "alg in lower case", |f| {
            let key = f.key();
            f.token().header("alg", key.algorithm().name().to_lowercase()).sign()
        })
        .rationale("algorithm names are case-sensitive; a server that ignores case may also accept nOnE", "RFC 7515 §4.1.1"),
        Case::rejected("header.alg-space", "alg with a trailing space", |f| {
            f.token().header("alg", format!("{} ", f.key().algorithm())).sign()
        })
        .rationale("algorithm names are compared exactly; a server that trims them may also accept \"none \"", "RFC 7515 §4.1.1"),
        Case::rejected(
            "header.alg-twice-last-none",
            "duplicate alg, the last one none",
            header(r#"{"alg":"{alg}","kid":"{kid}","alg":"none"}"#),
        )
        .rationale("two parsers read different algorithms: duplicate members must be rejected, or the last one used", "RFC 7515 §4"),
        Case::rejected(
            "header.kid-twice-last-unknown",
            "duplicate kid, the last one unknown",
            header(r#"{"alg":"{alg}","kid":"{kid}","kid":"unknown"}"#),
        )
        .rationale("two parsers read different keys: duplicate members must be rejected, or the last one used", "RFC 7515 §4"),
    ];
    cases.extend(critical());
    cases.extend(strict());
    let rationale =
        "issuers do not write such headers, and lenient parsers interpret them differently";
    let rationale = |case: Case| case.default_rationale(rationale, "RFC 7515 §4, §5.2");
    cases
        .into_iter()
        .map(rationale)
        .map(Case::requires_issuer)
        .collect()
}

fn critical() -> Vec<Case> {
    let rationale = "the issuer requires that the extension is understood, for example because it restricts the token";
    let hint = "some libraries ignore `crit`: check the header before verification, and reject tokens that have `crit`";
    let rationale = |case: Case| {
        case.rationale(
            rationale,
            "RFC 7515 §4.1.11, CVE-2025-59420, CVE-2026-32597",
        )
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
        Case::rejected(
            "header.crit-unknown",
            "crit lists an unknown extension",
            with(json!(["exotic"])),
        ),
        Case::rejected(
            "header.crit-absent-member",
            "crit lists a missing member",
            with(json!(["elsewhere"])),
        ),
        Case::rejected("header.crit-b64", "crit lists b64, and b64 is false", |f| {
            f.token()
                .header("b64", false)
                .header("crit", json!(["b64"]))
                .sign()
        }),
        Case::rejected(
            "header.crit-empty",
            "crit is an empty list",
            with(json!([])),
        )
        .strict(),
        Case::rejected(
            "header.crit-standard",
            "crit lists a registered member",
            with(json!(["alg"])),
        )
        .strict(),
        Case::rejected(
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
    let other_type = "the same issuer signs tokens for other purposes, which are not access tokens";
    let cases = [
        Case::rejected(
            "header.typ-logout",
            "typ of a logout token",
            typ("logout+jwt"),
        )
        .rationale(
            other_type,
            "RFC 8725 §3.11, OpenID Connect Back-Channel Logout",
        ),
        Case::rejected("header.typ-dpop", "typ of a DPoP proof", typ("dpop+jwt"))
            .rationale(other_type, "RFC 8725 §3.11, RFC 9449 §4.2"),
        Case::rejected(
            "header.typ-secevent",
            "typ of a security event token",
            typ("secevent+jwt"),
        )
        .rationale(other_type, "RFC 8725 §3.11, RFC 8417 §2.3"),
        Case::rejected(
            "header.typ-client-authentication",
            "typ of a client assertion",
            typ("client-authentication+jwt"),
        )
        .rationale(other_type, "RFC 8725 §3.11"),
        Case::rejected("header.typ-number", "typ is a number", |f| {
            f.token().header("typ", 1).sign()
        })
        .requires(Precondition::AnyTokenType),
        Case::rejected(
            "header.kid-number",
            "kid is a number",
            header(r#"{"alg":"{alg}","kid":1}"#),
        ),
        Case::rejected(
            "header.kid-null",
            "kid is null",
            header(r#"{"alg":"{alg}","kid":null}"#),
        ),
        Case::rejected("header.b64", "b64 is false, but not listed in crit", |f| {
            f.token().header("b64", false).sign()
        })
        .rationale(
            "b64 must be listed in crit; implementations that support it read another payload",
            "RFC 7797 §6",
        ),
        Case::rejected(
            "header.alg-twice-first-none",
            "duplicate alg, the first one none",
            header(r#"{"alg":"none","kid":"{kid}","alg":"{alg}"}"#),
        )
        .rationale("two parsers read different algorithms", "RFC 7515 §4"),
        Case::rejected(
            "header.alg-twice-escaped",
            "duplicate alg, one with an escaped name",
            header(r#"{"alg":"none","kid":"{kid}","a\u006cg":"{alg}"}"#),
        )
        .rationale("two parsers read different algorithms", "RFC 7515 §4"),
        Case::rejected(
            "header.unknown-twice",
            "a duplicate unknown member",
            header(r#"{"alg":"{alg}","kid":"{kid}","x":1,"x":1}"#),
        )
        .rationale(
            "a strict parser rejects duplicate members, which parsers interpret differently",
            "RFC 7515 §4",
        ),
        Case::rejected(
            "header.byte-order-mark",
            "a byte order mark before the header",
            header("\u{feff}{\"alg\":\"{alg}\",\"kid\":\"{kid}\"}"),
        )
        .rationale(
            "JSON on the network must not start with a byte order mark",
            "RFC 8259 §8.1",
        ),
    ];
    cases.map(with_hint).map(Case::strict).into()
}

/// Adds a hint to cases about the type and about duplicate members.
fn with_hint(case: Case) -> Case {
    if case.id.starts_with("header.typ-") {
        case.hint("accept no other `typ` than that of access tokens: `JWT`, `at+jwt`, or none")
    } else if case.id.contains("-twice") {
        case.hint("parse the header with a parser that rejects duplicate members")
    } else {
        case
    }
}
