//! Decides when to fetch keys, as a pure state machine: time and random numbers are arguments, and
//! nothing here fetches, sleeps or reads a clock.

use std::time::Duration;

use super::{
    JwksCacheConfig, KeySetState, backoff, freshness::Freshness, negative_cache::NegativeCache,
    token_bucket::TokenBucket,
};

/// The time between a failed attempt and one that a request may start during backoff. A longer
/// `Retry-After` is respected up to the maximum.
const DEMAND_INTERVAL: Duration = Duration::from_secs(2);
const MAX_DEMAND_INTERVAL: Duration = Duration::from_secs(10);

#[cfg(test)]
mod properties;
#[cfg(test)]
mod rules;

/// Schedules the fetches of one issuer's keys and decides about requests whose key is missing.
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
    /// The time of the next scheduled attempt: a refresh after a success, the end of the backoff
    /// after a failure.
    next_attempt: Duration,
    failures_in_a_row: u32,
    /// During backoff, requests may start an attempt from this time on.
    next_demand_attempt: Duration,
    /// A request has asked for the next attempt ahead of schedule.
    requested: bool,
    in_flight: bool,
    /// The number of attempts started so far. Attempts are numbered from 1.
    attempts_started: u64,
}

/// The set that was loaded last, and its lifetime.
#[derive(Debug, Clone, Copy)]
struct LoadedSet {
    loaded_at: Duration,
    /// The age of the set when it was loaded: zero for a fetched set.
    initial_age: Duration,
    /// The freshness lifetime, which applies again after a 304 without `Cache-Control`.
    ttl: Duration,
    fresh_until: Duration,
    expires_at: Duration,
}

/// Until when a set is fresh, and when it expires, on the monotonic clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lifetime {
    pub(super) fresh_until: Duration,
    pub(super) expires_at: Duration,
}

/// The next step of the refresh task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NextStep {
    /// Start the attempt with this number, which is now in flight.
    StartAttempt(u64),
    /// Sleep until this time, or until a request asks for an attempt.
    SleepUntil(Duration),
}

/// The decision about a request whose key is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decision {
    /// The key is not in the set, and no fetch is made for this request.
    Reject(NoFetchReason),
    /// It is unknown whether the key exists, because fetches fail. Retry after this long: whole
    /// seconds, at least one.
    Unavailable(Duration),
    /// It is unknown whether the key exists, because the rate limit permits no fetch now. Retry after
    /// this long: whole seconds, at least one.
    RateLimited(Duration),
    /// Wait for this attempt to finish, then look up the key again.
    Wait(AttemptTicket),
}

/// Why no attempt is made for an unknown key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoFetchReason {
    /// The key is in the negative cache: a set fetched for an earlier request did not contain it.
    Negative,
    /// The attempt that this request waited for succeeded without the key.
    Missing,
}

/// The attempt that a request waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct AttemptTicket {
    /// The number of the attempt.
    pub(super) attempt: u64,
    /// The first attempt that had not started when the request arrived, so its result is final. An
    /// earlier one may have read the set before the key was published.
    pub(super) conclusive_from: u64,
    /// The refresh task must be woken, because it does not know of this attempt yet.
    pub(super) wake: bool,
}

impl RefreshScheduler {
    /// Starts empty. The first attempt is due immediately.
    pub(super) fn new(config: &JwksCacheConfig, now: Duration) -> Self {
        Self {
            min_ttl: config.min_ttl,
            default_ttl: config.default_ttl,
            max_ttl: config.max_ttl,
            max_stale: config.max_stale,
            cooldown: config.refetch_cooldown,
            bucket: TokenBucket::new(config.refetch_burst, config.refetch_cooldown),
            negative: NegativeCache::default(),
            loaded: None,
            next_attempt: now,
            failures_in_a_row: 0,
            next_demand_attempt: now,
            requested: false,
            in_flight: false,
            attempts_started: 0,
        }
    }

    /// Loads a set from disk that was fetched `age` ago. It is stale, and the first attempt is still
    /// due immediately.
    pub(super) fn restore(&mut self, age: Duration, now: Duration) -> Lifetime {
        let expires_at = now + self.max_stale.saturating_sub(age);
        self.loaded = Some(LoadedSet {
            loaded_at: now,
            initial_age: age,
            ttl: self.default_ttl,
            fresh_until: now,
            expires_at,
        });
        Lifetime {
            fresh_until: now,
            expires_at,
        }
    }

    pub(super) fn state(&self, now: Duration) -> KeySetState {
        match self.loaded {
            None => KeySetState::Empty,
            Some(loaded) if now < loaded.fresh_until.min(loaded.expires_at) => KeySetState::Fresh,
            Some(loaded) if now < loaded.expires_at => KeySetState::Stale,
            Some(_) => KeySetState::Expired,
        }
    }

    /// Returns the time since the last success.
    pub(super) fn age(&self, now: Duration) -> Option<Duration> {
        self.loaded
            .map(|loaded| now.saturating_sub(loaded.loaded_at) + loaded.initial_age)
    }

    /// Starts the attempt that is due or requested. Called only by the refresh task, while no attempt
    /// is in flight.
    pub(super) fn next_step(&mut self, now: Duration) -> NextStep {
        debug_assert!(
            !self.in_flight,
            "the refresh task runs one attempt at a time"
        );
        if !self.requested && now < self.next_attempt {
            return NextStep::SleepUntil(self.next_attempt);
        }
        self.requested = false;
        self.in_flight = true;
        self.attempts_started += 1;
        NextStep::StartAttempt(self.attempts_started)
    }

    /// Records a successful attempt: a document or a 304. `changed`: its keys differ from the loaded
    /// ones.
    pub(super) fn attempt_succeeded(
        &mut self,
        changed: bool,
        freshness: Freshness,
        now: Duration,
        random: f64,
    ) -> Lifetime {
        let ttl = match (freshness, self.loaded) {
            (Freshness::MaxAge(seconds), _) => Duration::from_secs(seconds),
            (Freshness::Unspecified, Some(loaded)) if !changed => loaded.ttl,
            (Freshness::Unspecified | Freshness::NoCache, _) => self.default_ttl,
        };
        let ttl = ttl.clamp(self.min_ttl, self.max_ttl);
        let lifetime = Lifetime {
            fresh_until: now + ttl,
            expires_at: now + self.max_stale,
        };
        self.loaded = Some(LoadedSet {
            loaded_at: now,
            initial_age: Duration::ZERO,
            ttl,
            fresh_until: lifetime.fresh_until,
            expires_at: lifetime.expires_at,
        });
        self.next_attempt = now + ttl.mul_f64(0.80 + 0.15 * random.clamp(0.0, 1.0));
        self.failures_in_a_row = 0;
        self.in_flight = false;
        if changed {
            self.negative.clear();
        }
        lifetime
    }

    /// Records a failed attempt. The loaded set stays. Returns the pause before the next attempt.
    pub(super) fn attempt_failed(
        &mut self,
        retry_after: Option<Duration>,
        now: Duration,
        random: f64,
    ) -> Duration {
        self.failures_in_a_row = self.failures_in_a_row.saturating_add(1);
        let pause = backoff::pause(self.failures_in_a_row, random, retry_after);
        self.next_attempt = now + pause;
        self.next_demand_attempt = now
            + retry_after
                .unwrap_or_default()
                .clamp(DEMAND_INTERVAL, MAX_DEMAND_INTERVAL);
        self.in_flight = false;
        pause
    }

    /// Records the end of the refresh task: no attempt will finish any more.
    pub(super) fn stop(&mut self) {
        self.failures_in_a_row = self.failures_in_a_row.saturating_add(1);
        self.next_attempt = Duration::MAX;
        self.next_demand_attempt = Duration::MAX;
        self.in_flight = false;
        self.requested = false;
    }

    /// Decides about a request whose set is not usable or does not contain its key. `key_hash` is a
    /// keyed hash of `kid` and algorithm; the request waits until `deadline` at most.
    pub(super) fn request_key(
        &mut self,
        key_hash: u64,
        now: Duration,
        deadline: Duration,
    ) -> Decision {
        let conclusive_from = self.attempts_started + 1;
        self.decide(key_hash, now, deadline, conclusive_from)
    }

    /// Decides about the same request again, after the attempt it waited for.
    pub(super) fn request_again(
        &mut self,
        key_hash: u64,
        now: Duration,
        deadline: Duration,
        ticket: AttemptTicket,
    ) -> Decision {
        let attempts_finished = self.attempts_started - u64::from(self.in_flight);
        if self.state(now).is_usable()
            && self.failures_in_a_row == 0
            && attempts_finished >= ticket.conclusive_from
        {
            self.negative.insert(key_hash, now);
            return Decision::Reject(NoFetchReason::Missing);
        }
        self.decide(key_hash, now, deadline, ticket.conclusive_from)
    }

    fn decide(
        &mut self,
        key_hash: u64,
        now: Duration,
        deadline: Duration,
        conclusive_from: u64,
    ) -> Decision {
        let is_usable = self.state(now).is_usable();
        if is_usable && self.negative.contains(key_hash, now) {
            return Decision::Reject(NoFetchReason::Negative);
        }
        if let Some(attempt) = self.joinable_attempt(now) {
            return Decision::Wait(AttemptTicket {
                attempt,
                conclusive_from,
                wake: false,
            });
        }
        let next = AttemptTicket {
            attempt: self.attempts_started + 1,
            conclusive_from,
            wake: false,
        };
        if !is_usable && self.next_attempt < deadline {
            Decision::Wait(next)
        } else if !is_usable || self.failures_in_a_row > 0 {
            // Backoff applies to the schedule. A request that needs a key may try sooner, so that an
            // outage ends for clients when it ends for the identity provider.
            if now >= self.next_demand_attempt {
                self.requested = true;
                Decision::Wait(AttemptTicket { wake: true, ..next })
            } else {
                Decision::Unavailable(self.retry_after(now))
            }
        } else if self.take_token(now) {
            Decision::Wait(AttemptTicket { wake: true, ..next })
        } else {
            Decision::RateLimited(self.retry_after_rate_limit(now))
        }
    }

    /// Decides about a request whose signature is invalid under a known key. Identity providers that
    /// rotate in place reuse a `kid`, so a set older than the cooldown is fetched again, within the
    /// same rate limit.
    pub(super) fn request_after_bad_signature(&mut self, now: Duration) -> Option<AttemptTicket> {
        let is_recent = self.age(now).is_none_or(|age| age <= self.cooldown);
        if is_recent || !self.state(now).is_usable() {
            return None;
        }
        let conclusive_from = self.attempts_started + 1;
        if let Some(attempt) = self.joinable_attempt(now) {
            return Some(AttemptTicket {
                attempt,
                conclusive_from,
                wake: false,
            });
        }
        let is_allowed = self.failures_in_a_row == 0 && self.take_token(now);
        is_allowed.then_some(AttemptTicket {
            attempt: conclusive_from,
            conclusive_from,
            wake: true,
        })
    }

    /// Returns the time to the next attempt for `Retry-After`: whole seconds, at least one.
    pub(super) fn retry_after(&self, now: Duration) -> Duration {
        if self.in_flight {
            return whole_seconds(Duration::ZERO);
        }
        whole_seconds(
            self.next_attempt
                .min(self.next_demand_attempt)
                .saturating_sub(now),
        )
    }

    /// Returns the time until the rate limit permits a fetch, or until the scheduled refresh.
    fn retry_after_rate_limit(&mut self, now: Duration) -> Duration {
        let scheduled = self.next_attempt.saturating_sub(now);
        let token = self.bucket.next_token_in(now).unwrap_or(Duration::MAX);
        whole_seconds(scheduled.min(token))
    }

    /// Returns the time to the next scheduled attempt; `None` while one is in flight, or after
    /// [`stop`](Self::stop).
    pub(super) fn next_attempt_in(&self, now: Duration) -> Option<Duration> {
        let is_scheduled = !self.in_flight && self.next_attempt < Duration::MAX;
        is_scheduled.then(|| self.next_attempt.saturating_sub(now))
    }

    /// Returns the attempt that a request may wait for without taking a token: the one in flight,
    /// already requested, or due now.
    fn joinable_attempt(&self, now: Duration) -> Option<u64> {
        if self.in_flight {
            Some(self.attempts_started)
        } else if self.requested || self.next_attempt <= now {
            Some(self.attempts_started + 1)
        } else {
            None
        }
    }

    /// Takes a token for the next attempt. Returns whether there was one.
    fn take_token(&mut self, now: Duration) -> bool {
        self.requested = self.bucket.take(now);
        self.requested
    }
}

/// Rounds up to whole seconds for `Retry-After`, at least one.
fn whole_seconds(duration: Duration) -> Duration {
    let seconds = duration
        .as_secs()
        .saturating_add(u64::from(duration.subsec_nanos() > 0));
    Duration::from_secs(seconds).clamp(Duration::from_secs(1), backoff::MAX_RETRY_AFTER)
}
