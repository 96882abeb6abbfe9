//! Outages of the identity provider.

use std::time::Duration;

use bearward::{AuthError, Verification};
use bearward_testing::Faults;

use crate::fixture::{Fixture, MAX_STALE, PAST_REFRESH, idp, result_code, secs};

#[tokio::test]
async fn an_outage_shorter_than_max_stale_fails_no_request() {
    let fixture = Fixture::start().await;
    let cached = fixture.token().sign();
    assert_eq!(fixture.result_code(&cached).await, "OK");
    fixture.idp.outage();
    let mut passed = Duration::ZERO;
    while passed + secs(300) < MAX_STALE {
        fixture.advance(secs(300)).await;
        passed += secs(300);
        assert_eq!(fixture.result_code(&cached).await, "OK", "after {passed:?}");
        let fresh = fixture.token().sub(&format!("after-{passed:?}")).sign();
        assert!(
            matches!(fixture.auth.try_verify(&fresh), Verification::Ready(Ok(_))),
            "after {passed:?}"
        );
        assert!(fixture.auth.is_ready());
        assert_eq!(
            fixture.state(),
            if passed < secs(600) { "fresh" } else { "stale" },
            "after {passed:?}"
        );
    }
    assert!(
        fixture
            .status()
            .last_error
            .is_some_and(|error| error.message.contains("503"))
    );
    fixture.idp.recover();
    fixture.refresh().await;
    assert_eq!(
        (
            fixture.state(),
            fixture.status().generation,
            fixture.status().last_error
        ),
        ("fresh", 1, None)
    );
}

#[tokio::test]
async fn an_outage_longer_than_max_stale_is_503_until_recovery() {
    let fixture = Fixture::start().await;
    let cached = fixture.token().sign();
    assert_eq!(fixture.result_code(&cached).await, "OK");
    // With this delay, no attempt falls within the two seconds that a request waits.
    fixture.idp.set_faults(Faults {
        retry_after: Some(300),
        ..Faults::outage()
    });
    fixture.advance(MAX_STALE - Duration::from_millis(1)).await;
    assert_eq!(
        (fixture.result_code(&cached).await, fixture.state()),
        ("OK", "stale")
    );
    fixture.clock.advance(Duration::from_millis(1));
    for token in [cached.clone(), fixture.token().sub("another").sign()] {
        let Verification::Ready(Err(failure)) = fixture.auth.try_verify(&token) else {
            panic!("the request must fail immediately")
        };
        assert_eq!(
            failure.error,
            AuthError::KeysUnavailable {
                retry_after: secs(10)
            }
        );
    }
    assert_eq!(
        (fixture.state(), fixture.auth.is_ready()),
        ("expired", false)
    );

    fixture.idp.recover();
    assert_eq!(
        fixture.result_code(&cached).await,
        "KEYS_UNAVAILABLE",
        "Retry-After is respected, for up to 10 seconds"
    );
    fixture.refresh().await;
    assert_eq!((fixture.state(), fixture.auth.is_ready()), ("fresh", true));
    assert_eq!(
        fixture.result_code(&cached).await,
        "OK",
        "no request triggered the refresh"
    );
}

#[tokio::test]
async fn with_an_expired_set_a_request_waits_for_an_imminent_attempt() {
    let fixture = Fixture::start().await;
    let token = fixture.token().sign();
    // The refresh becomes due at the same time and succeeds.
    fixture.clock.advance(MAX_STALE);
    let Verification::Pending(request) = fixture.auth.try_verify(&token) else {
        panic!("the request must wait")
    };
    assert_eq!(result_code(&request.await), "OK");
    assert_eq!(fixture.idp.fetches(), 2);
}

#[tokio::test]
async fn an_outage_at_startup_is_503_until_the_first_success() {
    let idp = idp().await;
    idp.outage();
    let fixture = Fixture::start_with_idp(idp).await;
    assert_eq!(fixture.state(), "empty");
    // The first backoff takes 0.5 to 1.5 s: a request waits for the next attempt and fails with it.
    let token = fixture.token().sign();
    let Verification::Pending(request) = fixture.auth.try_verify(&token) else {
        panic!("the request must wait")
    };
    fixture.advance(Duration::from_millis(1500)).await;
    assert_eq!(result_code(&request.await), "KEYS_UNAVAILABLE");
    fixture.idp.recover();
    fixture.refresh().await;
    assert_eq!(fixture.result_code(&token).await, "OK");
}

/// The backoff of a long outage must not outlast it: a request with a new key starts an attempt.
#[tokio::test]
async fn the_first_token_of_a_new_key_succeeds_after_an_outage() {
    let fixture = Fixture::start().await;
    fixture.idp.outage();
    fixture.advance(PAST_REFRESH).await;
    // Long enough for pauses of a minute between scheduled attempts.
    for _ in 0..10 {
        fixture.refresh().await;
    }
    assert!(fixture.status().next_attempt_in > Some(secs(20)));
    fixture.idp.rotate();
    fixture.idp.recover();
    fixture.clock.advance(secs(2));
    assert_eq!(fixture.result_code(&fixture.token().sign()).await, "OK");
}

#[tokio::test]
async fn a_provider_that_starts_late_is_used_by_the_first_request() {
    let idp = idp().await;
    idp.outage();
    let fixture = Fixture::start_with_idp(idp).await;
    for _ in 0..10 {
        fixture.refresh().await;
    }
    fixture.idp.recover();
    fixture.clock.advance(secs(2));
    assert_eq!(fixture.result_code(&fixture.token().sign()).await, "OK");
}

/// Two widely used clients overload a failing server because their rate limits count only successful
/// fetches.
#[tokio::test]
async fn load_during_an_outage_causes_one_attempt_per_2_seconds() {
    let fixture = Fixture::start().await;
    fixture.idp.outage();
    fixture.advance(PAST_REFRESH).await;
    for second in 0..600 {
        assert_eq!(
            fixture
                .result_code(&fixture.token().kid(&format!("random-{second}")).sign())
                .await,
            "KEYS_UNAVAILABLE"
        );
        assert_eq!(
            fixture
                .result_code(&fixture.token().sub(&format!("user-{second}")).sign())
                .await,
            "OK"
        );
        fixture.advance(secs(1)).await;
    }
    let failed = fixture.fetch_outcomes("status");
    assert!((150..=301).contains(&failed), "{failed} attempts");
    assert_eq!(
        fixture.idp.fetches() as u64,
        1 + 2 * failed,
        "each attempt includes one quick retry"
    );
}

#[tokio::test]
async fn the_backoff_doubles_from_1_to_60_seconds_with_jitter() {
    let fixture = Fixture::start().await;
    fixture.idp.outage();
    fixture.advance(PAST_REFRESH).await;
    for seconds in [1, 2, 4, 8, 16, 32, 60, 60, 60] {
        let pause = fixture.status().next_attempt_in.unwrap();
        assert!(
            (secs(seconds) / 2..=secs(seconds) * 3 / 2).contains(&pause),
            "{pause:?} for {seconds} s"
        );
        fixture.refresh().await;
    }
    fixture.idp.recover();
    fixture.refresh().await;
    fixture.idp.outage();
    fixture.refresh().await;
    assert!(
        fixture.status().next_attempt_in.unwrap() <= Duration::from_millis(1500),
        "a success resets the backoff"
    );
}

#[tokio::test]
async fn retry_after_is_honored_up_to_five_minutes() {
    for (sent, honored) in [(120, 120), (300, 300), (301, 300), (1_000_000, 300)] {
        let fixture = Fixture::start().await;
        fixture.idp.set_faults(Faults {
            retry_after: Some(sent),
            ..Faults::outage()
        });
        fixture.advance(PAST_REFRESH).await;
        assert_eq!(
            fixture.status().next_attempt_in,
            Some(secs(honored)),
            "{sent}"
        );
        assert_eq!(fixture.idp.fetches(), 2, "{sent}");
        fixture
            .advance(secs(honored) - Duration::from_millis(1))
            .await;
        assert_eq!(fixture.idp.fetches(), 2, "{sent}");
    }
}

#[tokio::test]
async fn a_single_5xx_is_retried_within_the_attempt() {
    let idp = idp().await;
    idp.set_faults(Faults::status(502).times(1));
    let fixture = Fixture::start_with_idp(idp).await;
    assert_eq!(
        (
            fixture.idp.fetches(),
            fixture.status().attempts(),
            fixture.fetch_outcomes("updated")
        ),
        (2, 1, 1)
    );
    assert_eq!(fixture.result_code(&fixture.token().sign()).await, "OK");
}
