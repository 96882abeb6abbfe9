//! Many requests at once bring a key that the target has not seen.

use std::sync::Arc;

use bearward_testing::Faults;
use futures_util::future::join_all;

use super::Group;
use crate::{
    case::{Case, Severity, StepError},
    harness::{Harness, accepted, found},
};

pub(super) const GROUP: Group = Group {
    name: "herd",
    title: "a rotation under load costs the issuer one fetch",
    hint: "let requests that need the same key set wait for one fetch: a promise, a mutex or a single flight around it",
    timed: true,
    cases,
};

/// As many as a page of a busy site sends in the first second after a rotation.
const HERD: usize = 30;

/// One, a quick retry, and one that was on its way.
const FETCHES: usize = 3;

fn cases() -> Vec<Case> {
    vec![
        Case::steps(
            "herd.one-fetch",
            "thirty tokens at once of a key that was published just now",
            Severity::High,
            "2xx for all, and at most 3 requests for keys",
            |bench| Box::pin(herd(bench)),
        )
        .rationale(
            "each rotation is a flood at the issuer, from each of its servers",
            "CVE-2026-48524",
        ),
    ]
}

async fn herd(bench: Arc<Harness>) -> Result<(), StepError> {
    bench.cool_down().await;
    let key = bench.forge.new_key();
    bench.publish(key.jwk().into());
    let before = bench.fetches();
    // Slow enough that all of them come before the first answer.
    bench.break_with(Faults {
        delay_ms: Some(500),
        ..Faults::default()
    });
    let tokens: Vec<String> = (0..HERD)
        .map(|_| bench.forge.token_by(key.clone()).sign())
        .collect();
    let answers = join_all(tokens.iter().map(|token| bench.send(token))).await;
    bench.publish_current();
    for answer in answers {
        accepted(answer, "2xx for each of thirty tokens of a new key")
            .map_err(|stop| bench.refused_new_key(stop, before))?;
    }
    match bench.fetches() - before {
        0..=FETCHES => Ok(()),
        fetches => Err(found(
            "at most 3 requests for keys",
            format!("{fetches} requests for keys"),
        )),
    }
}
