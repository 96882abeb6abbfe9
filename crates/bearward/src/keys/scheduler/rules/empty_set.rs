//! Requests while no set is usable: none is loaded, the set has expired, or the scheduler stopped.

use super::*;

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
