//! URLs in the token, which the target must not fetch. The canary host counts requests.

use std::sync::Arc;

use bearward_testing::signing::Token;
use serde_json::json;

use crate::{
    case::{Case, Severity, Steps},
    forge::Forge,
    group::Group,
    harness::{Harness, describe_requests, expect_unknown_key_rejected, failure},
};

pub(crate) const GROUP: Group = Group {
    name: "ssrf",
    title: "URLs in a token are never fetched",
    hint: "configure the key URL, or discover it from the configured issuer. Never fetch `jku`, `x5u`, `iss` or `kid` of an unverified token",
    timed: false,
    cases,
};

const EXPECTED: &str = "401, 403 or 503 with Retry-After, and no request to the host in the token";

fn cases() -> Vec<Case> {
    let rationale =
        "an attacker makes the server fetch URLs inside its network, or trust the attacker's keys";
    let cases = [
        Case::steps(
            "ssrf.jku",
            "jku is another host, which publishes the attacker's key",
            Severity::Critical,
            EXPECTED,
            |harness| {
                without_request(harness, |f| {
                    f.token_signed_by(f.canary.key.clone())
                        .header("jku", f.canary.jwks_url.as_str())
                        .sign()
                })
            },
        ),
        Case::steps(
            "ssrf.jku-user",
            "jku has the issuer's address as its userinfo",
            Severity::Critical,
            EXPECTED,
            |harness| {
                without_request(harness, |f| {
                    let host = f.canary.jwks_url.trim_start_matches("http://");
                    f.token_signed_by(f.canary.key.clone())
                        .header("jku", format!("{}@{host}", f.base))
                        .sign()
                })
            },
        ),
        Case::steps(
            "ssrf.x5u",
            "x5u is another host",
            Severity::Critical,
            EXPECTED,
            |harness| {
                without_request(harness, |f| {
                    f.token_signed_by(f.canary.key.clone())
                        .header("x5u", format!("{}?x5u", f.canary.jwks_url))
                        .sign()
                })
            },
        ),
        Case::steps(
            "ssrf.iss",
            "iss is another host, which publishes the attacker's key",
            Severity::Critical,
            EXPECTED,
            |harness| {
                without_request(harness, |f| {
                    f.token_signed_by(f.canary.key.clone())
                        .issuer(&f.canary.issuer)
                        .sign()
                })
            },
        ),
        Case::steps(
            "ssrf.kid",
            "kid is a URL",
            Severity::Critical,
            EXPECTED,
            |harness| {
                without_request(harness, |f| {
                    let token = f
                        .token_signed_by(f.canary.key.clone())
                        .kid(&f.canary.jwks_url);
                    Token::new(token.header_members(), token.claims()).sign(&f.canary.key)
                })
            },
        ),
        Case::steps(
            "ssrf.claims",
            "the claims jwks_uri and azp are URLs",
            Severity::Critical,
            EXPECTED,
            |harness| {
                without_request(harness, |f| {
                    let token = f
                        .token_signed_by(f.canary.key.clone())
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
        .map(|case| case.rationale(rationale, "RFC 8725 §3.10, CVE-2018-0114, CVE-2026-32301"))
        .into()
}

fn without_request(harness: Arc<Harness>, token: fn(&Forge) -> String) -> Steps {
    Box::pin(async move {
        let requests = || harness.canary.fetches() + harness.canary.discoveries();
        let before = requests();
        let response = harness.send_token(&token(&harness.forge)).await;
        expect_unknown_key_rejected(response, EXPECTED)?;
        match requests() - before {
            0 => Ok(()),
            requests => Err(failure(
                EXPECTED,
                format!(
                    "a rejection after {} to that host",
                    describe_requests(requests)
                ),
            )),
        }
    })
}
