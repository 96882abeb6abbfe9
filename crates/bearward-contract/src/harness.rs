//! The stage of one run: the mock IdP, the host that nobody should visit, the target, and the steps
//! that cases are made of.

use std::{
    sync::{
        Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use bearward::Algorithm;
use bearward_testing::{
    Faults, MockIdp, endpoint,
    signing::{KeyPair, KeyRing},
};
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use super::{
    case::{Finding, StepError},
    cases::slow::Seen,
    failure_kind::FailureKind,
    forge::{Canary, Forge},
    options::Options,
    target::{Answer, NoAnswer, Request, Target},
};

/// What the cases of one run share.
pub(super) struct Harness {
    pub(super) forge: Forge,
    pub(super) idp: MockIdp,
    pub(super) canary: MockIdp,
    pub(super) target: Target,
    pub(super) options: Options,
    published: Mutex<Vec<Value>>,
    /// The key endpoint misbehaves: a sound target then pauses, and longer each time.
    broken: AtomicBool,
    watch: Mutex<FetchWatch>,
    /// How often it had asked for keys when the cases began.
    asked_to_be_ready: OnceLock<usize>,
    /// Found out once, so that a target without a second fetch is not waited for again and again.
    never_asks: AtomicBool,
    turned: Mutex<RotationState>,
    /// What the cases of a slow endpoint have seen.
    pub(super) slow: OnceCell<Result<Seen, StepError>>,
    /// What the cases of a failing endpoint have seen, by their ids.
    pub(super) storm: OnceCell<Vec<(&'static str, Result<(), StepError>)>>,
}

/// What the cases of a rotation leave to each other.
#[derive(Default)]
struct RotationState {
    /// The key that came first, with a token of it that was accepted.
    key: Option<(KeyPair, String)>,
    /// The target has seen a set without that key.
    removed: bool,
    /// The kid under which anybody signs.
    weak: Option<String>,
    /// The key that came last, which the target has accepted.
    latest: Option<KeyPair>,
}

/// When the target was last seen to ask for the keys, as far as anybody looked.
struct FetchWatch {
    fetches: usize,
    at: Instant,
}

/// How often a target is asked that asks for no keys, a cooldown apart: together longer than the
/// minute that some limits count by.
const ATTEMPTS: usize = 3;

/// What some limits count by.
const MINUTE: Duration = Duration::from_secs(60);

/// The IdP of a run before its target is known.
pub(super) struct Fixture {
    pub(super) forge: Forge,
    pub(super) idp: MockIdp,
    pub(super) canary: MockIdp,
}

impl Fixture {
    /// Listens.
    pub(super) fn open(options: &Options) -> std::io::Result<Self> {
        let ring = || KeyRing::of(KeyPair::shared(Algorithm::RS256, 0));
        let idp = MockIdp::bind_with(
            options.issuer_bind,
            options.issuer_base.clone(),
            ring(),
            endpoint::routes,
        )?;
        let mut beside = options.issuer_bind;
        beside.set_port(0);
        let key = KeyPair::shared(Algorithm::RS256, 1);
        let canary = MockIdp::bind(beside, KeyRing::of(key.clone()))?;
        let (issuer, jwks_url) = (canary.issuer(), canary.jwks_url());
        let forge = Forge::new(
            idp.base(),
            idp.issuer(),
            Canary {
                issuer,
                jwks_url,
                key,
            },
            options,
        );
        Ok(Self { forge, idp, canary })
    }
}

impl Harness {
    pub(super) fn new(stage: Fixture, target: Target, options: Options) -> Self {
        let Fixture { forge, idp, canary } = stage;
        let (published, watch) = (
            Mutex::default(),
            Mutex::new(FetchWatch {
                fetches: 0,
                at: Instant::now(),
            }),
        );
        let bench = Self {
            forge,
            idp,
            canary,
            target,
            options,
            published,
            broken: AtomicBool::new(false),
            never_asks: AtomicBool::new(false),
            watch,
            asked_to_be_ready: OnceLock::new(),
            turned: Mutex::default(),
            slow: OnceCell::new(),
            storm: OnceCell::new(),
        };
        bench.publish_initial(true);
        // The forger's key is published there alone, and rightly signs for whoever asks the wrong
        // host.
        bench
            .canary
            .replace_keys(KeyRing::of(bench.forge.canary.key.clone()));
        bench
    }

    /// The keys at the start: one of every algorithm, and those that only a lenient target would
    /// use.
    pub(super) fn publish_initial(&self, with_odd: bool) {
        let usual = if self.options.algorithms.is_empty() {
            &Algorithm::DEFAULT[..]
        } else {
            &self.options.algorithms[..]
        };
        let algorithms = if with_odd { &Algorithm::ALL[..] } else { usual };
        let good = algorithms
            .iter()
            .map(|algorithm| Value::from(self.forge.key_of(*algorithm).jwk()));
        let odd = if with_odd {
            self.forge.odd.jwks()
        } else {
            Vec::new()
        };
        *self.published() = good.chain(odd).collect();
        self.publish_current();
    }

    /// One more key in the set.
    pub(super) fn publish(&self, jwk: Value) {
        self.published().push(jwk);
        self.publish_current();
    }

    /// Takes a key out of the set.
    pub(super) fn withdraw(&self, kid: &str) {
        self.published().retain(|jwk| jwk["kid"] != kid);
        self.publish_current();
    }

    /// The key endpoint behaves, and answers with the set.
    pub(super) fn publish_current(&self) {
        let was_broken = self.broken.load(Ordering::SeqCst);
        self.break_with(Faults::default());
        self.broken.store(false, Ordering::SeqCst);
        if was_broken {
            // The last attempt may have ended only now, and a cooldown begins where an attempt
            // ends.
            self.watch.lock().unwrap_or_else(PoisonError::into_inner).at = Instant::now();
        }
    }

    /// The key endpoint misbehaves; where the fault says nothing about the body, the set is as it
    /// was.
    pub(super) fn break_with(&self, faults: Faults) {
        self.broken.store(true, Ordering::SeqCst);
        let set = json!({ "keys": *self.published() }).to_string();
        if !faults.hang {
            self.idp.release();
        }
        self.idp.set_faults(Faults {
            body: Some(faults.body.unwrap_or(set)),
            ..faults
        });
    }

    pub(super) fn remember_turned(&self, key: KeyPair, token: String) {
        self.turning().key = Some((key, token));
    }

    /// The key of the first rotation, with a token of it that was accepted.
    pub(super) fn turned(&self) -> Option<(KeyPair, String)> {
        self.turning().key.clone()
    }

    /// This key is accepted, which came when the first one went.
    pub(super) fn remember_latest(&self, key: KeyPair) {
        let mut turned = self.turning();
        (turned.latest, turned.removed) = (Some(key), true);
    }

    pub(super) fn has_seen_removal(&self) -> bool {
        self.turning().removed
    }

    pub(super) fn remember_removal(&self) {
        self.turning().removed = true;
    }

    pub(super) fn latest(&self) -> Option<KeyPair> {
        self.turning().latest.clone()
    }

    pub(super) fn remember_weak(&self, kid: String) {
        self.turning().weak = Some(kid);
    }

    pub(super) fn weak_kid(&self) -> Option<String> {
        self.turning().weak.clone()
    }

    /// Takes the members out of the set that are no keys.
    pub(super) fn withdraw_unreadable(&self) {
        self.published()
            .retain(|jwk| jwk.get("x-unreadable").is_none());
        self.publish_current();
    }

    fn turning(&self) -> MutexGuard<'_, RotationState> {
        self.turned.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn published(&self) -> MutexGuard<'_, Vec<Value>> {
        self.published
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends a token.
    pub(super) async fn send(&self, token: &str) -> Result<Answer, NoAnswer> {
        self.ask(&Request::bearer(token)).await
    }

    /// Sends a token, and takes a rate limit for the answer.
    pub(super) async fn try_once(&self, token: &str) -> Result<Answer, NoAnswer> {
        let answer = self
            .target
            .send_within(&Request::bearer(token), self.options.request_timeout)
            .await;
        self.look();
        answer
    }

    /// Sends a request, and looks whether the target has asked for keys.
    pub(super) async fn ask(&self, request: &Request) -> Result<Answer, NoAnswer> {
        let answer = self.target.send(request).await;
        self.look();
        answer
    }

    /// How often the target has asked for keys.
    pub(super) fn fetches(&self) -> usize {
        self.look();
        self.idp.fetches()
    }

    fn look(&self) {
        let mut watch = self.watch.lock().unwrap_or_else(PoisonError::into_inner);
        let fetches = self.idp.fetches();
        if fetches != watch.fetches {
            *watch = FetchWatch {
                fetches,
                at: Instant::now(),
            };
            self.never_asks.store(false, Ordering::SeqCst);
        }
    }

    /// The cases begin.
    pub(super) fn note_ready(&self) {
        let _ = self.asked_to_be_ready.set(self.fetches());
    }

    /// A new key was refused; where the target has asked for keys in this run, and not since then,
    /// it may limit how often.
    pub(super) fn refused_new_key(&self, stop: StepError, fetches_before: usize) -> StepError {
        let asks = self
            .asked_to_be_ready
            .get()
            .is_some_and(|ready| fetches_before > *ready);
        match stop {
            StepError::Found(finding)
                if asks && self.fetches() == fetches_before && self.options.cooldown <= MINUTE =>
            {
                let got = format!(
                    "{}; it asked for no keys meanwhile, though it has before: where it limits that by the minute, as jwks-rsa does \
                     (jwksRequestsPerMinute), run this with --cooldown 61s",
                    finding.got
                );
                StepError::Found(Finding { got, ..finding })
            }
            stop => stop,
        }
    }

    /// Waits until a cooldown that began with the last fetch, or now at the latest, has ended.
    pub(super) async fn cool_down(&self) {
        tokio::time::sleep(
            self.options
                .cooldown
                .saturating_sub(self.since_last_fetch()),
        )
        .await;
    }

    fn since_last_fetch(&self) -> Duration {
        self.look();
        self.watch
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .at
            .elapsed()
    }

    /// Sends a token whose key is new. Where the target may not ask for keys again so soon, it is
    /// given its cooldown and asked once more, with a token that it has not seen, and again
    /// after another; a refusal then is final.
    async fn send_with_new_key(&self, key: &KeyPair) -> Result<Answer, NoAnswer> {
        let before = self.fetches();
        for _ in 1..ATTEMPTS {
            let answer = self.send(&self.forge.token_by(key.clone()).sign()).await;
            if answer.as_ref().is_ok_and(Answer::is_accepted)
                || self.never_asks.load(Ordering::SeqCst)
            {
                return answer;
            }
            tokio::time::sleep(self.options.cooldown).await;
        }
        let answer = self.send(&self.forge.token_by(key.clone()).sign()).await;
        if self.fetches() == before {
            self.never_asks.store(true, Ordering::SeqCst);
        }
        answer
    }

    /// Fails unless a token whose key is new is accepted, at once or after its cooldown.
    pub(super) async fn must_accept_new(
        &self,
        key: &KeyPair,
        expected: &str,
    ) -> Result<(), StepError> {
        let before = self.fetches();
        accepted(self.send_with_new_key(key).await, expected)
            .map_err(|stop| self.refused_new_key(stop, before))
    }

    /// Makes the target ask for the keys: a good token under a kid that nobody has published, and
    /// once more after a cooldown, unless the target asks by itself meanwhile.
    pub(super) async fn provoke(&self) -> Result<(), StepError> {
        let before = self.fetches();
        let attempts = if self.never_asks.load(Ordering::SeqCst) {
            1
        } else {
            ATTEMPTS
        };
        for attempt in 0..attempts {
            if attempt > 0 && self.asked_within_a_cooldown(before, attempt > 1).await {
                return Ok(());
            }
            let token = self
                .forge
                .token()
                .kid(&uuid::Uuid::new_v4().to_string())
                .sign();
            if let Err(NoAnswer::Down(why)) = self.send(&token).await {
                return Err(StepError::Down(why));
            }
            if self.fetches() > before {
                return Ok(());
            }
        }
        self.never_asks.store(true, Ordering::SeqCst);
        Err(StepError::Cannot(
            "the target does not ask for the keys again, whatever kid a token has, not even after a cooldown".to_owned(),
        ))
    }

    /// Waits until the cooldown that began with the last request for keys has ended, or a whole
    /// one, or the target asks by itself.
    async fn asked_within_a_cooldown(&self, before: usize, whole: bool) -> bool {
        let since = if whole {
            Duration::ZERO
        } else {
            self.since_last_fetch()
        };
        let cooldown = self.options.cooldown.saturating_sub(since);
        let backoff = if self.broken.load(Ordering::SeqCst) {
            self.options.backoff
        } else {
            Duration::ZERO
        };
        let until = Instant::now() + cooldown.max(backoff);
        while self.fetches() == before && Instant::now() < until {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.fetches() > before
    }

    /// Fails unless a good token of this key is accepted within a limit.
    pub(super) async fn must_accept(
        &self,
        key: &KeyPair,
        within: Duration,
        expected: &str,
    ) -> Result<(), StepError> {
        let request = Request::bearer(&self.forge.token_by(key.clone()).sign());
        let answer = self.target.send_within(&request, within).await;
        accepted(answer, expected)
    }
}

/// A failure unless it is 2xx.
pub(super) fn accepted(answer: Result<Answer, NoAnswer>, expected: &str) -> Result<(), StepError> {
    match answer {
        Ok(answer) if answer.is_accepted() => Ok(()),
        answer => Err(unexpected_response(answer, expected)),
    }
}

/// A failure unless it is 401 or 403.
pub(super) fn refused(answer: Result<Answer, NoAnswer>, expected: &str) -> Result<(), StepError> {
    match answer {
        Ok(answer) if matches!(answer.status, 401 | 403) => Ok(()),
        answer => Err(unexpected_response(answer, expected)),
    }
}

/// A failure if it is 2xx: while keys cannot be had, 503 keeps a stranger out as well.
pub(super) fn assert_not_accepted(
    answer: Result<Answer, NoAnswer>,
    expected: &str,
) -> Result<(), StepError> {
    match answer {
        Ok(answer) if (500..600).contains(&answer.status) => Ok(()),
        answer => refused(answer, expected),
    }
}

pub(super) fn found(expected: impl Into<String>, got: impl Into<String>) -> StepError {
    StepError::Found(Finding {
        expected: expected.into(),
        got: got.into(),
        symptom: FailureKind::AsDescribed,
    })
}

/// The finding that an answer, or none, is.
pub(super) fn unexpected_response(answer: Result<Answer, NoAnswer>, expected: &str) -> StepError {
    let symptom = FailureKind::of(&answer);
    match answer {
        Ok(answer) => StepError::Found(Finding {
            expected: expected.to_owned(),
            got: answer.words(),
            symptom,
        }),
        Err(NoAnswer::Down(why)) => StepError::Down(why),
        Err(none) => StepError::Found(Finding {
            expected: expected.to_owned(),
            got: none.words(),
            symptom,
        }),
    }
}
