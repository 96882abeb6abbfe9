//! The lifetime of a set, the schedule of refreshes, and the backoff after failures.

use super::*;

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
