//! A stranger makes up kids, as many as he likes.

use std::{sync::Arc, time::Duration};

use bearward_testing::signing::Token;
use futures_util::future::join_all;
use uuid::Uuid;

use super::Group;
use crate::{
    case::{Case, Severity, StepError},
    harness::{Harness, accepted, found},
    target::{NoAnswer, Request},
};

pub(super) const GROUP: Group = Group {
    name: "flood",
    title: "made-up kids cost the issuer a few requests and the others nothing",
    hint: "limit how often an unknown kid asks for keys: jose `cooldownDuration`, jwks-rsa `rateLimit` with `jwksRequestsPerMinute`, \
           `JWKSourceBuilder.rateLimited`, aws-jwt-verify's penalty box; `PyJWKClient` in its latest version",
    timed: false,
    cases,
};

/// jwks-rsa's limit is ten a minute; nobody needs more.
const FETCHES: usize = 12;

/// In time, while somebody floods.
const PROMPT: Duration = Duration::from_secs(3);

fn cases() -> Vec<Case> {
    let why = "a stranger turns the target against its issuer, who then limits the target";
    let expected =
        "a refusal of each, at most 12 requests for keys, and 2xx for a good token meanwhile";
    let cases = [
        Case::steps(
            "flood.one-kid",
            "a hundred tokens under one unknown kid",
            Severity::High,
            expected,
            |bench| {
                let kid = Uuid::new_v4().to_string();
                Box::pin(flood(bench, move || kid.clone()))
            },
        ),
        Case::steps(
            "flood.many-kids",
            "a hundred tokens under a hundred unknown kids",
            Severity::High,
            expected,
            |bench| Box::pin(flood(bench, || Uuid::new_v4().to_string())),
        ),
    ];
    cases
        .map(|case| case.rationale(why, "CVE-2026-48524"))
        .into()
}

async fn flood(bench: Arc<Harness>, kid: impl Fn() -> String) -> Result<(), StepError> {
    let before = bench.fetches();
    let stranger = bench.forge.stranger();
    for _ in 0..10 {
        let requests: Vec<Request> = (0..10)
            .map(|_| {
                let token = bench.forge.token().kid(&kid());
                Request::bearer(&Token::new(token.header_members(), token.claims()).sign(&stranger))
            })
            .collect();
        // Sent once: a limit of the target's own is a good answer to a flood.
        let flood = join_all(requests.iter().map(|request| {
            bench
                .target
                .send_within(request, bench.options.request_timeout)
        }));
        for answer in flood.await {
            match answer {
                Ok(answer) if answer.is_accepted() => {
                    return Err(found("a refusal of each", answer.words()));
                }
                Ok(_) => {}
                Err(NoAnswer::Down(why)) => return Err(StepError::Down(why)),
                Err(none) => return Err(found("a refusal of each", none.words())),
            }
        }
    }
    match bench.fetches() - before {
        0..=FETCHES => {}
        fetches => {
            return Err(found(
                "at most 12 requests for keys",
                format!("{fetches} requests for keys"),
            ));
        }
    }
    let good = bench.send(&bench.forge.token().sign()).await;
    let took = good.as_ref().map(|answer| answer.took).unwrap_or_default();
    accepted(good, "2xx for a good token after that")?;
    if took <= PROMPT {
        Ok(())
    } else {
        Err(found(
            "2xx within 3 s for a good token after that",
            format!("2xx after {took:?}"),
        ))
    }
}
