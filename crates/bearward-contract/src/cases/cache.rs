//! A target that remembers what it has verified: only the very same token may profit from that.

use std::sync::Arc;

use bearward_testing::signing::encode;

use super::Group;
use crate::{
    case::{Case, Severity, StepError},
    forge::{Forge, decode, split},
    harness::{Harness, accepted, refused},
};

pub(super) const GROUP: Group = Group {
    name: "cache",
    title: "what was verified before vouches for nothing else",
    hint: "key a cache of verified tokens by a hash of the whole token, every byte, and look at `exp` and at the key again at each hit",
    timed: false,
    cases,
};

const EXPECTED: &str = "2xx for the good token, then 401 or 403";

fn cases() -> Vec<Case> {
    let why =
        "a cache that is keyed by a part of the token accepts whatever has that part in common";
    let cases = [
        Case::steps(
            "cache.signature",
            "an accepted token, then the same with one bit of its signature turned",
            Severity::Critical,
            EXPECTED,
            |bench| {
                Box::pin(after_a_good_one(bench, |_, good| {
                    let [header, payload, signature] = split(good);
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
            |bench| {
                Box::pin(after_a_good_one(bench, |_, good| {
                    let [header, payload, _] = split(good);
                    format!("{header}.{payload}.")
                }))
            },
        ),
        Case::steps(
            "cache.payload",
            "an accepted token, then another payload under its signature",
            Severity::Critical,
            EXPECTED,
            |bench| {
                Box::pin(after_a_good_one(bench, |f, good| {
                    let [header, _, signature] = split(good);
                    format!("{header}.{}.{signature}", split(&f.token().sign())[1])
                }))
            },
        ),
        Case::steps(
            "cache.identifier",
            "an accepted token, then a stranger's with the same jti and sub",
            Severity::Critical,
            EXPECTED,
            |bench| {
                Box::pin(async move {
                    let token = bench.forge.token();
                    accepted(
                        bench.send(&token.clone().sign()).await,
                        "2xx for the good token",
                    )?;
                    let forged = token.claim("role", "service_role").signed_by_stranger();
                    refused(bench.send(&forged).await, "401 or 403 for the stranger's")
                })
            },
        ),
    ];
    cases
        .map(|case| case.rationale(why, "GHSA-rp9m-7r4c-75qg, GHSA-qvp4-rpmr-xwrr"))
        .into()
}

async fn after_a_good_one(
    bench: Arc<Harness>,
    change: fn(&Forge, &str) -> String,
) -> Result<(), StepError> {
    let good = bench.forge.token().sign();
    for _ in 0..2 {
        accepted(bench.send(&good).await, "2xx for the good token")?;
    }
    refused(
        bench.send(&change(&bench.forge, &good)).await,
        "401 or 403 for the changed one, after the good one",
    )
}
