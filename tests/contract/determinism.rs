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

fn runs() -> usize {
    match std::env::var("BEARWARD_TEST_RUNS") {
        Ok(runs) => runs.parse().expect("a number"),
        Err(_) if test_support::run_long() => 5,
        Err(_) => 2,
    }
}

/// Runs the timed cases twice, five times with `BEARWARD_TEST_LONG=1`, or as often as
/// `BEARWARD_TEST_RUNS` says.
async fn assert_verdicts(cache: KeyCache, expected: &[&str]) {
    let verdicts = stream::iter(0..runs()).map(|_| {
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

/// One second, or what `BEARWARD_TEST_COOLDOWN` says, for example the 301 s of Envoy and keyfunc.
#[tokio::test(flavor = "multi_thread")]
async fn a_new_key_is_always_accepted_after_the_cooldown_of_the_option() {
    let cooldown = match std::env::var("BEARWARD_TEST_COOLDOWN") {
        Ok(seconds) => Duration::from_secs(seconds.parse().expect("a number of seconds")),
        Err(_) => COOLDOWN,
    };
    let run_with = |cooldown: Duration, waits_for: Duration| {
        let cache = KeyCache {
            cooldown,
            ..KeyCache::default()
        };
        let options = Options {
            quick: false,
            cooldown: waits_for,
            only: vec!["key.rotation.same-request".to_owned()],
            ..options()
        };
        run(Behavior::CachesKeys(cache), options)
    };
    // Most of the time is a wait.
    let waiting =
        stream::iter(0..runs()).map(|_| run_with(cooldown, cooldown + Duration::from_millis(100)));
    // Long enough that it has not passed when the case starts.
    let long = cooldown.max(Duration::from_secs(120));
    let impatient = stream::iter(0..runs()).map(|_| run_with(long, Duration::from_millis(10)));
    let (waiting, impatient) = tokio::join!(
        waiting.buffer_unordered(runs()).collect::<Vec<_>>(),
        impatient.buffer_unordered(runs()).collect::<Vec<_>>(),
    );
    for report in &waiting {
        assert_eq!(failed(report), [""; 0], "{report}");
    }
    for report in &impatient {
        assert_eq!(failed(report), ["key.rotation.same-request"], "{report}");
    }
    println!(
        "{} runs with a cooldown of {} s, no verdict changed",
        waiting.len() + impatient.len(),
        cooldown.as_secs()
    );
}
