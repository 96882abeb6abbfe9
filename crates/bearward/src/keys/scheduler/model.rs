//! What must hold in every history: any order of time, requests, successes and failures.

use proptest::prelude::*;

use super::*;

/// One thing that happens to a key set.
#[derive(Debug, Clone)]
enum Event {
    Pass(Duration),
    UnknownKeyOutcome(u64),
    BadSignature,
    Success { changed: bool, lifetime: Freshness },
    Failure { retry_after: Option<u64> },
}

fn event() -> impl Strategy<Value = Event> {
    let lifetime = prop_oneof![
        Just(Freshness::Unspecified),
        Just(Freshness::NoCache),
        (0..9000_u64).prop_map(Freshness::Seconds)
    ];
    prop_oneof![
        4 => (0..3000_u64).prop_map(|ms| Event::Pass(Duration::from_millis(ms))),
        2 => (0..700_u64).prop_map(|seconds| Event::Pass(Duration::from_secs(seconds))),
        1 => (0..30_000_u64).prop_map(|seconds| Event::Pass(Duration::from_secs(seconds))),
        8 => (0..6_u64).prop_map(Event::UnknownKeyOutcome),
        2 => Just(Event::BadSignature),
        4 => (any::<bool>(), lifetime).prop_map(|(changed, lifetime)| Event::Success { changed, lifetime }),
        3 => proptest::option::of(0..1000_u64).prop_map(|retry_after| Event::Failure { retry_after }),
    ]
}

/// Plays the part of the fetching task and of the requests around a [`RefreshScheduler`], and
/// remembers what they saw.
struct World {
    state: RefreshScheduler,
    now: Duration,
    /// The attempt in flight.
    flight: Option<u64>,
    drawn: Vec<Duration>,
    begun: Vec<Duration>,
    due_when_begun: Vec<bool>,
    last_success: Option<Duration>,
    failures: u32,
    waiting: Vec<(u64, AttemptTicket, Duration)>,
}

impl World {
    fn new() -> Self {
        Self {
            state: RefreshScheduler::new(&JwksCacheConfig::default(), Duration::ZERO),
            now: Duration::ZERO,
            flight: None,
            drawn: Vec::new(),
            begun: Vec::new(),
            due_when_begun: Vec::new(),
            last_success: None,
            failures: 0,
            waiting: Vec::new(),
        }
    }

    /// The fetching task is woken after each event, unless it waits for its attempt.
    fn wake(&mut self) {
        if self.flight.is_some() {
            return;
        }
        let due = self.state.next_attempt <= self.now;
        if let Next::Begin(number) = self.state.next(self.now) {
            assert_eq!(
                number,
                u64::try_from(self.begun.len()).unwrap() + 1,
                "numbers have no gaps"
            );
            self.flight = Some(number);
            self.begun.push(self.now);
            self.due_when_begun.push(due);
        }
    }

    fn unknown(&mut self, kid: u64) {
        let deadline = self.now + Duration::from_secs(2);
        let answer = self.state.ask(kid, self.now, deadline);
        self.heard(kid, &answer, deadline);
    }

    fn heard(&mut self, kid: u64, answer: &Decision, deadline: Duration) {
        let serves = self.state.state(self.now).serves();
        match answer {
            Decision::Refuse(_) => assert!(serves, "a refusal needs keys that serve"),
            Decision::Unavailable(retry_after) => {
                assert!(
                    !serves || self.failures > 0,
                    "healthy keys are never unavailable"
                );
                assert!(*retry_after >= Duration::from_secs(1) && retry_after.subsec_nanos() == 0);
            }
            Decision::Join(ticket) => {
                if ticket.wake {
                    assert!(
                        serves && self.failures == 0 && self.flight.is_none(),
                        "only a healthy, idle set is asked out of turn"
                    );
                    self.drawn.push(self.now);
                }
                self.waiting.push((kid, *ticket, deadline));
            }
        }
    }

    fn finish(
        &mut self,
        success: Option<(bool, Freshness)>,
        retry_after: Option<Duration>,
        random: f64,
    ) {
        let Some(number) = self.flight.take() else {
            return;
        };
        let phase = self.state.state(self.now);
        if let Some((changed, lifetime)) = success {
            let limits = self.state.succeeded(changed, lifetime, self.now, random);
            (self.failures, self.last_success) = (0, Some(self.now));
            assert!(
                limits.soft >= self.now + Duration::from_mins(1)
                    && limits.soft <= self.now + Duration::from_hours(1)
            );
            assert_eq!(limits.hard, self.now + Duration::from_hours(6));
        } else {
            self.failures += 1;
            let pause = self.state.failed(retry_after, self.now, random);
            assert!(pause >= Duration::from_millis(500) && pause <= Duration::from_mins(5));
            assert_eq!(
                self.state.state(self.now),
                phase,
                "a failure takes nothing away"
            );
        }
        for (kid, ticket, deadline) in std::mem::take(&mut self.waiting) {
            match ticket {
                AttemptTicket { attempt, .. } if attempt > number => {
                    self.waiting.push((kid, ticket, deadline))
                }
                _ if deadline <= self.now => {}
                _ => {
                    let answer = self.state.ask_again(kid, self.now, deadline, ticket);
                    assert!(
                        self.failures == 0
                            || !matches!(answer, Decision::Refuse(NoFetchReason::Missing)),
                        "failed: nothing is known"
                    );
                    assert!(
                        success.is_none()
                            || number < ticket.conclusive_from
                            || !matches!(answer, Decision::Join(_)),
                        "what came after the question is final",
                    );
                    self.heard(kid, &answer, deadline);
                }
            }
        }
    }

    fn check(&self) {
        let age = self.last_success.map(|at| self.now.saturating_sub(at));
        let serves = age.is_some_and(|age| age < Duration::from_hours(6));
        assert_eq!(
            self.state.state(self.now).serves(),
            serves,
            "known keys are served for max_stale, and only then"
        );
        assert_eq!(self.state.age(self.now), age);
        assert!(self.state.negative.len() <= NegativeCache::CAPACITY);
    }

    /// Attempts out of turn, in any window: the burst, and one for each cooldown in it.
    fn check_limit(&self) {
        let out_of_turn = |index: usize| !self.due_when_begun[index];
        let times: Vec<Duration> = (0..self.begun.len())
            .filter(|index| out_of_turn(*index))
            .map(|index| self.begun[index])
            .collect();
        for times in [&times, &self.drawn] {
            for (first, from) in times.iter().enumerate() {
                for (last, to) in times.iter().enumerate().skip(first) {
                    let allowed = 2 + to.saturating_sub(*from).as_secs() / 30;
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
    fn every_history_keeps_the_rules(events in proptest::collection::vec((event(), 0.0..=1.0), 1..200)) {
        let mut world = World::new();
        for (event, random) in events {
            match event {
                Event::Pass(time) => world.now += time,
                Event::UnknownKeyOutcome(kid) => world.unknown(kid),
                Event::BadSignature => {
                    if world.state.ask_after_bad_signature(world.now).is_some_and(|ticket| ticket.wake) {
                        world.drawn.push(world.now);
                    }
                }
                Event::Success { changed, lifetime } => world.finish(Some((changed, lifetime)), None, random),
                Event::Failure { retry_after } => world.finish(None, retry_after.map(Duration::from_secs), random),
            }
            world.wake();
            world.check();
        }
        world.check_limit();
    }

    /// A stranger sends unknown kids for an hour, ten a second, to a set whose fetches all succeed at once.
    #[test]
    fn a_flood_costs_the_burst_and_one_fetch_a_cooldown(random in 0.0..=1.0) {
        let mut world = World::new();
        world.wake();
        world.finish(Some((true, Freshness::Unspecified)), None, random);
        for tenth in 0..36_000_u64 {
            world.now = Duration::from_millis(tenth * 100);
            world.unknown(tenth);
            world.wake();
            world.finish(Some((false, Freshness::Unspecified)), None, random);
        }
        let fetches = u64::try_from(world.begun.len()).unwrap();
        prop_assert!((100..=1 + 2 + 3600 / 30).contains(&fetches), "{fetches}");
    }
}
