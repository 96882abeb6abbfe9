//! What the refreshing task does: schedule, generations, failures, its own end.

use super::{super::*, script::*};

/// Past the refresh of a set that was granted ten minutes.
const REFRESHED: Duration = Duration::from_secs(570);

#[tokio::test]
async fn the_first_fetch_begins_without_any_request() {
    let mut world = World::start();
    assert_eq!(world.set.status().state(), "empty");
    world.call().await.answer(document(jwks(&["a"]))).await;
    let status = world.set.status();
    assert_eq!(
        (status.state(), status.keys, status.generation, status.age),
        ("fresh", 1, 1, Some(Duration::ZERO))
    );
    assert_eq!(status.kids, [Some("a".to_owned())]);
    world.set.wait_for_initial_fetch().await;
}

#[tokio::test]
async fn a_refresh_comes_at_80_to_95_percent_without_traffic_and_asks_with_the_etag() {
    let mut world = World::with(&["a"]).await;
    world.clock.advance(s(479)).await;
    world.no_call().await;
    world.clock.advance(s(91)).await;
    let call = world.call().await;
    assert_eq!(call.request.etag.as_deref(), Some("\"v1\""));
    call.answer(not_modified()).await;
    let status = world.set.status();
    assert_eq!(
        (status.age, status.generation, world.fetched("not_modified")),
        (Some(Duration::ZERO), 1, 1)
    );
    assert_eq!(
        status.clock_ahead_seconds,
        Some(570),
        "the server said what time it was there"
    );
}

#[tokio::test]
async fn a_removed_key_dies_with_the_next_refresh() {
    let mut world = World::with(&["a", "b"]).await;
    world.clock.advance(REFRESHED).await;
    world.call().await.answer(document(jwks(&["a"]))).await;
    assert!(world.has("a") && !world.has("b"));
    assert_eq!(world.set.current().generation(), 2);
}

#[tokio::test]
async fn the_generation_grows_with_content_and_not_with_time() {
    let mut world = World::with(&["a"]).await;
    for (kids, generation) in [
        (["a"].as_slice(), 1),
        (&["a", "b"], 2),
        (&["a", "b"], 2),
        (&["a"], 3),
    ] {
        world.clock.advance(REFRESHED).await;
        world.call().await.answer(document(jwks(kids))).await;
        assert_eq!(world.set.current().generation(), generation, "{kids:?}");
    }
    assert_eq!(
        (world.fetched("updated"), world.fetched("unchanged")),
        (3, 2)
    );
}

#[tokio::test]
async fn no_failure_empties_a_good_set() {
    let many: Vec<String> = (0..101).map(|n| n.to_string()).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let cases = [
        ("connect", down()),
        ("not_json", document(b"<html>".to_vec())),
        ("not_a_set", document(b"{\"error\":\"oops\"}".to_vec())),
        ("no_usable_key", document(br#"{"keys":[]}"#.to_vec())),
        ("too_many_keys", document(jwks(&many))),
        ("too_large", document(vec![b' '; 128 * 1024 + 1])),
    ];
    for (outcome, answer) in cases {
        let mut world = World::with(&["a"]).await;
        world.clock.advance(REFRESHED).await;
        world.call().await.answer(answer).await;
        assert!(world.has("a"), "{outcome}");
        assert_eq!(
            (world.fetched(outcome), world.set.current().generation()),
            (1, 1),
            "{outcome}"
        );
        assert!(world.set.status().last_error.is_some(), "{outcome}");
        world.clock.advance(Duration::from_millis(1500)).await;
        world.call().await.answer(document(jwks(&["a"]))).await;
        assert_eq!(world.set.status().last_error, None, "{outcome}");
    }
}

#[tokio::test]
async fn a_304_that_nobody_asked_for_is_a_failure() {
    let mut world = World::start();
    world.call().await.answer(not_modified()).await;
    assert_eq!(
        (world.fetched("status"), world.set.status().state()),
        (1, "empty")
    );
}

#[tokio::test]
async fn attempts_are_counted_and_not_successes() {
    let mut world = World::with(&["a"]).await;
    world.clock.advance(REFRESHED).await;
    let mut attempts = 0;
    for _ in 0..3600 {
        while let Ok(call) = world.calls.try_recv() {
            attempts += 1;
            call.answer(down()).await;
        }
        drop(world.ask("x"));
        world.clock.advance(s(1)).await;
    }
    assert!(
        (40..=130).contains(&attempts),
        "an hour of outage under load: {attempts}"
    );
}

#[tokio::test]
async fn a_panic_is_a_failed_attempt_and_frees_the_slot() {
    let mut world = World::start();
    let request = world.join("a");
    drop(world.call().await);
    settle().await;
    world.clock.advance(s(2)).await;
    assert_eq!(world.fetched("panicked"), 1);
    world.call().await.answer(document(jwks(&["a"]))).await;
    assert!(world.has("a"), "the next attempt came");
    drop(request);
}

#[tokio::test]
async fn dropping_the_last_clone_ends_the_task_and_its_fetch() {
    let mut world = World::start();
    let call = world.call().await;
    let clone = world.set.clone();
    let request = world.join("a");
    drop(world.set);
    settle().await;
    assert!(!call.is_given_up(), "a clone is left");
    drop(clone);
    settle().await;
    assert!(call.is_given_up());
    assert!(
        request.await.is_err(),
        "nobody waits for a fetch that will not come"
    );
}

#[test]
fn a_runtime_that_ended_leaves_keys_until_they_expire_and_never_hangs_a_request() {
    let runtime = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
    };
    let building = runtime();
    let world = building.block_on(World::with(&["a"]));
    drop(building);
    runtime().block_on(async {
        assert!(world.has("a"));
        assert!(matches!(world.ask("x"), UnknownKeyDecision::Unavailable(_)));
        world.clock.advance(s(6 * 3600)).await;
        assert!(matches!(world.ask("a"), UnknownKeyDecision::Unavailable(_)));
        assert!(
            world
                .set
                .status()
                .last_error
                .is_some_and(|error| error.contains("runtime"))
        );
    });
}

#[test]
fn without_a_runtime_building_fails_by_name() {
    let fetch = HttpFetch::new(&JwksCacheConfig::default(), TestClock::start()).unwrap();
    let built = KeySet::remote(
        remote_keys(),
        &JwksCacheConfig::default(),
        TestClock::start(),
        Arc::new(fetch),
    );
    assert_eq!(built.err(), Some(RemoteJwksError::NoRuntime));
}

#[tokio::test]
async fn a_url_or_a_number_that_does_not_fit_fails_by_name() {
    let build = |keys: RemoteJwks, policy: JwksCacheConfig| {
        let fetch = HttpFetch::new(&JwksCacheConfig::default(), TestClock::start()).unwrap();
        KeySet::remote(keys, &policy, TestClock::start(), Arc::new(fetch)).err()
    };
    let at = |url: &str| RemoteJwks {
        jwks_url: Some(url.parse().unwrap()),
        ..remote_keys()
    };
    let plain = Some(RemoteJwksError::Url(UrlError::PlainHttp));
    assert_eq!(
        build(at("http://idp.example/jwks"), JwksCacheConfig::default()),
        plain
    );
    assert_eq!(
        build(
            at("http://idp.example/jwks"),
            JwksCacheConfig::default().allow_http(true)
        ),
        None
    );
    let discovered = RemoteJwks {
        jwks_url: None,
        issuer: "http://idp.example".to_owned(),
        ..remote_keys()
    };
    assert_eq!(build(discovered, JwksCacheConfig::default()), plain);
    assert!(matches!(
        build(remote_keys(), JwksCacheConfig::default().max_keys(0)),
        Some(RemoteJwksError::Policy(_))
    ));
}
