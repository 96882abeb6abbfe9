//! Timed cases give the same verdict in each run, for a server that limits fetches and one that does
//! not.

use std::time::Duration;

use bearward_contract::Options;
use futures_util::{StreamExt, stream};

use crate::{
    helpers::{failed, options, run},
    test_server::{Behavior, KeyCache},
};

/// The groups whose verdicts depend on when and how often the target fetches the keys.
const TIMED: [&str; 6] = ["key.rotation", "outage", "slow", "herd", "gate", "flood"];

/// The number of runs at the same time, which also delays each of them.
const CONCURRENCY: usize = 4;

/// The cooldown of the server with a limit. The tokens of a flood are much closer to each other, even
/// on a busy machine.
const COOLDOWN: Duration = Duration::from_secs(1);

/// Runs the timed cases twice, five times with `BEARWARD_TEST_LONG=1`, or as often as
/// `BEARWARD_TEST_RUNS` says.
async fn assert_verdicts(cache: KeyCache, expected: &[&str]) {
    let runs = match std::env::var("BEARWARD_TEST_RUNS") {
        Ok(runs) => runs.parse().expect("a number"),
        Err(_) if test_support::run_long() => 5,
        Err(_) => 2,
    };
    let verdicts = stream::iter(0..runs).map(|_| {
        let options = Options {
            quick: false,
            cooldown: COOLDOWN + Duration::from_millis(100),
            only: TIMED.map(str::to_owned).into(),
            ..options()
        };
        run(Behavior::CachesKeys(cache.clone()), options)
    });
    let reports: Vec<_> = verdicts.buffer_unordered(CONCURRENCY).collect().await;
    for report in &reports {
        assert_eq!(failed(report), expected, "{report}");
    }
    println!("{} runs, no verdict changed", reports.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_with_a_fetch_limit_always_passes() {
    let cache = KeyCache {
        cooldown: COOLDOWN,
        ..KeyCache::default()
    };
    assert_verdicts(cache, &[]).await;
}

/// It shares one fetch between concurrent requests, which hides the missing limit from a test that
/// sends them concurrently.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_a_fetch_limit_always_fails_the_same_cases() {
    let cache = KeyCache {
        cooldown: Duration::ZERO,
        ..KeyCache::default()
    };
    assert_verdicts(
        cache,
        &["outage.hammering", "flood.one-kid", "flood.many-kids"],
    )
    .await;
}
