//! Tests of the refresh task: schedule, generations, failures and shutdown.

use super::{super::*, fixture::*};

/// After the scheduled refresh of a set with a TTL of ten minutes.
const PAST_REFRESH: Duration = Duration::from_secs(570);

#[tokio::test]
async fn first_fetch_starts_without_a_request() {
    let mut fixture = Fixture::new();
    assert_eq!(fixture.set.status().state(), "empty");
    fixture
        .next_fetch()
        .await
        .respond(document(jwks(&["a"])))
        .await;
    let status = fixture.set.status();
    assert_eq!(
        (status.state(), status.keys, status.generation, status.age),
        ("fresh", 1, 1, Some(Duration::ZERO))
    );
    assert!(status.kids().eq([Some("a")]));
    fixture.set.wait_for_initial_fetch().await;
}

#[tokio::test]
async fn refresh_is_conditional_and_needs_no_request() {
    let mut fixture = Fixture::loaded(&["a"]).await;
    fixture.clock.advance(s(479)).await;
    fixture.assert_no_fetch().await;
    fixture.clock.advance(s(91)).await;
    let fetch = fixture.next_fetch().await;
    assert_eq!(fetch.request.etag.as_deref(), Some("\"v1\""));
    fetch.respond(not_modified()).await;
    let status = fixture.set.status();
    assert_eq!(
        (
            status.age,
            status.generation,
            fixture.attempts("not_modified")
        ),
        (Some(Duration::ZERO), 1, 1)
    );
    assert_eq!(
        status.clock_ahead_seconds,
        Some(570),
        "from the server's Date"
    );
}

#[tokio::test]
async fn removed_key_is_gone_after_the_next_refresh() {
    let mut fixture = Fixture::loaded(&["a", "b"]).await;
    fixture.clock.advance(PAST_REFRESH).await;
    fixture
        .next_fetch()
        .await
        .respond(document(jwks(&["a"])))
        .await;
    assert!(fixture.has_key("a") && !fixture.has_key("b"));
    assert_eq!(fixture.set.load().generation(), 2);
}

#[tokio::test]
async fn generation_grows_only_with_changed_keys() {
    let mut fixture = Fixture::loaded(&["a"]).await;
    for (kids, generation) in [
        (["a"].as_slice(), 1),
        (&["a", "b"], 2),
        (&["a", "b"], 2),
        (&["a"], 3),
    ] {
        fixture.clock.advance(PAST_REFRESH).await;
        fixture
            .next_fetch()
            .await
            .respond(document(jwks(kids)))
            .await;
        assert_eq!(fixture.set.load().generation(), generation, "{kids:?}");
    }
    assert_eq!(
        (fixture.attempts("updated"), fixture.attempts("unchanged")),
        (3, 2)
    );
}

#[tokio::test]
async fn failed_fetch_keeps_the_keys() {
    let many: Vec<String> = (0..101).map(|n| n.to_string()).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let cases = [
        ("connect", connect_error()),
        ("not_json", document(b"<html>".to_vec())),
        ("not_a_set", document(b"{\"error\":\"oops\"}".to_vec())),
        ("no_usable_key", document(br#"{"keys":[]}"#.to_vec())),
        ("too_many_keys", document(jwks(&many))),
        ("too_large", document(vec![b' '; 128 * 1024 + 1])),
    ];
    for (outcome, response) in cases {
        let mut fixture = Fixture::loaded(&["a"]).await;
        fixture.clock.advance(PAST_REFRESH).await;
        fixture.next_fetch().await.respond(response).await;
        assert!(fixture.has_key("a"), "{outcome}");
        assert_eq!(
            (fixture.attempts(outcome), fixture.set.load().generation()),
            (1, 1),
            "{outcome}"
        );
        assert!(fixture.set.status().last_error.is_some(), "{outcome}");
        fixture.clock.advance(Duration::from_millis(1500)).await;
        fixture
            .next_fetch()
            .await
            .respond(document(jwks(&["a"])))
            .await;
        assert_eq!(fixture.set.status().last_error, None, "{outcome}");
    }
}

#[tokio::test]
async fn unrequested_304_is_a_failure() {
    let mut fixture = Fixture::new();
    fixture.next_fetch().await.respond(not_modified()).await;
    assert_eq!(
        (fixture.attempts("status"), fixture.set.status().state()),
        (1, "empty")
    );
}

#[tokio::test]
async fn backoff_limits_attempts_during_an_outage() {
    for (with_requests, expected) in [(false, 40..=130), (true, 1000..=1800)] {
        let mut fixture = Fixture::loaded(&["a"]).await;
        fixture.clock.advance(PAST_REFRESH).await;
        let mut attempts = 0;
        for _ in 0..3600 {
            while let Ok(fetch) = fixture.fetches.try_recv() {
                attempts += 1;
                fetch.respond(connect_error()).await;
            }
            if with_requests {
                drop(fixture.request_key("x"));
            }
            fixture.clock.advance(s(1)).await;
        }
        assert!(
            expected.contains(&attempts),
            "{attempts} attempts in an hour, with requests: {with_requests}"
        );
    }
}

#[tokio::test]
async fn panic_is_a_failed_attempt() {
    let mut fixture = Fixture::new();
    let request = fixture.wait_for_key("a");
    drop(fixture.next_fetch().await);
    settle().await;
    fixture.clock.advance(s(2)).await;
    assert_eq!(fixture.attempts("panicked"), 1);
    fixture
        .next_fetch()
        .await
        .respond(document(jwks(&["a"])))
        .await;
    assert!(fixture.has_key("a"), "the next attempt succeeded");
    drop(request);
}

#[tokio::test]
async fn dropping_the_last_clone_stops_the_task() {
    let mut fixture = Fixture::new();
    let fetch = fixture.next_fetch().await;
    let clone = fixture.set.clone();
    let request = fixture.wait_for_key("a");
    drop(fixture.set);
    settle().await;
    assert!(!fetch.is_cancelled(), "another clone exists");
    drop(clone);
    settle().await;
    assert!(fetch.is_cancelled());
    assert!(
        request.await.is_err(),
        "a request does not wait after the task stopped"
    );
}

#[test]
fn keys_stay_usable_after_the_runtime_stopped() {
    let runtime = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
    };
    let building = runtime();
    let fixture = building.block_on(Fixture::loaded(&["a"]));
    drop(building);
    runtime().block_on(async {
        assert!(fixture.has_key("a"));
        assert!(matches!(
            fixture.request_key("x"),
            UnknownKeyDecision::Unavailable(_)
        ));
        fixture.clock.advance(s(6 * 3600)).await;
        assert!(matches!(
            fixture.request_key("a"),
            UnknownKeyDecision::Unavailable(_)
        ));
        assert!(
            fixture
                .set
                .status()
                .last_error
                .is_some_and(|error| error.kind == FetchErrorKind::RuntimeStopped)
        );
    });
}

#[test]
fn building_without_a_runtime_is_an_error() {
    let fetch = HttpFetch::new(&JwksCacheConfig::default(), TestClock::start()).unwrap();
    let built = KeySet::remote(
        remote_jwks(),
        &JwksCacheConfig::default(),
        TestClock::start(),
        Arc::new(fetch),
    );
    assert_eq!(built.err(), Some(RemoteJwksError::NoRuntime));
}

#[tokio::test]
async fn disallowed_url_or_setting_is_an_error() {
    let build = |jwks: RemoteJwks, config: JwksCacheConfig| {
        let fetch = HttpFetch::new(&JwksCacheConfig::default(), TestClock::start()).unwrap();
        KeySet::remote(jwks, &config, TestClock::start(), Arc::new(fetch)).err()
    };
    let at = |url: &str| RemoteJwks {
        location: JwksLocation::Url(url.parse().unwrap()),
        ..remote_jwks()
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
        location: JwksLocation::Discovery,
        issuer: "http://idp.example".to_owned(),
        ..remote_jwks()
    };
    assert_eq!(build(discovered, JwksCacheConfig::default()), plain);
    assert!(matches!(
        build(remote_jwks(), JwksCacheConfig::default().max_keys(0)),
        Some(RemoteJwksError::Config(_))
    ));
}
