//! Tokens that can never be good, under kids that nobody has: not worth a fetch.

use std::sync::Arc;

use uuid::Uuid;

use super::Group;
use crate::{
    case::{Case, Severity, Steps},
    forge::Forge,
    harness::{Harness, found, refused},
};

pub(super) const GROUP: Group = Group {
    name: "gate",
    title: "a token that can never be good costs the issuer nothing",
    hint: "look at size, form, algorithm, issuer and `exp` before the keys are asked for: an unverified claim may refuse, and nothing else",
    timed: true,
    cases,
};

const EXPECTED: &str = "401 or 403, and no request for keys";

fn cases() -> Vec<Case> {
    let why = "whoever makes up tokens decides how often the issuer is asked, and uses up the right to ask for a real rotation";
    let cases = [
        Case::steps(
            "gate.expired",
            "expired tokens of unknown keys",
            Severity::Low,
            EXPECTED,
            |bench| {
                costs_nothing(bench, |f| {
                    f.token().expired().kid(&Uuid::new_v4().to_string()).sign()
                })
            },
        ),
        Case::steps(
            "gate.issuer",
            "tokens of another issuer under unknown kids",
            Severity::Low,
            EXPECTED,
            |bench| {
                costs_nothing(bench, |f| {
                    f.token()
                        .issuer("https://evil.example")
                        .kid(&Uuid::new_v4().to_string())
                        .sign()
                })
            },
        ),
        Case::steps(
            "gate.algorithm",
            "HS256 tokens under unknown kids",
            Severity::Low,
            EXPECTED,
            |bench| {
                costs_nothing(bench, |f| {
                    f.hmac("HS256", Some(&Uuid::new_v4().to_string()), b"x")
                })
            },
        ),
        Case::steps(
            "gate.form",
            "garbage that has three parts",
            Severity::Low,
            EXPECTED,
            |bench| costs_nothing(bench, |f| format!("{}.x.{}", f.parts()[0], Uuid::new_v4())),
        ),
    ];
    cases
        .map(|case| case.strict().rationale(why, "CVE-2026-48524"))
        .into()
}

fn costs_nothing(bench: Arc<Harness>, token: fn(&Forge) -> String) -> Steps {
    Box::pin(async move {
        let mut fetches = 0;
        // Twice before it is a finding: a scheduled refresh may fall into one of these moments.
        for _ in 0..2 {
            // Else a target that may not ask just now would pass by accident.
            bench.cool_down().await;
            let before = bench.fetches();
            for _ in 0..5 {
                refused(bench.send(&token(&bench.forge)).await, EXPECTED)?;
            }
            fetches = bench.fetches() - before;
            if fetches == 0 {
                return Ok(());
            }
        }
        Err(found(EXPECTED, format!("{fetches} requests for keys")))
    })
}
