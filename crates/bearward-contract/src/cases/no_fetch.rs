//! Tokens that can be rejected without a key must not cause a fetch.

use std::sync::Arc;

use uuid::Uuid;

use crate::{
    case::{Case, Severity, Steps},
    forge::Forge,
    group::Group,
    harness::{Harness, describe_fetches, expect_rejected, failure},
};

pub(crate) const GROUP: Group = Group {
    name: "gate",
    title: "an unacceptable token does not cause a fetch",
    hint: "check size, format, algorithm, issuer and `exp` before fetching keys: an unverified claim may only cause a rejection",
    timed: true,
    cases,
};

const EXPECTED: &str = "401 or 403, and no fetch";

fn cases() -> Vec<Case> {
    let rationale = "an attacker controls how often the target fetches the keys, and exhausts its fetch limit before a real rotation";
    let cases = [
        Case::steps(
            "gate.expired",
            "expired tokens with unknown kids",
            Severity::Low,
            EXPECTED,
            |harness| {
                without_fetch(harness, |f| {
                    f.token().expired().kid(&Uuid::new_v4().to_string()).sign()
                })
            },
        ),
        Case::steps(
            "gate.issuer",
            "tokens of another issuer with unknown kids",
            Severity::Low,
            EXPECTED,
            |harness| {
                without_fetch(harness, |f| {
                    f.token()
                        .issuer("https://evil.example")
                        .kid(&Uuid::new_v4().to_string())
                        .sign()
                })
            },
        ),
        Case::steps(
            "gate.algorithm",
            "HS256 tokens with unknown kids",
            Severity::Low,
            EXPECTED,
            |harness| {
                without_fetch(harness, |f| {
                    f.hmac("HS256", Some(&Uuid::new_v4().to_string()), b"x")
                })
            },
        ),
        Case::steps(
            "gate.form",
            "garbage with three parts",
            Severity::Low,
            EXPECTED,
            |harness| {
                without_fetch(harness, |f| {
                    format!("{}.x.{}", f.parts()[0], Uuid::new_v4())
                })
            },
        ),
    ];
    cases
        .map(|case| case.strict().rationale(rationale, "CVE-2026-48524"))
        .into()
}

fn without_fetch(harness: Arc<Harness>, token: fn(&Forge) -> String) -> Steps {
    Box::pin(async move {
        let mut fetches = 0;
        // A scheduled refresh may coincide with one attempt, so two attempts must both fail.
        for _ in 0..2 {
            // Otherwise a target within its cooldown would pass by accident.
            harness.wait_for_cooldown().await;
            let before = harness.fetches();
            for _ in 0..5 {
                expect_rejected(harness.send_token(&token(&harness.forge)).await, EXPECTED)?;
            }
            fetches = harness.fetches() - before;
            if fetches == 0 {
                return Ok(());
            }
        }
        Err(failure(EXPECTED, describe_fetches(fetches)))
    })
}
