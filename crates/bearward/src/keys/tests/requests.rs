//! Tests of requests for missing keys: waiting, rejection and 503.

use super::{super::*, fixture::*};

fn is_rejected(decision: &UnknownKeyDecision) -> bool {
    matches!(decision, UnknownKeyDecision::Reject)
}

fn retry_after(decision: &UnknownKeyDecision) -> Option<Duration> {
    match decision {
        UnknownKeyDecision::Unavailable(unavailable) => Some(unavailable.retry_after),
        _ => None,
    }
}

#[tokio::test]
async fn many_requests_on_an_empty_set_share_one_fetch() {
    let mut fixture = Fixture::new();
    let requests: Vec<_> = (0..500).map(|_| fixture.wait_for_key("a")).collect();
    let fetch = fixture.next_fetch().await;
    assert!(requests[499].is_waiting().await);
    fetch.respond(document(jwks(&["a"]))).await;
    for request in requests {
        assert!(has_key(&request.await.unwrap(), "a"));
    }
    fixture.assert_no_fetch().await;
    assert_eq!(
        fixture.unknown_keys("refreshed"),
        0,
        "no request was for an unknown key"
    );
}

#[tokio::test]
async fn request_on_an_empty_set_waits_two_seconds() {
    let mut fixture = Fixture::new();
    let _hanging = fixture.next_fetch().await;
    let request = fixture.wait_for_key("a");
    fixture.clock.advance(Duration::from_millis(1999)).await;
    assert!(request.is_waiting().await);
    fixture.clock.advance(Duration::from_millis(1)).await;
    assert_eq!(
        request.await.unwrap_err(),
        Unavailable { retry_after: s(1) }
    );
}

#[tokio::test]
async fn empty_set_is_503_if_the_next_attempt_is_past_the_deadline() {
    let mut fixture = Fixture::new();
    let late = FetchError {
        retry_after: Some(s(60)),
        ..connect_error().unwrap_err()
    };
    fixture.next_fetch().await.respond(Err(late)).await;
    assert_eq!(
        retry_after(&fixture.request_key("a")),
        Some(s(10)),
        "a request may start an attempt before the 60 seconds of Retry-After are over"
    );
    fixture.clock.advance(s(8)).await;
    assert_eq!(
        retry_after(&fixture.request_key("a")),
        Some(s(2)),
        "just inside the interval"
    );
    fixture.assert_no_fetch().await;
    fixture.clock.advance(s(2)).await;
    let request = fixture.wait_for_key("a");
    fixture
        .next_fetch()
        .await
        .respond(document(jwks(&["a"])))
        .await;
    assert!(
        has_key(&request.await.unwrap(), "a"),
        "the request started an attempt"
    );
}

#[tokio::test]
async fn keys_expire_after_an_outage_of_max_stale() {
    let mut fixture = Fixture::loaded(&["a"]).await;
    let mut passed = Duration::ZERO;
    while passed + s(300) < s(6 * 3600) {
        fixture.clock.advance(s(300)).await;
        passed += s(300);
        while let Ok(fetch) = fixture.fetches.try_recv() {
            fetch.respond(connect_error()).await;
        }
        assert!(fixture.has_key("a"), "after {passed:?}");
    }
    assert_eq!(fixture.set.status().state, KeySetState::Stale);
    fixture.clock.advance(s(300)).await;
    assert!(!fixture.has_key("a"));
    assert_eq!(fixture.set.status().state, KeySetState::Expired);
    let request = fixture.wait_for_key("a");
    fixture.next_fetch().await.respond(not_modified()).await;
    assert!(
        has_key(&request.await.unwrap(), "a"),
        "a 304 renews the expired keys"
    );
    assert_eq!(fixture.set.load().generation(), 1);
}

#[tokio::test]
async fn all_requests_after_a_rotation_succeed_with_one_fetch() {
    let mut fixture = Fixture::loaded(&["old"]).await;
    let requests: Vec<_> = (0..500).map(|_| fixture.wait_for_key("new")).collect();
    let fetch = fixture.next_fetch().await;
    let late_requests: Vec<_> = (0..500).map(|_| fixture.wait_for_key("new")).collect();
    fetch.respond(document(jwks(&["old", "new"]))).await;
    for request in requests.into_iter().chain(late_requests) {
        assert!(has_key(&request.await.unwrap(), "new"));
    }
    fixture.assert_no_fetch().await;
    assert_eq!(fixture.unknown_keys("refreshed"), 1000);
}

#[tokio::test]
async fn key_that_arrived_during_the_lookup_needs_no_fetch() {
    let mut fixture = Fixture::loaded(&["a"]).await;
    let request = fixture.wait_for_key("a");
    assert!(has_key(&request.await.unwrap(), "a"));
    fixture.assert_no_fetch().await;
}

#[tokio::test]
async fn missing_key_is_fetched_once_and_rejected_for_30_seconds() {
    let mut fixture = Fixture::loaded(&["a"]).await;
    let request = fixture.wait_for_key("x");
    fixture
        .next_fetch()
        .await
        .respond(document(jwks(&["a"])))
        .await;
    assert!(!has_key(&request.await.unwrap(), "x"));
    assert!(is_rejected(&fixture.request_key("x")));
    assert_eq!(
        (
            fixture.unknown_keys("missing"),
            fixture.unknown_keys("negative")
        ),
        (1, 1)
    );
    fixture.clock.advance(s(30)).await;
    let _again = fixture.wait_for_key("x");
    fixture
        .next_fetch()
        .await
        .respond(document(jwks(&["a"])))
        .await;
}

#[tokio::test]
async fn random_kids_cause_only_the_burst_of_fetches() {
    let mut fixture = Fixture::loaded(&["a"]).await;
    let (mut fetches, mut unavailable) = (0, 0);
    for n in 0..5000 {
        match fixture.request_key(&format!("random-{n}")) {
            UnknownKeyDecision::Reject => panic!("without a fetch the key may exist"),
            UnknownKeyDecision::Wait(pending) => {
                let request = tokio::spawn(pending);
                settle().await;
                if let Ok(fetch) = fixture.fetches.try_recv() {
                    fetches += 1;
                    fetch.respond(not_modified()).await;
                }
                assert!(request.await.unwrap().is_ok());
            }
            UnknownKeyDecision::Unavailable(_) => unavailable += 1,
        }
        assert!(fixture.has_key("a"));
    }
    assert_eq!((fetches, unavailable), (2, 4998));
    assert_eq!(fixture.unknown_keys("limited"), 4998);
}

#[tokio::test]
async fn requests_that_join_an_earlier_fetch_get_one_more() {
    let mut fixture = Fixture::loaded(&["a"]).await;
    let first = fixture.wait_for_key("first");
    let fetch = fixture.next_fetch().await;
    let flood: Vec<_> = (0..1000)
        .map(|n| fixture.wait_for_key(&format!("random-{n}")))
        .collect();
    fetch.respond(document(jwks(&["a"]))).await;
    assert!(!has_key(&first.await.unwrap(), "first"));
    fixture
        .next_fetch()
        .await
        .respond(document(jwks(&["a"])))
        .await;
    for request in flood {
        assert!(request.await.is_ok());
    }
    fixture.assert_no_fetch().await;
    assert_eq!(fixture.unknown_keys("missing"), 1001);
}

#[tokio::test]
async fn key_published_during_a_fetch_is_found_by_the_next() {
    let mut fixture = Fixture::loaded(&["old"]).await;
    let _other = fixture.wait_for_key("other");
    let early = fixture.next_fetch().await;
    let request = fixture.wait_for_key("new");
    early.respond(document(jwks(&["old"]))).await;
    assert!(
        request.is_waiting().await,
        "the response may have been read before the key was published"
    );
    fixture
        .next_fetch()
        .await
        .respond(document(jwks(&["old", "new"])))
        .await;
    assert!(has_key(&request.await.unwrap(), "new"));
}

#[tokio::test]
async fn unknown_key_during_an_outage_is_503_without_a_fetch() {
    let mut fixture = Fixture::loaded(&["a"]).await;
    let request = fixture.wait_for_key("x");
    fixture.next_fetch().await.respond(connect_error()).await;
    let unavailable = request.await.unwrap_err();
    assert!(
        (s(1)..=s(2)).contains(&unavailable.retry_after),
        "{unavailable:?}"
    );
    for n in 0..100 {
        assert!(retry_after(&fixture.request_key(&format!("x-{n}"))).is_some());
    }
    fixture.assert_no_fetch().await;
    assert!(fixture.has_key("a"), "known keys stay usable");
    assert_eq!(fixture.unknown_keys("unavailable"), 101);
}

#[tokio::test]
async fn hanging_fetch_affects_only_waiting_requests() {
    let mut fixture = Fixture::loaded(&["a"]).await;
    let request = fixture.wait_for_key("x");
    let hanging = fixture.next_fetch().await;
    fixture.clock.advance(s(2)).await;
    assert!(request.await.is_err());
    assert!(fixture.has_key("a"));
    hanging.respond(document(jwks(&["a", "x"]))).await;
    assert!(fixture.has_key("x"));
}

#[tokio::test]
async fn cancelled_request_does_not_cancel_the_fetch() {
    let mut fixture = Fixture::new();
    let (first, second) = (fixture.wait_for_key("a"), fixture.wait_for_key("a"));
    let fetch = fixture.next_fetch().await;
    first.cancel();
    settle().await;
    assert!(!fetch.is_cancelled());
    fetch.respond(document(jwks(&["a"]))).await;
    assert!(has_key(&second.await.unwrap(), "a"));
}

#[tokio::test]
async fn fetch_survives_the_request_that_started_it() {
    let mut fixture = Fixture::loaded(&["old"]).await;
    drop(fixture.request_key("new"));
    let request = fixture.wait_for_key("new");
    fixture
        .next_fetch()
        .await
        .respond(document(jwks(&["new"])))
        .await;
    assert!(has_key(&request.await.unwrap(), "new"));
}

/// In actix-web, every worker has its own runtime, and the fetch runs on none of them.
#[tokio::test]
async fn requests_on_other_runtimes_share_the_fetch() {
    let mut fixture = Fixture::new();
    let workers: Vec<_> = (0..4)
        .map(|_| {
            let waits: Vec<_> = (0..50).map(|_| fixture.request_key("a")).collect();
            std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .build()
                    .unwrap();
                let is_served = |decision| match decision {
                    UnknownKeyDecision::Wait(pending) => runtime
                        .block_on(pending)
                        .is_ok_and(|snapshot| has_key(&snapshot, "a")),
                    _ => false,
                };
                waits
                    .into_iter()
                    .map(is_served)
                    .filter(|is_served| *is_served)
                    .count()
            })
        })
        .collect();
    fixture
        .next_fetch()
        .await
        .respond(document(jwks(&["a"])))
        .await;
    for worker in workers {
        assert_eq!(worker.join().unwrap(), 50);
    }
    fixture.assert_no_fetch().await;
}

#[tokio::test]
async fn token_without_kid_finds_the_only_matching_key() {
    let mut fixture = Fixture::new();
    let UnknownKeyDecision::Wait(pending) =
        fixture
            .set
            .unknown_key(None, Algorithm::EdDSA, fixture.now())
    else {
        panic!("must wait")
    };
    fixture
        .next_fetch()
        .await
        .respond(document(jwks(&["a"])))
        .await;
    let snapshot = pending.await.unwrap();
    assert!(!snapshot.keys().find(None, Algorithm::EdDSA).is_empty());
    let _other_algorithm = fixture
        .set
        .unknown_key(None, Algorithm::RS256, fixture.now());
    fixture
        .next_fetch()
        .await
        .respond(document(jwks(&["a"])))
        .await;
}

#[tokio::test]
async fn bad_signature_refetches_a_set_older_than_the_cooldown() {
    let mut fixture = Fixture::loaded(&["a"]).await;
    let checked = fixture.set.load();
    fixture.clock.advance(s(10)).await;
    assert!(
        fixture.set.bad_signature(&checked, fixture.now()).is_none(),
        "not older than the cooldown"
    );
    fixture.clock.advance(s(1)).await;
    let pending = fixture
        .set
        .bad_signature(&checked, fixture.now())
        .expect("a fetch");
    fixture
        .next_fetch()
        .await
        .respond(document(jwks(&["a", "b"])))
        .await;
    assert_eq!(
        pending.await.unwrap().generation(),
        2,
        "another generation: verify again"
    );
    let again = fixture
        .set
        .bad_signature(&checked, fixture.now())
        .expect("the newer set");
    assert_eq!(
        again.await.unwrap().generation(),
        2,
        "no fetch is needed if the set has changed since the check"
    );
    assert!(
        fixture
            .set
            .bad_signature(&fixture.set.load(), fixture.now())
            .is_none()
    );
    fixture.assert_no_fetch().await;
}

#[tokio::test]
async fn fixed_keys_never_expire_and_are_never_fetched() {
    let set = KeySet::fixed(
        "corp",
        &jwks(&["a"]),
        Algorithm::DEFAULT,
        &JwksCacheConfig::default(),
    )
    .unwrap();
    let far = s(100 * 365 * 86_400);
    assert!(set.load().is_usable(far) && has_key(&set.load(), "a"));
    assert!(is_rejected(&set.unknown_key(
        Some("x"),
        Algorithm::EdDSA,
        far
    )));
    assert!(set.bad_signature(&set.load(), far).is_none());
    set.wait_for_initial_fetch().await;
    assert_eq!(
        (set.status().state(), set.status().attempts()),
        ("fixed", 0)
    );
    assert!(
        KeySet::fixed(
            "corp",
            br#"{"keys":[]}"#,
            Algorithm::DEFAULT,
            &JwksCacheConfig::default()
        )
        .is_err()
    );
}
