//! Fetches after a signature that does not verify.

use super::*;

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
