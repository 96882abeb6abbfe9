//! Tests of each state and rule of the scheduler, and what they share.

mod bad_signature;
mod empty_set;
mod lifetime;
mod unknown_key;

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
