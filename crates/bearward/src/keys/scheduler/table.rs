//! Every row and rule of the key cache, one by one, with a moved time.

use super::*;

const KID: u64 = 7;
const OTHER: u64 = 8;
/// After success at 0 with `default_ttl` and random 0.5: soft 600, refresh 525, hard 21600.
const SOFT: u64 = 600;
const REFRESH: u64 = 525;
const HARD: u64 = 6 * 3600;

fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn ask(state: &mut RefreshScheduler, kid: u64, now: u64) -> Decision {
    state.ask(kid, at(now), at(now + 2))
}

fn joins(attempt: u64, conclusive_from: u64, wake: bool) -> Decision {
    Decision::Join(AttemptTicket {
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
    let mut state = empty();
    assert_eq!(state.next(at(0)), Next::Begin(1));
    state.succeeded(true, Freshness::Unspecified, at(0), 0.5);
    state
}

/// Loaded at second 0; one attempt failed at 525, and the next is due at 526.
fn failing() -> RefreshScheduler {
    let mut state = fresh();
    assert_eq!(state.next(at(REFRESH)), Next::Begin(2));
    state.failed(None, at(REFRESH), 0.5);
    state
}

#[test]
fn phases_follow_age() {
    let state = fresh();
    let cases = [
        (0, KeySetState::Fresh),
        (SOFT - 1, KeySetState::Fresh),
        (SOFT, KeySetState::Stale),
        (HARD - 1, KeySetState::Stale),
        (HARD, KeySetState::Expired),
    ];
    for (now, phase) in cases {
        assert_eq!(state.state(at(now)), phase, "{now}");
    }
    assert_eq!(empty().state(at(0)), KeySetState::Empty);
}

#[test]
fn soft_is_what_the_response_grants_within_bounds() {
    let cases = [
        (Freshness::Unspecified, 600),
        (Freshness::NoCache, 600),
        (Freshness::Seconds(0), 60),
        (Freshness::Seconds(59), 60),
        (Freshness::Seconds(61), 61),
        (Freshness::Seconds(3599), 3599),
        (Freshness::Seconds(3601), 3600),
        (Freshness::Seconds(u64::MAX), 3600),
    ];
    for (lifetime, soft) in cases {
        let mut state = empty();
        state.next(at(0));
        let limits = state.succeeded(true, lifetime, at(0), 0.5);
        assert_eq!(
            limits,
            Limits {
                soft: at(soft),
                hard: at(HARD)
            },
            "{lifetime:?}"
        );
    }
}

#[test]
fn a_304_that_says_nothing_repeats_what_the_set_had() {
    let mut state = empty();
    state.next(at(0));
    state.succeeded(true, Freshness::Seconds(300), at(0), 0.5);
    state.next(at(270));
    let limits = state.succeeded(false, Freshness::Unspecified, at(270), 0.5);
    assert_eq!(
        limits,
        Limits {
            soft: at(570),
            hard: at(270 + HARD)
        }
    );
    state.next(at(560));
    assert_eq!(
        state
            .succeeded(false, Freshness::NoCache, at(560), 0.5)
            .soft,
        at(1160)
    );
}

#[test]
fn the_refresh_comes_at_80_to_95_percent_of_soft_without_any_request() {
    for (random, refresh) in [(0.0, 480), (0.5, 525), (1.0, 570)] {
        let mut state = empty();
        assert_eq!(
            state.next(at(0)),
            Next::Begin(1),
            "the first attempt is due at once"
        );
        state.succeeded(true, Freshness::Seconds(600), at(0), random);
        assert_eq!(
            state.next(at(refresh - 1)),
            Next::Sleep(at(refresh)),
            "{random}"
        );
        assert_eq!(state.next(at(refresh)), Next::Begin(2), "{random}");
    }
}

#[test]
fn failures_back_off_and_take_nothing_away() {
    let mut state = fresh();
    let mut now = REFRESH;
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
        assert_eq!(state.next(at(now)), Next::Begin(attempt));
        assert_eq!(state.failed(None, at(now), 0.5), at(pause));
        assert_eq!(
            state.next(at(now + pause - 1)),
            Next::Sleep(at(now + pause))
        );
        assert!(state.state(at(now)).serves());
        now += pause;
    }
    assert_eq!(state.next(at(now)), Next::Begin(10));
    state.succeeded(false, Freshness::Unspecified, at(now), 0.5);
    assert_eq!(
        state.next(at(now + REFRESH)),
        Next::Begin(11),
        "a success ends the backoff"
    );
    assert_eq!(
        state.failed(None, at(now + REFRESH), 0.5),
        at(1),
        "and the next one starts anew"
    );
}

#[test]
fn retry_after_is_honoured_up_to_five_minutes() {
    let mut state = fresh();
    state.next(at(REFRESH));
    assert_eq!(state.failed(Some(at(120)), at(REFRESH), 0.5), at(120));
    assert_eq!(
        state.next(at(REFRESH + 119)),
        Next::Sleep(at(REFRESH + 120))
    );
    assert_eq!(state.next(at(REFRESH + 120)), Next::Begin(3));
    assert_eq!(state.failed(Some(at(86_400)), at(1000), 0.5), at(300));
}

#[test]
fn empty_joins_the_attempt_that_is_due_or_in_flight() {
    let mut state = empty();
    assert_eq!(
        ask(&mut state, KID, 0),
        joins(1, 1, false),
        "not begun: its answer will be final"
    );
    state.next(at(0));
    assert_eq!(
        ask(&mut state, KID, 1),
        joins(1, 2, false),
        "begun: it may have read the set too early"
    );
}

#[test]
fn empty_after_a_failure_waits_only_for_what_comes_in_time() {
    let mut state = empty();
    state.next(at(0));
    state.failed(Some(at(10)), at(0), 0.5);
    assert_eq!(ask(&mut state, KID, 8), Decision::Unavailable(at(2)));
    assert_eq!(ask(&mut state, KID, 9), joins(2, 2, false));
    assert_eq!(
        state.next(at(9)),
        Next::Sleep(at(10)),
        "waiting makes no attempt come sooner"
    );
}

#[test]
fn expired_behaves_like_empty() {
    let mut state = fresh();
    for (number, now) in [(2, REFRESH), (3, HARD - 1)] {
        assert_eq!(state.next(at(now)), Next::Begin(number));
        state.failed(Some(at(300)), at(now), 0.5);
    }
    assert_eq!(state.state(at(HARD)), KeySetState::Expired);
    assert_eq!(ask(&mut state, KID, HARD), Decision::Unavailable(at(299)));
    assert_eq!(ask(&mut state, KID, HARD + 298), joins(4, 4, false));
    assert_eq!(state.next(at(HARD + 299)), Next::Begin(4));
    state.succeeded(false, Freshness::Unspecified, at(HARD + 299), 0.5);
    assert_eq!(
        state.state(at(HARD + 299)),
        KeySetState::Fresh,
        "an expired set comes back, also by a 304"
    );
}

#[test]
fn retry_after_is_whole_seconds_and_at_least_one() {
    let mut state = empty();
    state.next(at(0));
    state.failed(Some(Duration::from_millis(4500)), at(0), 0.5);
    for (now, left) in [(0, 5), (500, 4), (501, 4), (4400, 1), (4500, 1), (9000, 1)] {
        assert_eq!(
            state.retry_after(Duration::from_millis(now)),
            at(left),
            "{now}"
        );
    }
}

#[test]
fn an_unknown_kid_causes_a_fetch_within_the_bucket() {
    let mut state = fresh();
    assert_eq!(ask(&mut state, KID, 10), joins(2, 2, true));
    assert_eq!(
        ask(&mut state, OTHER, 10),
        joins(2, 2, false),
        "wanted already: free, and not too early"
    );
    assert_eq!(state.next(at(10)), Next::Begin(2));
    assert_eq!(
        ask(&mut state, OTHER, 11),
        joins(2, 3, false),
        "in flight: free"
    );
    state.succeeded(false, Freshness::Unspecified, at(11), 0.5);
    assert_eq!(
        ask(&mut state, OTHER, 12),
        joins(3, 3, true),
        "the second of the burst"
    );
    state.next(at(12));
    state.succeeded(false, Freshness::Unspecified, at(12), 0.5);
    assert_eq!(
        ask(&mut state, OTHER, 13),
        Decision::Refuse(NoFetchReason::Limited),
        "healthy and limited: at once"
    );
    assert_eq!(
        ask(&mut state, OTHER, 39),
        Decision::Refuse(NoFetchReason::Limited)
    );
    assert_eq!(
        ask(&mut state, OTHER, 40),
        joins(4, 4, true),
        "one per cooldown"
    );
}

#[test]
fn the_scheduled_refresh_does_not_draw_from_the_bucket() {
    let mut state = fresh();
    for now in [10, 11] {
        assert!(matches!(
            ask(&mut state, KID, now),
            Decision::Join(AttemptTicket { wake: true, .. })
        ));
        state.next(at(now));
        state.succeeded(false, Freshness::Seconds(60), at(now), 0.0);
    }
    assert_eq!(
        ask(&mut state, KID, 12),
        Decision::Refuse(NoFetchReason::Limited)
    );
    assert_eq!(
        state.next(at(11 + 48)),
        Next::Begin(4),
        "with the bucket empty the refresh still comes"
    );
    state.succeeded(false, Freshness::Unspecified, at(59), 0.5);
    assert!(
        matches!(ask(&mut state, KID, 59), Decision::Join(_)),
        "and it cost no token"
    );
}

#[test]
fn a_kid_that_a_fresh_set_did_not_have_is_refused_for_thirty_seconds() {
    let mut state = fresh();
    let Decision::Join(ticket) = ask(&mut state, KID, 10) else {
        panic!("must join")
    };
    state.next(at(10));
    state.succeeded(false, Freshness::Unspecified, at(11), 0.5);
    assert_eq!(
        state.ask_again(KID, at(11), at(12), ticket),
        Decision::Refuse(NoFetchReason::Missing)
    );
    assert_eq!(
        ask(&mut state, KID, 40),
        Decision::Refuse(NoFetchReason::Negative)
    );
    assert!(
        matches!(ask(&mut state, OTHER, 40), Decision::Join(_)),
        "another kid is not meant"
    );
    assert!(
        matches!(ask(&mut state, KID, 41), Decision::Join(_)),
        "nor this one after its time"
    );
}

#[test]
fn a_new_generation_clears_the_negative_kids() {
    for (changed, expected) in [
        (true, joins(3, 3, true)),
        (false, Decision::Refuse(NoFetchReason::Negative)),
    ] {
        let mut state = fresh();
        state.negative.insert(KID, at(10));
        state.wanted = true;
        state.next(at(10));
        state.succeeded(changed, Freshness::Unspecified, at(11), 0.5);
        assert_eq!(ask(&mut state, KID, 12), expected, "changed: {changed}");
    }
}

#[test]
fn a_request_that_joined_an_earlier_flight_asks_once_more() {
    let mut state = fresh();
    ask(&mut state, OTHER, 10);
    state.next(at(10));
    let Decision::Join(early) = ask(&mut state, KID, 11) else {
        panic!("must join")
    };
    state.succeeded(false, Freshness::Unspecified, at(11), 0.5);
    let Decision::Join(own) = state.ask_again(KID, at(11), at(13), early) else {
        panic!("must ask once more")
    };
    assert_eq!(
        own,
        AttemptTicket {
            attempt: 3,
            conclusive_from: 3,
            wake: true
        }
    );
    state.next(at(11));
    state.succeeded(false, Freshness::Unspecified, at(12), 0.5);
    assert_eq!(
        state.ask_again(KID, at(12), at(13), own),
        Decision::Refuse(NoFetchReason::Missing),
        "and then it is final"
    );
}

#[test]
fn asking_once_more_is_limited_as_well() {
    let mut state = fresh();
    for now in [8, 9] {
        ask(&mut state, OTHER, now);
        state.next(at(now));
        state.succeeded(false, Freshness::Unspecified, at(now), 0.5);
    }
    let mut early = RefreshScheduler {
        in_flight: true,
        ..state
    };
    let Decision::Join(ticket) = ask(&mut early, KID, 10) else {
        panic!("must join")
    };
    early.succeeded(false, Freshness::Unspecified, at(11), 0.5);
    assert_eq!(
        early.ask_again(KID, at(11), at(12), ticket),
        Decision::Refuse(NoFetchReason::Limited)
    );
    assert!(
        !early.negative.holds(KID, at(11)),
        "nobody knows that it is not there"
    );
}

#[test]
fn while_fetches_fail_an_unknown_kid_is_503_and_starts_none() {
    let mut state = failing();
    assert_eq!(
        state.ask(KID, at(REFRESH), at(REFRESH + 2)),
        Decision::Unavailable(at(1))
    );
    assert_eq!(state.next(at(REFRESH)), Next::Sleep(at(REFRESH + 1)));
    assert_eq!(
        ask(&mut state, KID, REFRESH + 1),
        joins(3, 3, false),
        "the pause is over"
    );
    state.next(at(REFRESH + 1));
    assert_eq!(
        ask(&mut state, KID, REFRESH + 1),
        joins(3, 4, false),
        "in flight"
    );
}

#[test]
fn a_kid_still_missing_after_a_failed_flight_is_503() {
    let mut state = fresh();
    let Decision::Join(ticket) = ask(&mut state, KID, 10) else {
        panic!("must join")
    };
    state.next(at(10));
    state.failed(Some(at(20)), at(11), 0.5);
    assert_eq!(
        state.ask_again(KID, at(11), at(12), ticket),
        Decision::Unavailable(at(20))
    );
    assert!(!state.negative.holds(KID, at(11)));
    assert_eq!(
        state.ask(KID, at(12), at(14)),
        Decision::Unavailable(at(19)),
        "though the bucket has a token left"
    );
}

#[test]
fn a_known_absent_kid_stays_401_while_fetches_fail() {
    let mut state = failing();
    state.negative.insert(KID, at(REFRESH));
    assert_eq!(
        ask(&mut state, KID, REFRESH),
        Decision::Refuse(NoFetchReason::Negative)
    );
}

#[test]
fn a_bad_signature_refetches_only_a_set_older_than_the_cooldown() {
    let bad = |state: &mut RefreshScheduler, now| {
        state
            .ask_after_bad_signature(at(now))
            .map(|ticket| (ticket.attempt, ticket.wake))
    };
    let mut state = fresh();
    assert_eq!(bad(&mut state, 30), None);
    assert_eq!(bad(&mut state, 31), Some((2, true)));
    assert_eq!(bad(&mut state, 31), Some((2, false)), "the same one");
    state.next(at(31));
    state.succeeded(false, Freshness::Unspecified, at(31), 0.5);
    assert_eq!(bad(&mut state, 61), None, "young again");
    assert_eq!(bad(&mut failing(), REFRESH), None, "not while fetches fail");
    assert_eq!(bad(&mut empty(), 0), None, "not without a set");
    assert_eq!(bad(&mut fresh(), HARD), None, "not with an expired one");
}

#[test]
fn a_bad_signature_draws_from_the_same_bucket() {
    let mut state = fresh();
    state.bucket = TokenBucket::new(0, at(30));
    assert_eq!(state.ask_after_bad_signature(at(31)), None);
    assert_eq!(
        ask(&mut state, KID, 31),
        Decision::Refuse(NoFetchReason::Limited)
    );
}

#[test]
fn a_set_from_disk_serves_as_stale_and_the_first_attempt_is_still_due() {
    let mut state = RefreshScheduler::new(&JwksCacheConfig::default(), at(5));
    let limits = state.restore(at(HARD - 100), at(5));
    assert_eq!(
        limits,
        Limits {
            soft: at(5),
            hard: at(105)
        }
    );
    assert_eq!(
        (state.state(at(5)), state.age(at(6))),
        (KeySetState::Stale, Some(at(HARD - 99)))
    );
    assert_eq!(
        state.state(at(105)),
        KeySetState::Expired,
        "it gets no second life"
    );
    assert_eq!(
        ask(&mut state, KID, 5),
        joins(1, 1, false),
        "the first attempt is free"
    );
    assert_eq!(state.next(at(5)), Next::Begin(1));
}

#[test]
fn after_the_end_of_the_fetching_task_nobody_waits() {
    for mut state in [empty(), fresh()] {
        state.abandoned();
        assert_eq!(ask(&mut state, KID, 40), Decision::Unavailable(at(300)));
        assert_eq!(state.ask_after_bad_signature(at(40)), None);
        assert_eq!(state.next_attempt_in(at(40)), None);
    }
}
