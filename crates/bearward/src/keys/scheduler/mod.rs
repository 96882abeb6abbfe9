//! The key cache's decisions: a pure state machine. Time and chance are arguments; nothing here
//! fetches, sleeps or reads a clock.

use std::time::Duration;

use super::{
    JwksCacheConfig, KeySetState, backoff, freshness::Freshness, negative_cache::NegativeCache,
    token_bucket::TokenBucket,
};

#[cfg(test)]
mod model;
#[cfg(test)]
mod table;

/// When one issuer's keys are fetched, and what a request without its key is told.
#[derive(Debug)]
pub(super) struct RefreshScheduler {
    min_ttl: Duration,
    default_ttl: Duration,
    max_ttl: Duration,
    max_stale: Duration,
    cooldown: Duration,
    bucket: TokenBucket,
    negative: NegativeCache,
    loaded: Option<LoadedSet>,
    /// The schedule: a refresh while fetches succeed, the end of a pause while they fail.
    next_attempt: Duration,
    failures_in_a_row: u32,
    /// A request drew a token from the bucket for the attempt that comes next.
    wanted: bool,
    in_flight: bool,
    /// Attempts that have begun. Each is known by its number, from 1.
    begun: u64,
}

/// The set that was loaded last, and its limits.
#[derive(Debug, Clone, Copy)]
struct LoadedSet {
    at: Duration,
    /// How old it was when it was loaded: nothing for a fetched set.
    age_then: Duration,
    /// What its response granted, which a 304 that says nothing grants again.
    granted: Duration,
    soft: Duration,
    hard: Duration,
}

/// Until when a set is fresh and until when it serves, on the monotonic clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limits {
    pub(super) soft: Duration,
    pub(super) hard: Duration,
}

/// What the fetching task does now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Fetch: this is attempt number such and such, and the slot is taken.
    Begin(u64),
    /// Sleep until then, or until a request wants an attempt.
    Sleep(Duration),
}

/// What a request without its key does now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decision {
    /// The key is not there, and asking again would not change that.
    Refuse(NoFetchReason),
    /// Nobody can say whether the key is there. Try again after this long: whole seconds, at least
    /// one.
    Unavailable(Duration),
    /// Wait for this attempt to finish, then look again.
    Join(AttemptTicket),
}

/// Why no attempt is made for an unknown key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoFetchReason {
    /// A set that was fetched after an earlier request for this very key did not have it.
    Negative,
    /// The token bucket is empty.
    Limited,
    /// The attempt that this request waited for succeeded without the key.
    Missing,
}

/// A place in an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct AttemptTicket {
    /// The attempt to wait for.
    pub(super) attempt: u64,
    /// The first attempt that had not begun when the request asked first: what it says about the
    /// key is final. An earlier one may have read the set before the key was published.
    pub(super) conclusive_from: u64,
    /// The fetching task must be woken, for it does not know of this attempt yet.
    pub(super) wake: bool,
}

impl RefreshScheduler {
    /// Empty; the first attempt is due at once.
    pub(super) fn new(policy: &JwksCacheConfig, now: Duration) -> Self {
        Self {
            min_ttl: policy.min_ttl,
            default_ttl: policy.default_ttl,
            max_ttl: policy.max_ttl,
            max_stale: policy.max_stale,
            cooldown: policy.refetch_cooldown,
            bucket: TokenBucket::new(policy.refetch_burst, policy.refetch_cooldown),
            negative: NegativeCache::default(),
            loaded: None,
            next_attempt: now,
            failures_in_a_row: 0,
            wanted: false,
            in_flight: false,
            begun: 0,
        }
    }

    /// Takes over a set from disk that was fetched `age` ago, as stale: it serves, and the first
    /// attempt is still due at once.
    pub(super) fn restore(&mut self, age: Duration, now: Duration) -> Limits {
        let hard = now + self.max_stale.saturating_sub(age);
        self.loaded = Some(LoadedSet {
            at: now,
            age_then: age,
            granted: self.default_ttl,
            soft: now,
            hard,
        });
        Limits { soft: now, hard }
    }

    pub(super) fn state(&self, now: Duration) -> KeySetState {
        match self.loaded {
            None => KeySetState::Empty,
            Some(loaded) if now < loaded.soft.min(loaded.hard) => KeySetState::Fresh,
            Some(loaded) if now < loaded.hard => KeySetState::Stale,
            Some(_) => KeySetState::Expired,
        }
    }

    /// The time since the last success.
    pub(super) fn age(&self, now: Duration) -> Option<Duration> {
        self.loaded
            .map(|loaded| now.saturating_sub(loaded.at) + loaded.age_then)
    }

    /// Begins the attempt that is due or wanted, if the slot is free. To be called by the fetching
    /// task alone.
    pub(super) fn next(&mut self, now: Duration) -> Next {
        debug_assert!(!self.in_flight, "the fetching task waits for its attempt");
        if !self.wanted && now < self.next_attempt {
            return Next::Sleep(self.next_attempt);
        }
        self.wanted = false;
        self.in_flight = true;
        self.begun += 1;
        Next::Begin(self.begun)
    }

    /// The attempt succeeded, with a set (`changed` if its content differs from the last one's) or
    /// with a 304.
    pub(super) fn succeeded(
        &mut self,
        changed: bool,
        lifetime: Freshness,
        now: Duration,
        random: f64,
    ) -> Limits {
        let granted = match (lifetime, self.loaded) {
            (Freshness::Seconds(seconds), _) => Duration::from_secs(seconds),
            (Freshness::Unspecified, Some(loaded)) if !changed => loaded.granted,
            (Freshness::Unspecified | Freshness::NoCache, _) => self.default_ttl,
        };
        let ttl = granted.clamp(self.min_ttl, self.max_ttl);
        let limits = Limits {
            soft: now + ttl,
            hard: now + self.max_stale,
        };
        self.loaded = Some(LoadedSet {
            at: now,
            age_then: Duration::ZERO,
            granted: ttl,
            soft: limits.soft,
            hard: limits.hard,
        });
        self.next_attempt = now + ttl.mul_f64(0.80 + 0.15 * random.clamp(0.0, 1.0));
        self.failures_in_a_row = 0;
        self.in_flight = false;
        if changed {
            self.negative.clear();
        }
        limits
    }

    /// The attempt failed, in whatever way. The set that is there stays. Returns the pause before
    /// the next attempt.
    pub(super) fn failed(
        &mut self,
        retry_after: Option<Duration>,
        now: Duration,
        random: f64,
    ) -> Duration {
        self.failures_in_a_row = self.failures_in_a_row.saturating_add(1);
        let pause = backoff::pause(self.failures_in_a_row, random, retry_after);
        self.next_attempt = now + pause;
        self.in_flight = false;
        pause
    }

    /// The fetching task has ended for good: no attempt will ever finish again.
    pub(super) fn abandoned(&mut self) {
        self.failures_in_a_row = self.failures_in_a_row.saturating_add(1);
        self.next_attempt = Duration::MAX;
        self.in_flight = false;
        self.wanted = false;
    }

    /// A request found the set not serving, or without its key `kid` (a keyed hash of kid and
    /// algorithm), and would wait until `deadline`.
    pub(super) fn ask(&mut self, kid: u64, now: Duration, deadline: Duration) -> Decision {
        let conclusive_from = self.begun + 1;
        self.answer(kid, now, deadline, conclusive_from)
    }

    /// The same request again, after the attempt it waited for.
    pub(super) fn ask_again(
        &mut self,
        kid: u64,
        now: Duration,
        deadline: Duration,
        ticket: AttemptTicket,
    ) -> Decision {
        let finished = if self.in_flight {
            self.begun - 1
        } else {
            self.begun
        };
        if self.state(now).serves()
            && self.failures_in_a_row == 0
            && finished >= ticket.conclusive_from
        {
            self.negative.insert(kid, now);
            return Decision::Refuse(NoFetchReason::Missing);
        }
        self.answer(kid, now, deadline, ticket.conclusive_from)
    }

    fn answer(
        &mut self,
        kid: u64,
        now: Duration,
        deadline: Duration,
        conclusive_from: u64,
    ) -> Decision {
        let serves = self.state(now).serves();
        if serves && self.negative.holds(kid, now) {
            return Decision::Refuse(NoFetchReason::Negative);
        }
        if let Some(attempt) = self.joinable(now) {
            return Decision::Join(AttemptTicket {
                attempt,
                conclusive_from,
                wake: false,
            });
        }
        let next = AttemptTicket {
            attempt: self.begun + 1,
            conclusive_from,
            wake: false,
        };
        match () {
            () if !serves && self.next_attempt < deadline => Decision::Join(next),
            () if !serves || self.failures_in_a_row > 0 => {
                Decision::Unavailable(self.retry_after(now))
            }
            () if self.draw(now) => Decision::Join(AttemptTicket { wake: true, ..next }),
            () => Decision::Refuse(NoFetchReason::Limited),
        }
    }

    /// A request found a signature wrong under a key that is there. Identity providers that rotate
    /// in place reuse a kid, so a set older than the cooldown is fetched again, within the same
    /// limit.
    pub(super) fn ask_after_bad_signature(&mut self, now: Duration) -> Option<AttemptTicket> {
        let young = self.age(now).is_none_or(|age| age <= self.cooldown);
        if young || !self.state(now).serves() {
            return None;
        }
        let conclusive_from = self.begun + 1;
        if let Some(attempt) = self.joinable(now) {
            return Some(AttemptTicket {
                attempt,
                conclusive_from,
                wake: false,
            });
        }
        let may = self.failures_in_a_row == 0 && self.draw(now);
        may.then_some(AttemptTicket {
            attempt: conclusive_from,
            conclusive_from,
            wake: true,
        })
    }

    /// The time to the next attempt, for a `Retry-After`: whole seconds, at least one.
    pub(super) fn retry_after(&self, now: Duration) -> Duration {
        let left = if self.in_flight {
            Duration::ZERO
        } else {
            self.next_attempt.saturating_sub(now)
        };
        let seconds = left.as_secs() + u64::from(left.subsec_nanos() > 0);
        Duration::from_secs(seconds).clamp(Duration::from_secs(1), backoff::LONGEST_RETRY_AFTER)
    }

    /// The time to the next scheduled attempt; `None` while one is in flight or when there will be
    /// none.
    pub(super) fn next_attempt_in(&self, now: Duration) -> Option<Duration> {
        let will_be = !self.in_flight && self.next_attempt < Duration::MAX;
        will_be.then(|| self.next_attempt.saturating_sub(now))
    }

    /// The attempt that a request may wait for at no cost: the one in flight, wanted already, or
    /// due this very moment.
    fn joinable(&self, now: Duration) -> Option<u64> {
        match () {
            () if self.in_flight => Some(self.begun),
            () if self.wanted || self.next_attempt <= now => Some(self.begun + 1),
            () => None,
        }
    }

    /// Draws a token for the attempt that comes next.
    fn draw(&mut self, now: Duration) -> bool {
        self.wanted = self.bucket.take(now);
        self.wanted
    }
}
