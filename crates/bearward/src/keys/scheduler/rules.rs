//! Tests of each state and rule of the scheduler.

use super::*;

const KEY: u64 = 7;
const OTHER_KEY: u64 = 8;
/// After a success at 0 s with `default_ttl` and random 0.5, in seconds.
const FRESH_UNTIL: u64 = 600;
const REFRESH_AT: u64 = 525;
const EXPIRES_AT: u64 = 6 * 3600;

fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn request(scheduler: &mut RefreshScheduler, key_hash: u64, now: u64) -> Decision {
    scheduler.request_key(key_hash, at(now), at(now + 2))
}

fn waits_for(attempt: u64, conclusive_from: u64, wake: bool) -> Decision {
    Decision::Wait(AttemptTicket {
        attempt,
        conclusive_from,
        wake,
    })
}

fn empty() -> RefreshScheduler {
    RefreshScheduler::new(&JwksCacheConfig::default(), at(0))
}

/// Loaded at second 0.
fn fresh() -> RefreshScheduler {
    let mut scheduler = empty();
    assert_eq!(scheduler.next_step(at(0)), NextStep::StartAttempt(1));
    scheduler.attempt_succeeded(true, Freshness::Unspecified, at(0), 0.5);
    scheduler
}

/// Loaded at second 0; one attempt failed at 525, and the next is due at 526.
fn failing() -> RefreshScheduler {
    let mut scheduler = fresh();
    assert_eq!(
        scheduler.next_step(at(REFRESH_AT)),
        NextStep::StartAttempt(2)
    );
    scheduler.attempt_failed(None, at(REFRESH_AT), 0.5);
    scheduler
}

#[test]
fn state_follows_age() {
    let scheduler = fresh();
    let cases = [
        (0, KeySetState::Fresh),
        (FRESH_UNTIL - 1, KeySetState::Fresh),
        (FRESH_UNTIL, KeySetState::Stale),
        (EXPIRES_AT - 1, KeySetState::Stale),
        (EXPIRES_AT, KeySetState::Expired),
    ];
    for (now, expected) in cases {
        assert_eq!(scheduler.state(at(now)), expected, "{now}");
    }
    assert_eq!(empty().state(at(0)), KeySetState::Empty);
}

#[test]
fn fresh_until_follows_cache_control_within_bounds() {
    let cases = [
        (Freshness::Unspecified, 600),
        (Freshness::NoCache, 600),
        (Freshness::MaxAge(0), 60),
        (Freshness::MaxAge(59), 60),
        (Freshness::MaxAge(61), 61),
        (Freshness::MaxAge(3599), 3599),
        (Freshness::MaxAge(3601), 3600),
        (Freshness::MaxAge(u64::MAX), 3600),
    ];
    for (freshness, fresh_until) in cases {
        let mut scheduler = empty();
        scheduler.next_step(at(0));
        let lifetime = scheduler.attempt_succeeded(true, freshness, at(0), 0.5);
        assert_eq!(
            lifetime,
            Lifetime {
                fresh_until: at(fresh_until),
                expires_at: at(EXPIRES_AT)
            },
            "{freshness:?}"
        );
    }
}

#[test]
fn a_304_without_cache_control_keeps_the_previous_ttl() {
    let mut scheduler = empty();
    scheduler.next_step(at(0));
    scheduler.attempt_succeeded(true, Freshness::MaxAge(300), at(0), 0.5);
    scheduler.next_step(at(270));
    let lifetime = scheduler.attempt_succeeded(false, Freshness::Unspecified, at(270), 0.5);
    assert_eq!(
        lifetime,
        Lifetime {
            fresh_until: at(570),
            expires_at: at(270 + EXPIRES_AT)
        }
    );
    scheduler.next_step(at(560));
    assert_eq!(
        scheduler
            .attempt_succeeded(false, Freshness::NoCache, at(560), 0.5)
            .fresh_until,
        at(1160)
    );
}

#[test]
fn refresh_is_scheduled_at_80_to_95_percent_of_the_ttl() {
    for (random, refresh) in [(0.0, 480), (0.5, 525), (1.0, 570)] {
        let mut scheduler = empty();
        assert_eq!(
            scheduler.next_step(at(0)),
            NextStep::StartAttempt(1),
            "the first attempt is due immediately"
        );
        scheduler.attempt_succeeded(true, Freshness::MaxAge(600), at(0), random);
        assert_eq!(
            scheduler.next_step(at(refresh - 1)),
            NextStep::SleepUntil(at(refresh)),
            "{random}"
        );
        assert_eq!(
            scheduler.next_step(at(refresh)),
            NextStep::StartAttempt(2),
            "{random}"
        );
    }
}

#[test]
fn failures_back_off_and_keep_the_set() {
    let mut scheduler = fresh();
    let mut now = REFRESH_AT;
    for (attempt, pause) in [
        (2, 1),
        (3, 2),
        (4, 4),
        (5, 8),
        (6, 16),
        (7, 32),
        (8, 60),
        (9, 60),
    ] {
        assert_eq!(
            scheduler.next_step(at(now)),
            NextStep::StartAttempt(attempt)
        );
        assert_eq!(scheduler.attempt_failed(None, at(now), 0.5), at(pause));
        assert_eq!(
            scheduler.next_step(at(now + pause - 1)),
            NextStep::SleepUntil(at(now + pause))
        );
        assert!(scheduler.state(at(now)).is_usable());
        now += pause;
    }
    assert_eq!(scheduler.next_step(at(now)), NextStep::StartAttempt(10));
    scheduler.attempt_succeeded(false, Freshness::Unspecified, at(now), 0.5);
    assert_eq!(
        scheduler.next_step(at(now + REFRESH_AT)),
        NextStep::StartAttempt(11),
        "a success ends the backoff"
    );
    assert_eq!(
        scheduler.attempt_failed(None, at(now + REFRESH_AT), 0.5),
        at(1),
        "the next backoff starts at one second"
    );
}

#[test]
fn retry_after_is_honoured_up_to_five_minutes() {
    let mut scheduler = fresh();
    scheduler.next_step(at(REFRESH_AT));
    assert_eq!(
        scheduler.attempt_failed(Some(at(120)), at(REFRESH_AT), 0.5),
        at(120)
    );
    assert_eq!(
        scheduler.next_step(at(REFRESH_AT + 119)),
        NextStep::SleepUntil(at(REFRESH_AT + 120))
    );
    assert_eq!(
        scheduler.next_step(at(REFRESH_AT + 120)),
        NextStep::StartAttempt(3)
    );
    assert_eq!(
        scheduler.attempt_failed(Some(at(86_400)), at(1000), 0.5),
        at(300)
    );
}

#[test]
fn empty_set_waits_for_the_attempt_due_or_in_flight() {
    let mut scheduler = empty();
    assert_eq!(
        request(&mut scheduler, KEY, 0),
        waits_for(1, 1, false),
        "not started: its result will be final"
    );
    scheduler.next_step(at(0));
    assert_eq!(
        request(&mut scheduler, KEY, 1),
        waits_for(1, 2, false),
        "started: it may have read the set too early"
    );
}

#[test]
fn empty_set_waits_only_for_an_attempt_before_the_deadline() {
    let mut scheduler = empty();
    scheduler.next_step(at(0));
    scheduler.attempt_failed(Some(at(10)), at(0), 0.5);
    assert_eq!(
        request(&mut scheduler, KEY, 8),
        Decision::Unavailable(at(2))
    );
    assert_eq!(request(&mut scheduler, KEY, 9), waits_for(2, 2, false));
    assert_eq!(
        scheduler.next_step(at(9)),
        NextStep::SleepUntil(at(10)),
        "a waiting request does not start an attempt"
    );
}

#[test]
fn expired_set_behaves_like_an_empty_one() {
    let mut scheduler = fresh();
    for (number, now) in [(2, REFRESH_AT), (3, EXPIRES_AT - 1)] {
        assert_eq!(scheduler.next_step(at(now)), NextStep::StartAttempt(number));
        scheduler.attempt_failed(Some(at(300)), at(now), 0.5);
    }
    assert_eq!(scheduler.state(at(EXPIRES_AT)), KeySetState::Expired);
    assert_eq!(
        request(&mut scheduler, KEY, EXPIRES_AT),
        Decision::Unavailable(at(9))
    );
    assert_eq!(
        request(&mut scheduler, KEY, EXPIRES_AT + 298),
        waits_for(4, 4, false)
    );
    assert_eq!(
        scheduler.next_step(at(EXPIRES_AT + 299)),
        NextStep::StartAttempt(4)
    );
    scheduler.attempt_succeeded(false, Freshness::Unspecified, at(EXPIRES_AT + 299), 0.5);
    assert_eq!(
        scheduler.state(at(EXPIRES_AT + 299)),
        KeySetState::Fresh,
        "a 304 renews an expired set"
    );
}

#[test]
fn retry_after_is_whole_seconds_and_at_least_one() {
    let mut scheduler = empty();
    scheduler.next_step(at(0));
    scheduler.attempt_failed(Some(Duration::from_millis(4500)), at(0), 0.5);
    for (now, left) in [(0, 5), (500, 4), (501, 4), (4400, 1), (4500, 1), (9000, 1)] {
        assert_eq!(
            scheduler.retry_after(Duration::from_millis(now)),
            at(left),
            "{now}"
        );
    }
}

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

#[test]
fn bad_signature_refetches_only_a_set_older_than_the_cooldown() {
    let bad = |scheduler: &mut RefreshScheduler, now| {
        scheduler
            .request_after_bad_signature(at(now))
            .map(|ticket| (ticket.attempt, ticket.wake))
    };
    let mut scheduler = fresh();
    assert_eq!(bad(&mut scheduler, 10), None);
    assert_eq!(bad(&mut scheduler, 11), Some((2, true)));
    assert_eq!(
        bad(&mut scheduler, 11),
        Some((2, false)),
        "the same attempt"
    );
    scheduler.next_step(at(11));
    scheduler.attempt_succeeded(false, Freshness::Unspecified, at(11), 0.5);
    assert_eq!(bad(&mut scheduler, 21), None, "recent again");
    assert_eq!(
        bad(&mut failing(), REFRESH_AT),
        None,
        "not while fetches fail"
    );
    assert_eq!(bad(&mut empty(), 0), None, "not with an empty set");
    assert_eq!(
        bad(&mut fresh(), EXPIRES_AT),
        None,
        "not with an expired one"
    );
}

#[test]
fn bad_signature_takes_a_token_from_the_same_bucket() {
    let mut scheduler = fresh();
    scheduler.bucket = TokenBucket::new(0, at(30));
    assert_eq!(scheduler.request_after_bad_signature(at(31)), None);
    assert_eq!(
        request(&mut scheduler, KEY, 31),
        Decision::RateLimited(at(backoff::MAX_RETRY_AFTER.as_secs())),
        "until the scheduled refresh"
    );
}

#[test]
fn set_from_disk_is_stale_and_the_first_attempt_is_due() {
    let mut scheduler = RefreshScheduler::new(&JwksCacheConfig::default(), at(5));
    let lifetime = scheduler.restore(at(EXPIRES_AT - 100), at(5));
    assert_eq!(
        lifetime,
        Lifetime {
            fresh_until: at(5),
            expires_at: at(105)
        }
    );
    assert_eq!(
        (scheduler.state(at(5)), scheduler.age(at(6))),
        (KeySetState::Stale, Some(at(EXPIRES_AT - 99)))
    );
    assert_eq!(
        scheduler.state(at(105)),
        KeySetState::Expired,
        "the restart does not extend the expiry"
    );
    assert_eq!(
        request(&mut scheduler, KEY, 5),
        waits_for(1, 1, false),
        "the first attempt needs no token"
    );
    assert_eq!(scheduler.next_step(at(5)), NextStep::StartAttempt(1));
}

#[test]
fn requests_do_not_wait_after_stop() {
    for mut scheduler in [empty(), fresh()] {
        scheduler.stop();
        assert_eq!(
            request(&mut scheduler, KEY, 40),
            Decision::Unavailable(at(300))
        );
        assert_eq!(scheduler.request_after_bad_signature(at(40)), None);
        assert_eq!(scheduler.next_attempt_in(at(40)), None);
    }
}
