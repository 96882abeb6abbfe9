//! What requests see: waiting, joining, refusals, 503.

use super::{super::*, script::*};

fn refused(answer: &UnknownKeyDecision) -> bool {
    matches!(answer, UnknownKeyDecision::Refuse)
}

fn unavailable_for(answer: &UnknownKeyDecision) -> Option<Duration> {
    match answer {
        UnknownKeyDecision::Unavailable(unavailable) => Some(unavailable.retry_after),
        _ => None,
    }
}

#[tokio::test]
async fn a_herd_on_an_empty_set_makes_one_fetch() {
    let mut world = World::start();
    let herd: Vec<_> = (0..500).map(|_| world.join("a")).collect();
    let call = world.call().await;
    assert!(herd[499].is_waiting().await);
    call.answer(document(jwks(&["a"]))).await;
    for request in herd {
        assert!(has(&request.await.unwrap(), "a"));
    }
    world.no_call().await;
    assert_eq!(
        world.unknown("refreshed"),
        0,
        "they came too early, but asked for nothing unknown"
    );
}

#[tokio::test]
async fn a_request_on_an_empty_set_waits_two_seconds_and_no_longer() {
    let mut world = World::start();
    let _hanging = world.call().await;
    let request = world.join("a");
    world.clock.advance(Duration::from_millis(1999)).await;
    assert!(request.is_waiting().await);
    world.clock.advance(Duration::from_millis(1)).await;
    assert_eq!(
        request.await.unwrap_err(),
        Unavailable { retry_after: s(1) }
    );
}

#[tokio::test]
async fn a_request_on_an_empty_set_is_503_at_once_while_the_next_attempt_is_far() {
    let mut world = World::start();
    let late = FetchError {
        retry_after: Some(s(60)),
        ..down().unwrap_err()
    };
    world.call().await.answer(Err(late)).await;
    assert_eq!(unavailable_for(&world.ask("a")), Some(s(60)));
    world.clock.advance(s(58)).await;
    assert_eq!(
        unavailable_for(&world.ask("a")),
        Some(s(2)),
        "it would begin when the request ends"
    );
    world.clock.advance(s(1)).await;
    let request = world.join("a");
    world.no_call().await;
    world.clock.advance(s(1)).await;
    world.call().await.answer(document(jwks(&["a"]))).await;
    assert!(
        has(&request.await.unwrap(), "a"),
        "the next attempt was near enough to wait for"
    );
}

#[tokio::test]
async fn an_outage_of_less_than_max_stale_costs_nothing_and_a_longer_one_is_503() {
    let mut world = World::with(&["a"]).await;
    let mut passed = Duration::ZERO;
    while passed + s(300) < s(6 * 3600) {
        world.clock.advance(s(300)).await;
        passed += s(300);
        while let Ok(call) = world.calls.try_recv() {
            call.answer(down()).await;
        }
        assert!(world.has("a"), "after {passed:?}");
    }
    assert_eq!(world.set.status().state, KeySetState::Stale);
    world.clock.advance(s(300)).await;
    assert!(!world.has("a"));
    assert_eq!(world.set.status().state, KeySetState::Expired);
    let request = world.join("a");
    world.call().await.answer(not_modified()).await;
    assert!(
        has(&request.await.unwrap(), "a"),
        "the same keys come back to life by a 304"
    );
    assert_eq!(world.set.current().generation(), 1);
}

#[tokio::test]
async fn after_a_rotation_every_request_of_the_herd_succeeds_with_one_fetch() {
    let mut world = World::with(&["old"]).await;
    let herd: Vec<_> = (0..500).map(|_| world.join("new")).collect();
    let call = world.call().await;
    let latecomers: Vec<_> = (0..500).map(|_| world.join("new")).collect();
    call.answer(document(jwks(&["old", "new"]))).await;
    for request in herd.into_iter().chain(latecomers) {
        assert!(has(&request.await.unwrap(), "new"));
    }
    world.no_call().await;
    assert_eq!(world.unknown("refreshed"), 1000);
}

#[tokio::test]
async fn a_key_that_came_while_the_request_looked_costs_no_fetch() {
    let mut world = World::with(&["a"]).await;
    let request = world.join("a");
    assert!(has(&request.await.unwrap(), "a"));
    world.no_call().await;
}

#[tokio::test]
async fn an_unknown_kid_is_fetched_for_once_and_then_refused_for_thirty_seconds() {
    let mut world = World::with(&["a"]).await;
    let request = world.join("x");
    world.call().await.answer(document(jwks(&["a"]))).await;
    assert!(!has(&request.await.unwrap(), "x"));
    assert!(refused(&world.ask("x")));
    assert_eq!(
        (world.unknown("missing"), world.unknown("negative")),
        (1, 1)
    );
    world.clock.advance(s(30)).await;
    let _again = world.join("x");
    world.call().await.answer(document(jwks(&["a"]))).await;
}

#[tokio::test]
async fn five_thousand_random_kids_cost_the_burst_and_good_tokens_stay_good() {
    let mut world = World::with(&["a"]).await;
    let (mut fetches, mut refusals) = (0, 0);
    for n in 0..5000 {
        match world.ask(&format!("random-{n}")) {
            UnknownKeyDecision::Refuse => refusals += 1,
            UnknownKeyDecision::Join(flight) => {
                let request = tokio::spawn(flight);
                settle().await;
                if let Ok(call) = world.calls.try_recv() {
                    fetches += 1;
                    call.answer(not_modified()).await;
                }
                assert!(request.await.unwrap().is_ok());
            }
            UnknownKeyDecision::Unavailable(_) => panic!("the identity provider is up"),
        }
        assert!(world.has("a"));
    }
    assert_eq!((fetches, refusals), (2, 4998));
    assert_eq!(world.unknown("limited"), 4998);
}

#[tokio::test]
async fn a_flood_that_waits_for_one_flight_gets_one_more_and_no_third() {
    let mut world = World::with(&["a"]).await;
    let first = world.join("first");
    let call = world.call().await;
    let flood: Vec<_> = (0..1000)
        .map(|n| world.join(&format!("random-{n}")))
        .collect();
    call.answer(document(jwks(&["a"]))).await;
    assert!(!has(&first.await.unwrap(), "first"));
    world.call().await.answer(document(jwks(&["a"]))).await;
    for request in flood {
        assert!(request.await.is_ok());
    }
    world.no_call().await;
    assert_eq!(world.unknown("missing"), 1001);
}

#[tokio::test]
async fn a_key_published_while_a_flight_was_under_way_is_found_by_the_next() {
    let mut world = World::with(&["old"]).await;
    let _other = world.join("other");
    let early = world.call().await;
    let request = world.join("new");
    early.answer(document(jwks(&["old"]))).await;
    assert!(
        request.is_waiting().await,
        "that answer may have been read before the key was published"
    );
    world
        .call()
        .await
        .answer(document(jwks(&["old", "new"])))
        .await;
    assert!(has(&request.await.unwrap(), "new"));
}

#[tokio::test]
async fn an_unknown_kid_during_an_outage_is_503_and_starts_no_fetch() {
    let mut world = World::with(&["a"]).await;
    let request = world.join("x");
    world.call().await.answer(down()).await;
    let unavailable = request.await.unwrap_err();
    assert!(
        (s(1)..=s(2)).contains(&unavailable.retry_after),
        "{unavailable:?}"
    );
    for n in 0..100 {
        assert!(unavailable_for(&world.ask(&format!("x-{n}"))).is_some());
    }
    world.no_call().await;
    assert!(world.has("a"), "known keys serve on");
    assert_eq!(world.unknown("unavailable"), 101);
}

#[tokio::test]
async fn a_fetch_that_hangs_is_503_for_those_who_wait_and_nothing_for_the_others() {
    let mut world = World::with(&["a"]).await;
    let request = world.join("x");
    let hanging = world.call().await;
    world.clock.advance(s(2)).await;
    assert!(request.await.is_err());
    assert!(world.has("a"));
    hanging.answer(document(jwks(&["a", "x"]))).await;
    assert!(world.has("x"));
}

#[tokio::test]
async fn a_client_that_hangs_up_does_not_cancel_the_fetch_for_others() {
    let mut world = World::start();
    let (first, second) = (world.join("a"), world.join("a"));
    let call = world.call().await;
    first.hang_up();
    settle().await;
    assert!(!call.is_given_up());
    call.answer(document(jwks(&["a"]))).await;
    assert!(has(&second.await.unwrap(), "a"));
}

#[tokio::test]
async fn the_same_holds_when_the_client_that_caused_the_fetch_hangs_up() {
    let mut world = World::with(&["old"]).await;
    drop(world.ask("new"));
    let request = world.join("new");
    world.call().await.answer(document(jwks(&["new"]))).await;
    assert!(has(&request.await.unwrap(), "new"));
}

/// As actix-web does it: every worker has a runtime of its own, and the fetch runs on none of them.
#[tokio::test]
async fn requests_on_other_runtimes_are_served_by_the_same_fetch() {
    let mut world = World::start();
    let workers: Vec<_> = (0..4)
        .map(|_| {
            let flights: Vec<_> = (0..50).map(|_| world.ask("a")).collect();
            std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .build()
                    .unwrap();
                let served = |answer| match answer {
                    UnknownKeyDecision::Join(flight) => runtime
                        .block_on(flight)
                        .is_ok_and(|snapshot| has(&snapshot, "a")),
                    _ => false,
                };
                flights
                    .into_iter()
                    .map(served)
                    .filter(|served| *served)
                    .count()
            })
        })
        .collect();
    world.call().await.answer(document(jwks(&["a"]))).await;
    for worker in workers {
        assert_eq!(worker.join().unwrap(), 50);
    }
    world.no_call().await;
}

#[tokio::test]
async fn a_token_without_kid_finds_the_one_key_that_fits() {
    let mut world = World::start();
    let UnknownKeyDecision::Join(flight) =
        world.set.unknown_key(None, Algorithm::EdDSA, world.now())
    else {
        panic!("must join")
    };
    world.call().await.answer(document(jwks(&["a"]))).await;
    assert!(matches!(
        flight.await.unwrap().keys().find(None, Algorithm::EdDSA),
        KeyLookup::One(_)
    ));
    let _unfit = world.set.unknown_key(None, Algorithm::RS256, world.now());
    world.call().await.answer(document(jwks(&["a"]))).await;
}

#[tokio::test]
async fn a_bad_signature_refetches_a_set_older_than_the_cooldown_once() {
    let mut world = World::with(&["a"]).await;
    let checked = world.set.current();
    world.clock.advance(s(30)).await;
    assert!(
        world.set.bad_signature(&checked, world.now()).is_none(),
        "not older yet"
    );
    world.clock.advance(s(1)).await;
    let flight = world
        .set
        .bad_signature(&checked, world.now())
        .expect("a flight");
    world.call().await.answer(document(jwks(&["a", "b"]))).await;
    assert_eq!(
        flight.await.unwrap().generation(),
        2,
        "another generation: worth a second look"
    );
    let again = world
        .set
        .bad_signature(&checked, world.now())
        .expect("the newer set");
    assert_eq!(
        again.await.unwrap().generation(),
        2,
        "without a fetch for those who checked the old one"
    );
    assert!(
        world
            .set
            .bad_signature(&world.set.current(), world.now())
            .is_none()
    );
    world.no_call().await;
}

#[tokio::test]
async fn fixed_keys_never_age_and_fetch_nothing() {
    let set = KeySet::fixed(
        "corp",
        &jwks(&["a"]),
        &Algorithm::DEFAULT,
        &JwksCacheConfig::default(),
    )
    .unwrap();
    let far = s(100 * 365 * 86_400);
    assert!(set.current().serves(far) && has(&set.current(), "a"));
    assert!(refused(&set.unknown_key(Some("x"), Algorithm::EdDSA, far)));
    assert!(set.bad_signature(&set.current(), far).is_none());
    set.wait_for_initial_fetch().await;
    assert_eq!(
        (set.status().state(), set.status().attempts()),
        ("fixed", 0)
    );
    assert!(
        KeySet::fixed(
            "corp",
            br#"{"keys":[]}"#,
            &Algorithm::DEFAULT,
            &JwksCacheConfig::default()
        )
        .is_err()
    );
}
