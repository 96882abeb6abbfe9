//! Requests for a key that a usable set does not contain: token bucket, negative cache, backoff.

use super::*;

#[test]
fn unknown_key_starts_a_fetch_if_the_bucket_has_a_token() {
    let mut scheduler = fresh();
    assert_eq!(request(&mut scheduler, KEY, 10), waits_for(2, 2, true));
    assert_eq!(
        request(&mut scheduler, OTHER_KEY, 10),
        waits_for(2, 2, false),
        "already requested: no token needed, and not too early"
    );
    assert_eq!(scheduler.next_step(at(10)), NextStep::StartAttempt(2));
    assert_eq!(
        request(&mut scheduler, OTHER_KEY, 11),
        waits_for(2, 3, false),
        "in flight: no token needed"
    );
    scheduler.attempt_succeeded(false, Freshness::Unspecified, at(11), 0.5);
    assert_eq!(
        request(&mut scheduler, OTHER_KEY, 12),
        waits_for(3, 3, true),
        "the second token of the burst"
    );
    scheduler.next_step(at(12));
    scheduler.attempt_succeeded(false, Freshness::Unspecified, at(12), 0.5);
    assert_eq!(
        request(&mut scheduler, OTHER_KEY, 13),
        Decision::RateLimited(at(7)),
        "without a fetch it is unknown whether the key exists"
    );
    assert_eq!(
        request(&mut scheduler, OTHER_KEY, 19),
        Decision::RateLimited(at(1))
    );
    assert_eq!(
        request(&mut scheduler, OTHER_KEY, 20),
        waits_for(4, 4, true),
        "one per cooldown"
    );
}

#[test]
fn scheduled_refresh_takes_no_token() {
    let mut scheduler = fresh();
    for now in [10, 11] {
        assert!(matches!(
            request(&mut scheduler, KEY, now),
            Decision::Wait(AttemptTicket { wake: true, .. })
        ));
        scheduler.next_step(at(now));
        scheduler.attempt_succeeded(false, Freshness::MaxAge(60), at(now), 0.0);
    }
    assert_eq!(
        request(&mut scheduler, KEY, 12),
        Decision::RateLimited(at(8))
    );
    assert_eq!(
        scheduler.next_step(at(11 + 48)),
        NextStep::StartAttempt(4),
        "the refresh takes place with an empty bucket"
    );
    scheduler.attempt_succeeded(false, Freshness::Unspecified, at(59), 0.5);
    assert!(
        matches!(request(&mut scheduler, KEY, 59), Decision::Wait(_)),
        "the refresh took no token"
    );
}

#[test]
fn missing_key_is_rejected_for_30_seconds() {
    let mut scheduler = fresh();
    let Decision::Wait(ticket) = request(&mut scheduler, KEY, 10) else {
        panic!("must wait")
    };
    scheduler.next_step(at(10));
    scheduler.attempt_succeeded(false, Freshness::Unspecified, at(11), 0.5);
    assert_eq!(
        scheduler.request_again(KEY, at(11), at(12), ticket),
        Decision::Reject(NoFetchReason::Missing)
    );
    assert_eq!(
        request(&mut scheduler, KEY, 40),
        Decision::Reject(NoFetchReason::Negative)
    );
    assert!(
        matches!(request(&mut scheduler, OTHER_KEY, 40), Decision::Wait(_)),
        "another key is not affected"
    );
    assert!(
        matches!(request(&mut scheduler, KEY, 41), Decision::Wait(_)),
        "the entry has expired"
    );
}

#[test]
fn new_generation_clears_the_negative_cache() {
    for (changed, expected) in [
        (true, waits_for(3, 3, true)),
        (false, Decision::Reject(NoFetchReason::Negative)),
    ] {
        let mut scheduler = fresh();
        scheduler.negative.insert(KEY, at(10));
        scheduler.requested = true;
        scheduler.next_step(at(10));
        scheduler.attempt_succeeded(changed, Freshness::Unspecified, at(11), 0.5);
        assert_eq!(
            request(&mut scheduler, KEY, 12),
            expected,
            "changed: {changed}"
        );
    }
}

#[test]
fn request_that_joined_an_earlier_attempt_requests_again() {
    let mut scheduler = fresh();
    request(&mut scheduler, OTHER_KEY, 10);
    scheduler.next_step(at(10));
    let Decision::Wait(early) = request(&mut scheduler, KEY, 11) else {
        panic!("must wait")
    };
    scheduler.attempt_succeeded(false, Freshness::Unspecified, at(11), 0.5);
    let Decision::Wait(own) = scheduler.request_again(KEY, at(11), at(13), early) else {
        panic!("must request again")
    };
    assert_eq!(
        own,
        AttemptTicket {
            attempt: 3,
            conclusive_from: 3,
            wake: true
        }
    );
    scheduler.next_step(at(11));
    scheduler.attempt_succeeded(false, Freshness::Unspecified, at(12), 0.5);
    assert_eq!(
        scheduler.request_again(KEY, at(12), at(13), own),
        Decision::Reject(NoFetchReason::Missing),
        "the result is final"
    );
}

#[test]
fn second_request_is_rate_limited_as_well() {
    let mut scheduler = fresh();
    for now in [8, 9] {
        request(&mut scheduler, OTHER_KEY, now);
        scheduler.next_step(at(now));
        scheduler.attempt_succeeded(false, Freshness::Unspecified, at(now), 0.5);
    }
    let mut early = RefreshScheduler {
        in_flight: true,
        ..scheduler
    };
    let Decision::Wait(ticket) = request(&mut early, KEY, 10) else {
        panic!("must wait")
    };
    early.attempt_succeeded(false, Freshness::Unspecified, at(11), 0.5);
    assert_eq!(
        early.request_again(KEY, at(11), at(12), ticket),
        Decision::RateLimited(at(7))
    );
    assert!(
        !early.negative.contains(KEY, at(11)),
        "it is unknown whether the key exists"
    );
}

#[test]
fn unknown_key_during_backoff_is_503_without_a_fetch() {
    let mut scheduler = failing();
    assert_eq!(
        scheduler.request_key(KEY, at(REFRESH_AT), at(REFRESH_AT + 2)),
        Decision::Unavailable(at(1))
    );
    assert_eq!(
        scheduler.next_step(at(REFRESH_AT)),
        NextStep::SleepUntil(at(REFRESH_AT + 1))
    );
    assert_eq!(
        request(&mut scheduler, KEY, REFRESH_AT + 1),
        waits_for(3, 3, false),
        "the backoff has ended"
    );
    scheduler.next_step(at(REFRESH_AT + 1));
    assert_eq!(
        request(&mut scheduler, KEY, REFRESH_AT + 1),
        waits_for(3, 4, false),
        "in flight"
    );
}

#[test]
fn request_may_start_an_attempt_during_backoff() {
    for mut scheduler in [empty(), fresh()] {
        let mut now = if scheduler.state(at(0)).is_usable() {
            REFRESH_AT
        } else {
            0
        };
        // The pauses of the backoff grow; those between attempts of requests do not.
        for attempt in scheduler.attempts_started + 1..12 {
            assert_eq!(
                scheduler.next_step(at(now)),
                NextStep::StartAttempt(attempt)
            );
            scheduler.attempt_failed(None, at(now), 1.0);
            assert_eq!(
                scheduler.request_key(KEY, at(now + 1), at(now + 1)),
                Decision::Unavailable(at(1)),
                "just inside the interval"
            );
            now += 2;
            let decision = scheduler.request_key(KEY, at(now), at(now));
            assert!(
                matches!(decision, Decision::Wait(AttemptTicket { attempt: next, .. }) if next == attempt + 1),
                "{now}: {decision:?}"
            );
        }
    }
}

#[test]
fn request_during_backoff_respects_retry_after_up_to_10_seconds() {
    let mut scheduler = empty();
    for (retry_after, interval) in [(1, 2), (5, 5), (10, 10), (300, 10)] {
        scheduler.attempt_failed(Some(at(retry_after)), at(100), 0.5);
        assert_eq!(scheduler.next_demand_attempt, at(100 + interval));
    }
}

#[test]
fn key_still_missing_after_a_failed_attempt_is_503() {
    let mut scheduler = fresh();
    let Decision::Wait(ticket) = request(&mut scheduler, KEY, 10) else {
        panic!("must wait")
    };
    scheduler.next_step(at(10));
    scheduler.attempt_failed(Some(at(20)), at(11), 0.5);
    assert_eq!(
        scheduler.request_again(KEY, at(11), at(12), ticket),
        Decision::Unavailable(at(10))
    );
    assert!(!scheduler.negative.contains(KEY, at(11)));
    assert_eq!(
        scheduler.request_key(KEY, at(12), at(14)),
        Decision::Unavailable(at(9)),
        "although the bucket has a token left"
    );
}

#[test]
fn key_in_negative_cache_stays_401_while_fetches_fail() {
    let mut scheduler = failing();
    scheduler.negative.insert(KEY, at(REFRESH_AT));
    assert_eq!(
        request(&mut scheduler, KEY, REFRESH_AT),
        Decision::Reject(NoFetchReason::Negative)
    );
}
