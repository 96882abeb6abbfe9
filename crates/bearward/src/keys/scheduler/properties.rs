//! Property tests: invariants for any sequence of requests, successes and failures over time.

use proptest::prelude::*;

use super::*;

/// An event in the life of a key set.
#[derive(Debug, Clone)]
enum Event {
    Advance(Duration),
    UnknownKey(u64),
    BadSignature,
    Success { changed: bool, freshness: Freshness },
    Failure { retry_after: Option<u64> },
}

fn event() -> impl Strategy<Value = Event> {
    let freshness = prop_oneof![
        Just(Freshness::Unspecified),
        Just(Freshness::NoCache),
        (0..9000_u64).prop_map(Freshness::MaxAge)
    ];
    prop_oneof![
        4 => (0..3000_u64).prop_map(|ms| Event::Advance(Duration::from_millis(ms))),
        2 => (0..700_u64).prop_map(|seconds| Event::Advance(Duration::from_secs(seconds))),
        1 => (0..30_000_u64).prop_map(|seconds| Event::Advance(Duration::from_secs(seconds))),
        8 => (0..6_u64).prop_map(Event::UnknownKey),
        2 => Just(Event::BadSignature),
        4 => (any::<bool>(), freshness).prop_map(|(changed, freshness)| Event::Success { changed, freshness }),
        3 => proptest::option::of(0..1000_u64).prop_map(|retry_after| Event::Failure { retry_after }),
    ]
}

/// Simulates the refresh task and the requests around a [`RefreshScheduler`], and records the
/// history.
struct Simulation {
    scheduler: RefreshScheduler,
    now: Duration,
    /// The number of the attempt in flight.
    in_flight: Option<u64>,
    tokens_taken: Vec<Duration>,
    /// The times at which requests started attempts during backoff.
    demanded: Vec<Duration>,
    attempts: Vec<Duration>,
    was_due: Vec<bool>,
    last_success: Option<Duration>,
    failures: u32,
    waiting: Vec<(u64, AttemptTicket, Duration)>,
}

impl Simulation {
    fn new() -> Self {
        Self {
            scheduler: RefreshScheduler::new(&JwksCacheConfig::default(), Duration::ZERO),
            now: Duration::ZERO,
            in_flight: None,
            tokens_taken: Vec::new(),
            demanded: Vec::new(),
            attempts: Vec::new(),
            was_due: Vec::new(),
            last_success: None,
            failures: 0,
            waiting: Vec::new(),
        }
    }

    /// Wakes the refresh task, as after each event, unless an attempt is in flight.
    fn wake(&mut self) {
        if self.in_flight.is_some() {
            return;
        }
        let due = self.scheduler.next_attempt <= self.now;
        if let NextStep::StartAttempt(number) = self.scheduler.next_step(self.now) {
            assert_eq!(
                number,
                u64::try_from(self.attempts.len()).unwrap() + 1,
                "numbers have no gaps"
            );
            self.in_flight = Some(number);
            self.attempts.push(self.now);
            self.was_due.push(due);
        }
    }

    fn request_key(&mut self, key_hash: u64) {
        let deadline = self.now + Duration::from_secs(2);
        let decision = self.scheduler.request_key(key_hash, self.now, deadline);
        self.handle(key_hash, &decision, deadline);
    }

    fn handle(&mut self, key_hash: u64, decision: &Decision, deadline: Duration) {
        let is_usable = self.scheduler.state(self.now).is_usable();
        match decision {
            Decision::Reject(_) => assert!(is_usable, "only a usable set can reject"),
            Decision::Unavailable(retry_after) => {
                assert!(
                    !is_usable || self.failures > 0,
                    "a usable set is unavailable only while fetches fail"
                );
                assert!(*retry_after >= Duration::from_secs(1) && retry_after.subsec_nanos() == 0);
            }
            Decision::RateLimited(retry_after) => {
                assert!(
                    is_usable && self.failures == 0,
                    "only a usable set whose fetches succeed is rate limited"
                );
                assert!(*retry_after >= Duration::from_secs(1) && retry_after.subsec_nanos() == 0);
            }
            Decision::Wait(ticket) => {
                if ticket.wake {
                    assert!(
                        self.in_flight.is_none(),
                        "an attempt out of schedule needs an idle set"
                    );
                    if is_usable && self.failures == 0 {
                        self.tokens_taken.push(self.now);
                    } else {
                        self.demanded.push(self.now);
                    }
                }
                self.waiting.push((key_hash, *ticket, deadline));
            }
        }
    }

    fn finish(
        &mut self,
        success: Option<(bool, Freshness)>,
        retry_after: Option<Duration>,
        random: f64,
    ) {
        let Some(number) = self.in_flight.take() else {
            return;
        };
        let state = self.scheduler.state(self.now);
        if let Some((changed, freshness)) = success {
            let lifetime = self
                .scheduler
                .attempt_succeeded(changed, freshness, self.now, random);
            (self.failures, self.last_success) = (0, Some(self.now));
            assert!(
                lifetime.fresh_until >= self.now + Duration::from_mins(1)
                    && lifetime.fresh_until <= self.now + Duration::from_hours(1)
            );
            assert_eq!(lifetime.expires_at, self.now + Duration::from_hours(6));
        } else {
            self.failures += 1;
            let pause = self.scheduler.attempt_failed(retry_after, self.now, random);
            assert!(pause >= Duration::from_millis(500) && pause <= Duration::from_mins(5));
            assert_eq!(
                self.scheduler.state(self.now),
                state,
                "a failure does not change the state"
            );
        }
        for (key_hash, ticket, deadline) in std::mem::take(&mut self.waiting) {
            match ticket {
                AttemptTicket { attempt, .. } if attempt > number => {
                    self.waiting.push((key_hash, ticket, deadline));
                }
                _ if deadline <= self.now => {}
                _ => {
                    let decision = self
                        .scheduler
                        .request_again(key_hash, self.now, deadline, ticket);
                    assert!(
                        self.failures == 0
                            || !matches!(decision, Decision::Reject(NoFetchReason::Missing)),
                        "a failed attempt cannot prove that a key is missing"
                    );
                    assert!(
                        success.is_none()
                            || number < ticket.conclusive_from
                            || !matches!(decision, Decision::Wait(_)),
                        "the result of an attempt that started after the request is final",
                    );
                    self.handle(key_hash, &decision, deadline);
                }
            }
        }
    }

    fn check(&self) {
        let age = self.last_success.map(|at| self.now.saturating_sub(at));
        let is_usable = age.is_some_and(|age| age < Duration::from_hours(6));
        assert_eq!(
            self.scheduler.state(self.now).is_usable(),
            is_usable,
            "the set is usable for max_stale"
        );
        assert_eq!(self.scheduler.age(self.now), age);
        assert!(self.scheduler.negative.len() <= NegativeCache::CAPACITY);
    }

    /// Checks the rates of attempts ahead of schedule in every window: the burst plus one per
    /// cooldown, and during backoff one per 2 seconds.
    fn check_limit(&self) {
        let ahead_of_schedule = self.was_due.iter().filter(|was_due| !**was_due).count();
        assert!(ahead_of_schedule <= self.tokens_taken.len() + self.demanded.len());
        for (times, burst, interval) in [(&self.tokens_taken, 2, 10), (&self.demanded, 1, 2)] {
            for (first, from) in times.iter().enumerate() {
                for (last, to) in times.iter().enumerate().skip(first) {
                    let allowed = burst + to.saturating_sub(*from).as_secs() / interval;
                    assert!(
                        u64::try_from(last - first + 1).unwrap() <= allowed,
                        "{from:?}..{to:?}"
                    );
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn invariants_hold_for_every_history(events in proptest::collection::vec((event(), 0.0..=1.0), 1..200)) {
        let mut simulation = Simulation::new();
        for (event, random) in events {
            match event {
                Event::Advance(time) => simulation.now += time,
                Event::UnknownKey(key_hash) => simulation.request_key(key_hash),
                Event::BadSignature => {
                    if simulation.scheduler.request_after_bad_signature(simulation.now).is_some_and(|ticket| ticket.wake) {
                        simulation.tokens_taken.push(simulation.now);
                    }
                }
                Event::Success { changed, freshness } => simulation.finish(Some((changed, freshness)), None, random),
                Event::Failure { retry_after } => simulation.finish(None, retry_after.map(Duration::from_secs), random),
            }
            simulation.wake();
            simulation.check();
        }
        simulation.check_limit();
    }

    /// Ten unknown keys per second for an hour, while all fetches succeed immediately.
    #[test]
    fn flood_causes_the_burst_and_one_fetch_per_cooldown(random in 0.0..=1.0) {
        let mut simulation = Simulation::new();
        simulation.wake();
        simulation.finish(Some((true, Freshness::Unspecified)), None, random);
        for tenth in 0..36_000_u64 {
            simulation.now = Duration::from_millis(tenth * 100);
            simulation.request_key(tenth);
            simulation.wake();
            simulation.finish(Some((false, Freshness::Unspecified)), None, random);
        }
        let fetches = u64::try_from(simulation.attempts.len()).unwrap();
        prop_assert!((300..=1 + 2 + 3600 / 10).contains(&fetches), "{fetches}");
    }
}
