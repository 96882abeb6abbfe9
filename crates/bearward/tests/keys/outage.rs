//! An identity provider that is down.

use std::time::Duration;

use bearward::{AuthError, Verification};
use bearward_testing::Faults;

use crate::stack::{MAX_STALE, REFRESHED, Stack, code, idp, s};

#[tokio::test]
async fn an_outage_shorter_than_max_stale_costs_nothing() {
    let stack = Stack::warm().await;
    let cached = stack.token().sign();
    assert_eq!(stack.code(&cached).await, "OK");
    stack.idp.outage();
    let mut passed = Duration::ZERO;
    while passed + s(300) < MAX_STALE {
        stack.advance(s(300)).await;
        passed += s(300);
        assert_eq!(stack.code(&cached).await, "OK", "after {passed:?}");
        let fresh = stack.token().sub(&format!("after-{passed:?}")).sign();
        assert!(
            matches!(stack.auth.try_verify(&fresh), Verification::Ready(Ok(_))),
            "after {passed:?}"
        );
        assert!(stack.auth.is_ready());
        assert_eq!(
            stack.state(),
            if passed < s(600) { "fresh" } else { "stale" },
            "after {passed:?}"
        );
    }
    assert!(
        stack
            .status()
            .last_error
            .is_some_and(|error| error.message.contains("503"))
    );
    stack.idp.recover();
    stack.refresh().await;
    assert_eq!(
        (
            stack.state(),
            stack.status().generation,
            stack.status().last_error
        ),
        ("fresh", 1, None)
    );
}

#[tokio::test]
async fn a_longer_one_is_503_for_known_keys_and_cached_tokens_and_ends_by_itself() {
    let stack = Stack::warm().await;
    let cached = stack.token().sign();
    assert_eq!(stack.code(&cached).await, "OK");
    // From here on no attempt falls within the two seconds that a request waits.
    stack.idp.set_faults(Faults {
        retry_after: Some(300),
        ..Faults::outage()
    });
    stack.advance(MAX_STALE - Duration::from_millis(1)).await;
    assert_eq!((stack.code(&cached).await, stack.state()), ("OK", "stale"));
    stack.clock.advance(Duration::from_millis(1));
    for token in [cached.clone(), stack.token().sub("another").sign()] {
        let Verification::Ready(Err(refusal)) = stack.auth.try_verify(&token) else {
            panic!("503 at once")
        };
        assert_eq!(
            refusal.error,
            AuthError::KeysUnavailable {
                retry_after: s(300)
            }
        );
    }
    assert_eq!((stack.state(), stack.auth.is_ready()), ("expired", false));

    stack.idp.recover();
    assert_eq!(
        stack.code(&cached).await,
        "KEYS_UNAVAILABLE",
        "the pause that the server asked for is kept"
    );
    stack.refresh().await;
    assert_eq!((stack.state(), stack.auth.is_ready()), ("fresh", true));
    assert_eq!(
        stack.code(&cached).await,
        "OK",
        "without a request that asked for it"
    );
}

#[tokio::test]
async fn a_request_on_an_expired_set_waits_for_an_attempt_that_is_near() {
    let stack = Stack::warm().await;
    let token = stack.token().sign();
    // The refresh is due with this move as well, and finds a server that answers.
    stack.clock.advance(MAX_STALE);
    let Verification::Pending(request) = stack.auth.try_verify(&token) else {
        panic!("it must wait")
    };
    assert_eq!(code(&request.await), "OK");
    assert_eq!(stack.idp.fetches(), 2);
}

#[tokio::test]
async fn an_outage_at_the_start_is_503_until_the_first_success() {
    let idp = idp().await;
    idp.outage();
    let stack = Stack::warm_at(idp).await;
    assert_eq!(stack.state(), "empty");
    // The first pause is half a second to a second and a half: a request waits for its end, and
    // shares its bad luck.
    let token = stack.token().sign();
    let Verification::Pending(request) = stack.auth.try_verify(&token) else {
        panic!("it must wait")
    };
    stack.advance(Duration::from_millis(1500)).await;
    assert_eq!(code(&request.await), "KEYS_UNAVAILABLE");
    stack.idp.recover();
    stack.refresh().await;
    assert_eq!(stack.code(&token).await, "OK");
}

/// Two well-known clients hammer a failing server because their limiters count successes.
#[tokio::test]
async fn ten_minutes_of_outage_under_load_see_the_attempts_of_the_backoff_and_no_more() {
    let stack = Stack::warm().await;
    stack.idp.outage();
    stack.advance(REFRESHED).await;
    for second in 0..600 {
        assert_eq!(
            stack
                .code(&stack.token().kid(&format!("random-{second}")).sign())
                .await,
            "KEYS_UNAVAILABLE"
        );
        assert_eq!(
            stack
                .code(&stack.token().sub(&format!("user-{second}")).sign())
                .await,
            "OK"
        );
        stack.advance(s(1)).await;
    }
    let failed = stack.outcome("status");
    // 1, 2, 4 to 60 seconds: 15 pauses when each has its full length; 0.5 to 1.5 of it by chance.
    assert!((10..=25).contains(&failed), "{failed} attempts");
    assert_eq!(
        stack.idp.fetches() as u64,
        1 + 2 * failed,
        "each with its one quick retry"
    );
}

#[tokio::test]
async fn the_pauses_double_from_one_second_to_sixty_each_by_half_or_one_and_a_half() {
    let stack = Stack::warm().await;
    stack.idp.outage();
    stack.advance(REFRESHED).await;
    for seconds in [1, 2, 4, 8, 16, 32, 60, 60, 60] {
        let pause = stack.status().next_attempt_in.unwrap();
        assert!(
            (s(seconds) / 2..=s(seconds) * 3 / 2).contains(&pause),
            "{pause:?} for {seconds} s"
        );
        stack.refresh().await;
    }
    stack.idp.recover();
    stack.refresh().await;
    stack.idp.outage();
    stack.refresh().await;
    assert!(
        stack.status().next_attempt_in.unwrap() <= Duration::from_millis(1500),
        "a success starts over"
    );
}

#[tokio::test]
async fn retry_after_is_kept_up_to_five_minutes_and_spares_the_server_the_quick_retry() {
    for (asked, kept) in [(120, 120), (300, 300), (301, 300), (1_000_000, 300)] {
        let stack = Stack::warm().await;
        stack.idp.set_faults(Faults {
            retry_after: Some(asked),
            ..Faults::outage()
        });
        stack.advance(REFRESHED).await;
        assert_eq!(stack.status().next_attempt_in, Some(s(kept)), "{asked}");
        assert_eq!(stack.idp.fetches(), 2, "{asked}");
        stack.advance(s(kept) - Duration::from_millis(1)).await;
        assert_eq!(stack.idp.fetches(), 2, "{asked}");
    }
}

#[tokio::test]
async fn one_5xx_costs_one_quick_retry_and_no_attempt() {
    let idp = idp().await;
    idp.set_faults(Faults::status(502).times(1));
    let stack = Stack::warm_at(idp).await;
    assert_eq!(
        (
            stack.idp.fetches(),
            stack.status().attempts(),
            stack.outcome("updated")
        ),
        (2, 1, 1)
    );
    assert_eq!(stack.code(&stack.token().sign()).await, "OK");
}
