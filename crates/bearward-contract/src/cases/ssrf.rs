//! Addresses in the token: the target must not visit them. The host that they name counts its
//! visitors.

use std::sync::Arc;

use bearward_testing::signing::Token;
use serde_json::json;

use super::Group;
use crate::{
    case::{Case, Severity, Steps},
    forge::Forge,
    harness::{Harness, found, refused},
};

pub(super) const GROUP: Group = Group {
    name: "ssrf",
    title: "the token names no address that is visited",
    hint: "configure the address of the keys, or discover it from the configured issuer. Never fetch `jku`, `x5u`, `iss` or `kid` of a token \
           that is not verified",
    timed: false,
    cases,
};

const EXPECTED: &str = "401 or 403, and no request to the host that the token names";

fn cases() -> Vec<Case> {
    let why = "a stranger makes the server fetch what he likes, inside its network, and sign as whom he likes";
    let cases = [
        Case::steps(
            "ssrf.jku",
            "jku names another host, which publishes the forger's key",
            Severity::Critical,
            EXPECTED,
            |bench| {
                visit(bench, |f| {
                    f.token_by(f.canary.key.clone())
                        .header("jku", f.canary.jwks_url.as_str())
                        .sign()
                })
            },
        ),
        Case::steps(
            "ssrf.jku-user",
            "jku looks as if it began with the issuer's address",
            Severity::Critical,
            EXPECTED,
            |bench| {
                visit(bench, |f| {
                    let host = f.canary.jwks_url.trim_start_matches("http://");
                    f.token_by(f.canary.key.clone())
                        .header("jku", format!("{}@{host}", f.base))
                        .sign()
                })
            },
        ),
        Case::steps(
            "ssrf.x5u",
            "x5u names another host",
            Severity::Critical,
            EXPECTED,
            |bench| {
                visit(bench, |f| {
                    f.token_by(f.canary.key.clone())
                        .header("x5u", format!("{}?x5u", f.canary.jwks_url))
                        .sign()
                })
            },
        ),
        Case::steps(
            "ssrf.iss",
            "iss is another host, which publishes the forger's key",
            Severity::Critical,
            EXPECTED,
            |bench| {
                visit(bench, |f| {
                    f.token_by(f.canary.key.clone())
                        .issuer(&f.canary.issuer)
                        .sign()
                })
            },
        ),
        Case::steps(
            "ssrf.kid",
            "kid is an address",
            Severity::Critical,
            EXPECTED,
            |bench| {
                visit(bench, |f| {
                    let token = f.token_by(f.canary.key.clone()).kid(&f.canary.jwks_url);
                    Token::new(token.header_members(), token.claims()).sign(&f.canary.key)
                })
            },
        ),
        Case::steps(
            "ssrf.claims",
            "jwks_uri and azp among the claims are addresses",
            Severity::Critical,
            EXPECTED,
            |bench| {
                visit(bench, |f| {
                    let token = f
                        .token_by(f.canary.key.clone())
                        .claim("jwks_uri", f.canary.jwks_url.as_str());
                    token
                        .claim("azp", f.canary.jwks_url.as_str())
                        .claim(
                            "_claim_sources",
                            json!({ "s": { "endpoint": f.canary.jwks_url } }),
                        )
                        .sign()
                })
            },
        ),
    ];
    cases
        .map(|case| case.rationale(why, "RFC 8725 §3.10, CVE-2018-0114, CVE-2026-32301"))
        .into()
}

fn visit(bench: Arc<Harness>, token: fn(&Forge) -> String) -> Steps {
    Box::pin(async move {
        let visits = || bench.canary.fetches() + bench.canary.discoveries();
        let before = visits();
        let answer = bench.send(&token(&bench.forge)).await;
        refused(answer, EXPECTED)?;
        match visits() - before {
            0 => Ok(()),
            visits => Err(found(
                EXPECTED,
                format!("refused, after {visits} requests to that host"),
            )),
        }
    })
}
