//! Many concurrent requests with a key that the target has not fetched.

use std::sync::Arc;

use bearward_testing::Faults;
use futures_util::future::join_all;

use crate::{
    case::{Case, Severity},
    error::StepError,
    group::Group,
    harness::{Harness, describe_fetches, expect_accepted, failure},
};

pub(crate) const GROUP: Group = Group {
    name: "herd",
    title: "a rotation under load causes one fetch",
    hint: "share one fetch between all requests that need the key set, with a promise, a mutex or a single-flight group",
    timed: true,
    cases,
};

/// The number of concurrent requests.
const REQUESTS: usize = 30;

/// One fetch, a retry, and one that was already in flight.
const MAX_FETCHES: usize = 3;

fn cases() -> Vec<Case> {
    vec![
        Case::steps(
            "herd.one-fetch",
            "30 concurrent tokens signed with a newly published key",
            Severity::High,
            "2xx for all, and at most 3 fetches",
            |harness| Box::pin(concurrent_requests(harness)),
        )
        .rationale(
            "every rotation floods the issuer with requests from each server",
            "CVE-2026-48524",
        ),
    ]
}

async fn concurrent_requests(harness: Arc<Harness>) -> Result<(), StepError> {
    harness.wait_for_cooldown().await;
    let key = harness.forge.new_key();
    harness.publish(key.jwk().into());
    let before = harness.fetches();
    // All requests arrive before the first fetch completes.
    harness.inject_faults(Faults {
        delay_ms: Some(500),
        ..Faults::default()
    });
    let tokens: Vec<String> = (0..REQUESTS)
        .map(|_| harness.forge.token_signed_by(key.clone()).sign())
        .collect();
    let responses = join_all(tokens.iter().map(|token| harness.send_token(token))).await;
    harness.publish_current();
    for response in responses {
        expect_accepted(response, "2xx for each of 30 tokens signed with a new key")
            .map_err(|error| harness.explain_rejected_new_key(error, before))?;
    }
    match harness.fetches() - before {
        0..=MAX_FETCHES => Ok(()),
        fetches => Err(failure("at most 3 fetches", describe_fetches(fetches))),
    }
}
