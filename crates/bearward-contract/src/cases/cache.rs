//! Caches of verified tokens: a hit requires the identical token.

use std::sync::Arc;

use bearward_testing::signing::encode;

use crate::{
    case::{Case, Severity},
    error::StepError,
    forge::{Forge, decode, split},
    group::Group,
    harness::{Harness, expect_accepted, expect_rejected},
};

pub(crate) const GROUP: Group = Group {
    name: "cache",
    title: "a cached result applies only to the identical token",
    hint: "key the cache of verified tokens by a hash of the whole token, and check `exp` and the key again on each hit",
    timed: false,
    cases,
};

const EXPECTED: &str = "2xx for the valid token, then 401 or 403";

fn cases() -> Vec<Case> {
    let rationale =
        "a cache keyed by a part of the token accepts every token that contains that part";
    let cases = [
        Case::steps(
            "cache.signature",
            "an accepted token, then the same with one signature bit flipped",
            Severity::Critical,
            EXPECTED,
            |harness| {
                Box::pin(after_a_valid_one(harness, |_, valid| {
                    let [header, payload, signature] = split(valid);
                    let mut signature = decode(&signature);
                    let middle = signature.len() / 2;
                    signature[middle] ^= 1;
                    format!("{header}.{payload}.{}", encode(&signature))
                }))
            },
        ),
        Case::steps(
            "cache.no-signature",
            "an accepted token, then the same without a signature",
            Severity::Critical,
            EXPECTED,
            |harness| {
                Box::pin(after_a_valid_one(harness, |_, valid| {
                    let [header, payload, _] = split(valid);
                    format!("{header}.{payload}.")
                }))
            },
        ),
        Case::steps(
            "cache.payload",
            "an accepted token, then another payload with its signature",
            Severity::Critical,
            EXPECTED,
            |harness| {
                Box::pin(after_a_valid_one(harness, |f, valid| {
                    let [header, _, signature] = split(valid);
                    format!("{header}.{}.{signature}", split(&f.token().sign())[1])
                }))
            },
        ),
        Case::steps(
            "cache.identifier",
            "an accepted token, then a forged one with the same jti and sub",
            Severity::Critical,
            EXPECTED,
            |harness| {
                Box::pin(async move {
                    let token = harness.forge.token();
                    expect_accepted(
                        harness.send_token(&token.clone().sign()).await,
                        "2xx for the valid token",
                    )?;
                    let forged = token.claim("role", "service_role").signed_by_stranger();
                    expect_rejected(
                        harness.send_token(&forged).await,
                        "401 or 403 for the forged token",
                    )
                })
            },
        ),
    ];
    cases
        .map(|case| case.rationale(rationale, "GHSA-rp9m-7r4c-75qg, GHSA-qvp4-rpmr-xwrr"))
        .into()
}

async fn after_a_valid_one(
    harness: Arc<Harness>,
    change: fn(&Forge, &str) -> String,
) -> Result<(), StepError> {
    let valid = harness.forge.token().sign();
    for _ in 0..2 {
        expect_accepted(harness.send_token(&valid).await, "2xx for the valid token")?;
    }
    expect_rejected(
        harness.send_token(&change(&harness.forge, &valid)).await,
        "401 or 403 for the modified token after the valid one",
    )
}
