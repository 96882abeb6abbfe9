//! Tokens with many unknown kids.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bearward_testing::signing::Token;
use uuid::Uuid;

use crate::{
    case::{Case, Severity},
    error::StepError,
    group::Group,
    harness::{Harness, describe_fetches, expect_accepted, failure},
    target::RequestError,
};

pub(crate) const GROUP: Group = Group {
    name: "flood",
    title: "unknown kids cause few fetches and do not affect other users",
    hint: "limit how often unknown kids cause a fetch, all of them together, and reject the others without one",
    timed: false,
    cases,
};

/// The number of fetches that a flood may cause. The limit of jwks-rsa is ten per minute.
const BASE_FETCHES: usize = 12;

/// The time in which one further fetch is allowed. Software that limits fetches makes far fewer; a
/// target or machine that is slow has more time for them.
const TIME_PER_FETCH: Duration = Duration::from_millis(100);

/// Half of the tokens of a flood. A target without a limit fetches once for each token, because they
/// are sent one after the other.
const MAX_FETCHES: usize = FLOOD / 2;

/// The number of tokens of a flood.
pub(super) const FLOOD: usize = 100;

/// Returns how many fetches a target with a rate limit may make during a flood of [`FLOOD`] tokens
/// that took this long. It is at most half of what a target without a limit makes.
pub(super) fn allowed_fetches(elapsed: Duration) -> usize {
    let over_time = elapsed.as_millis() / TIME_PER_FETCH.as_millis();
    BASE_FETCHES
        .saturating_add(usize::try_from(over_time).unwrap_or(usize::MAX))
        .min(MAX_FETCHES)
}

/// The time limit for a valid token during the flood.
const PROMPT: Duration = Duration::from_secs(3);

fn cases() -> Vec<Case> {
    let rationale =
        "an attacker makes the target flood its issuer, which then rate-limits the target";
    let expected = "a rejection of each, at most 12 fetches, and 2xx for a valid token afterwards";
    let cases = [
        Case::steps(
            "flood.one-kid",
            "100 tokens with the same unknown kid",
            Severity::High,
            expected,
            |harness| {
                let kid = Uuid::new_v4().to_string();
                Box::pin(flood(harness, move || kid.clone()))
            },
        ),
        Case::steps(
            "flood.many-kids",
            "100 tokens with 100 unknown kids",
            Severity::High,
            expected,
            |harness| Box::pin(flood(harness, || Uuid::new_v4().to_string())),
        ),
    ];
    cases
        .map(|case| case.rationale(rationale, "CVE-2026-48524"))
        .into()
}

async fn flood(harness: Arc<Harness>, kid: impl Fn() -> String) -> Result<(), StepError> {
    let (before, started) = (harness.fetches(), Instant::now());
    let foreign_key = harness.forge.foreign_key();
    // One after the other: concurrent requests share one fetch in targets without a limit, too.
    for _ in 0..FLOOD {
        let token = harness.forge.token().kid(&kid());
        let token = Token::new(token.header_members(), token.claims()).sign(&foreign_key);
        // 429 is not repeated: rate limiting is a correct response to a flood.
        match harness.send_token_once(&token).await {
            Ok(response) if response.is_accepted() => {
                return Err(failure("a rejection of each", response.describe()));
            }
            Ok(_) => {}
            Err(RequestError::Connect(error)) => return Err(StepError::Connect(error)),
            Err(error) => return Err(failure("a rejection of each", error.describe())),
        }
    }
    let allowed = allowed_fetches(started.elapsed());
    let fetches = harness.fetches() - before;
    if fetches > allowed {
        return Err(failure(
            format!("at most {allowed} fetches"),
            describe_fetches(fetches),
        ));
    }
    let response = harness.send_token(&harness.forge.token().sign()).await;
    let duration = response
        .as_ref()
        .map(|response| response.duration)
        .unwrap_or_default();
    expect_accepted(response, "2xx for a valid token afterwards")?;
    if duration <= PROMPT {
        Ok(())
    } else {
        Err(failure(
            "2xx within 3 s for a valid token afterwards",
            format!("2xx after {duration:?}"),
        ))
    }
}
