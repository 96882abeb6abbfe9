//! The environment that the cases of a run share: the mock IdP, the canary host, the target, and
//! common steps.

use std::{
    any::{Any, TypeId},
    collections::HashMap,
    net::{Ipv4Addr, TcpListener},
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use bearward::Algorithm;
use bearward_testing::{
    Faults, MockIdp,
    endpoint::{self, client_address},
    signing::{KeyPair, KeyRing},
};
use serde_json::{Value, json};

use super::{
    client_certificate::ClientCertificates,
    error::StepError,
    finding::{Failure, FailureKind},
    forge::{Canary, Forge},
    front::{Connections, Front},
    options::Options,
    target::{Request, RequestError, Response, Target},
};

/// The environment of a run.
pub(super) struct Harness {
    pub(super) forge: Forge,
    pub(super) idp: MockIdp,
    front: Front,
    pub(super) canary: MockIdp,
    pub(super) target: Target,
    pub(super) options: Options,
    published: Mutex<Vec<Value>>,
    /// Whether the key endpoint currently fails. A target may then back off.
    has_faults: AtomicBool,
    fetch_watch: Mutex<FetchWatch>,
    /// The number of fetches when the target became ready.
    fetches_when_ready: OnceLock<usize>,
    /// Set once the target is known to fetch the keys only once, so that later cases do not wait.
    never_refetches: AtomicBool,
    /// The case that is running, and the one that reported that the target does not fetch the keys
    /// again.
    current_case: Mutex<&'static str>,
    reported_no_refetch: Mutex<Option<&'static str>>,
    /// State that the cases of a group share, by its type.
    group_states: Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>,
}

/// The fetches that were observed.
struct FetchWatch {
    fetches: usize,
    at: Instant,
    /// How long after the last fetch an unknown key did not cause another one.
    refused_after: Duration,
    /// The longest interval between two fetches of which the second one was refused before.
    interval: Option<Duration>,
}

/// How often a fetch is attempted, one cooldown apart. With the default cooldown this exceeds one
/// minute, the window of some rate limits.
const ATTEMPTS: usize = 3;

/// The window of rate limits that count per minute.
const MINUTE: Duration = Duration::from_secs(60);

/// The longest cooldown that is waited for without being asked to.
const MAX_DETECTED_COOLDOWN: Duration = Duration::from_secs(90);

/// The mock IdP and the canary host, before the target is known.
pub(super) struct Fixture {
    pub(super) forge: Forge,
    pub(super) idp: MockIdp,
    front: Front,
    pub(super) canary: MockIdp,
}

impl Fixture {
    /// Starts listening.
    pub(super) fn open(
        options: &Options,
        certificates: ClientCertificates,
    ) -> std::io::Result<Self> {
        let ring = || KeyRing::with_key(KeyPair::cached(Algorithm::RS256, 0));
        let listener = TcpListener::bind(options.issuer_bind)?;
        let address = client_address(listener.local_addr()?);
        let base = options
            .issuer_base
            .clone()
            .unwrap_or_else(|| format!("http://{address}"));
        let upstream = (Ipv4Addr::LOCALHOST, 0).into();
        let idp = MockIdp::bind_with(upstream, Some(base), ring(), endpoint::routes)?;
        let front = Front::start(listener, idp.address())?;
        let mut canary_address = options.issuer_bind;
        canary_address.set_port(0);
        let key = KeyPair::cached(Algorithm::RS256, 1);
        let canary = MockIdp::bind(canary_address, KeyRing::with_key(key.clone()))?;
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
            certificates,
        );
        Ok(Self {
            forge,
            idp,
            front,
            canary,
        })
    }
}

impl Harness {
    pub(super) fn new(fixture: Fixture, target: Target, options: Options) -> Self {
        let Fixture {
            forge,
            idp,
            front,
            canary,
        } = fixture;
        let fetch_watch = Mutex::new(FetchWatch {
            fetches: 0,
            at: Instant::now(),
            refused_after: Duration::ZERO,
            interval: None,
        });
        let harness = Self {
            forge,
            idp,
            front,
            canary,
            target,
            options,
            published: Mutex::default(),
            has_faults: AtomicBool::new(false),
            fetch_watch,
            fetches_when_ready: OnceLock::new(),
            never_refetches: AtomicBool::new(false),
            current_case: Mutex::default(),
            reported_no_refetch: Mutex::default(),
            group_states: Mutex::default(),
        };
        harness.forge.set_target_url(harness.target.url());
        harness.publish_initial(true);
        // Only the canary host publishes the attacker's key, so only a target that fetches keys
        // from the wrong host accepts it.
        harness
            .canary
            .replace_keys(KeyRing::with_key(harness.forge.canary.key.clone()));
        harness
    }

    /// Returns the state that the cases of a group share. The first call creates it.
    pub(super) fn group_state<T: Any + Default + Send + Sync>(&self) -> Arc<T> {
        let mut states = lock(&self.group_states);
        let state = states
            .entry(TypeId::of::<T>())
            .or_insert_with(|| Arc::new(T::default()));
        Arc::clone(state).downcast().unwrap_or_default()
    }

    /// Publishes the initial keys: one per algorithm and, with `with_unusual`, keys that a strict
    /// target ignores.
    pub(super) fn publish_initial(&self, with_unusual: bool) {
        let usual = if self.options.algorithms.is_empty() {
            Algorithm::DEFAULT
        } else {
            &self.options.algorithms[..]
        };
        let algorithms = if with_unusual { Algorithm::ALL } else { usual };
        let keys = algorithms
            .iter()
            .map(|algorithm| {
                self.options
                    .profile
                    .shape_key(self.forge.key_for(*algorithm).jwk())
            })
            .map(Value::from);
        let unusual = if with_unusual {
            self.forge.unusual.jwks()
        } else {
            Vec::new()
        };
        *self.published() = keys.chain(unusual).collect();
        self.publish_current();
    }

    /// Adds a key to the published set.
    pub(super) fn publish(&self, jwk: Value) {
        self.published().push(jwk);
        self.publish_current();
    }

    /// Removes a key from the published set.
    pub(super) fn withdraw(&self, kid: &str) {
        self.withdraw_where(|jwk| jwk["kid"] == kid);
    }

    /// Removes all members of the published set that match.
    pub(super) fn withdraw_where(&self, matches: impl Fn(&Value) -> bool) {
        self.published().retain(|jwk| !matches(jwk));
        self.publish_current();
    }

    /// Publishes the current set and ends all faults.
    pub(super) fn publish_current(&self) {
        let had_faults = self.has_faults.load(Ordering::SeqCst);
        self.inject_faults(Faults::default());
        self.has_faults.store(false, Ordering::SeqCst);
        if had_faults {
            // A cooldown starts at the end of an attempt, and the last one may have ended just now.
            self.watch().at = Instant::now();
        }
    }

    /// Makes the key endpoint fail. A fault without a body serves the current set.
    pub(super) fn inject_faults(&self, faults: Faults) {
        self.has_faults.store(true, Ordering::SeqCst);
        let set = json!({ "keys": *self.published() }).to_string();
        if !faults.hang {
            self.idp.release();
        }
        self.idp.set_faults(Faults {
            body: Some(faults.body.unwrap_or(set)),
            ..faults
        });
    }

    /// Refuses or resets the connections of the target to the issuer, or ends that.
    pub(super) async fn set_connections(&self, connections: Connections) {
        if connections != Connections::Forward {
            self.has_faults.store(true, Ordering::SeqCst);
        }
        self.front.set(connections).await;
        if connections == Connections::Forward {
            self.publish_current();
        }
    }

    fn published(&self) -> MutexGuard<'_, Vec<Value>> {
        lock(&self.published)
    }

    fn watch(&self) -> MutexGuard<'_, FetchWatch> {
        lock(&self.fetch_watch)
    }

    /// Sends a token.
    pub(super) async fn send_token(&self, token: &str) -> Result<Response, RequestError> {
        self.send_request(&Request::bearer(token)).await
    }

    /// Sends a token and returns 429 as it is.
    pub(super) async fn send_token_once(&self, token: &str) -> Result<Response, RequestError> {
        let response = self
            .target
            .send_within(&Request::bearer(token), self.options.request_timeout)
            .await;
        self.poll_fetches();
        response
    }

    /// Sends a request.
    pub(super) async fn send_request(&self, request: &Request) -> Result<Response, RequestError> {
        let response = self.target.send(request).await;
        self.poll_fetches();
        let nonce = response.as_ref().ok().and_then(|response| {
            let nonce = response.headers.get("dpop-nonce")?;
            nonce.to_str().ok()
        });
        if let Some(nonce) = nonce {
            self.forge.set_dpop_nonce(nonce);
        }
        response
    }

    /// Returns how often the target has tried to fetch the keys. A refused connection is not
    /// counted, because it cannot be observed.
    pub(super) fn fetches(&self) -> usize {
        self.poll_fetches();
        self.idp.fetches() + self.front.resets()
    }

    fn poll_fetches(&self) {
        let mut watch = self.watch();
        let fetches = self.idp.fetches() + self.front.resets();
        if fetches != watch.fetches {
            let interval = watch.at.elapsed();
            if watch.refused_after > Duration::ZERO {
                watch.interval = watch.interval.max(Some(interval));
            }
            watch.fetches = fetches;
            watch.at = Instant::now();
            watch.refused_after = Duration::ZERO;
            self.never_refetches.store(false, Ordering::SeqCst);
        }
    }

    /// Records that the target is ready and the cases start.
    pub(super) fn record_ready(&self) {
        let _ = self.fetches_when_ready.set(self.fetches());
    }

    /// Records the case that is running.
    pub(super) fn start_case(&self, id: &'static str) {
        *lock(&self.current_case) = id;
    }

    /// Explains the rejection of a new key: if the target has not fetched the keys since
    /// `fetches_before`, that is the cause. It has the same cause in every case, so only the first
    /// one fails, and the others do not apply.
    pub(super) fn explain_rejected_new_key(
        &self,
        error: StepError,
        fetches_before: usize,
    ) -> StepError {
        let StepError::Failed(failure) = error else {
            return error;
        };
        if self.fetches() > fetches_before {
            return StepError::Failed(failure);
        }
        let case = *lock(&self.current_case);
        if let Some(reporter) = *lock(&self.reported_no_refetch) {
            return StepError::NotApplicable(format!(
                "the target does not fetch the keys again, as {reporter} reports"
            ));
        }
        *lock(&self.reported_no_refetch) = Some(case);
        let quiet = self.since_last_fetch();
        let has_refetched = self
            .fetches_when_ready
            .get()
            .is_some_and(|ready| fetches_before > *ready);
        let (advice, kind) = rejected_new_key_advice(quiet, has_refetched, self.watch().interval);
        StepError::Failed(Failure {
            got: format!(
                "{}; the target did not fetch the keys during this case, for {} s since its last fetch{advice}",
                failure.got,
                quiet.as_secs()
            ),
            kind,
            ..failure
        })
    }

    /// Returns how long to wait until the target fetches the keys again: the configured time, or a
    /// longer interval at which the target was observed to fetch them.
    pub(super) fn cooldown(&self) -> Duration {
        let configured = self.options.cooldown;
        let observed = self.watch().interval.filter(|at| *at > configured);
        observed
            .map(|interval| interval + interval / 10)
            .filter(|detected| *detected <= MAX_DETECTED_COOLDOWN)
            .unwrap_or(configured)
    }

    /// Records that an unknown key did not cause a fetch.
    fn record_refusal(&self) {
        let mut watch = self.watch();
        watch.refused_after = watch.refused_after.max(watch.at.elapsed());
    }

    /// Waits until a cooldown that started with the last fetch has passed.
    pub(super) async fn wait_for_cooldown(&self) {
        tokio::time::sleep(self.cooldown().saturating_sub(self.since_last_fetch())).await;
    }

    fn since_last_fetch(&self) -> Duration {
        self.poll_fetches();
        self.watch().at.elapsed()
    }

    /// Sends a token signed with a new key. After a rejection, waits for the cooldown and tries
    /// again with another token, up to twice.
    async fn send_with_new_key(&self, key: &KeyPair) -> Result<Response, RequestError> {
        let token = || self.forge.token_signed_by(key.clone()).sign();
        for _ in 1..ATTEMPTS {
            let response = self.send_token(&token()).await;
            if response.as_ref().is_ok_and(Response::is_accepted)
                || self.never_refetches.load(Ordering::SeqCst)
            {
                return response;
            }
            tokio::time::sleep(self.cooldown()).await;
        }
        self.send_token(&token()).await
    }

    /// Requires that a token signed with another key under a known `kid` is accepted, immediately or
    /// after the cooldown.
    pub(super) async fn expect_replaced_key_accepted(
        &self,
        key: &KeyPair,
        expected: &str,
    ) -> Result<(), StepError> {
        expect_accepted(self.send_with_new_key(key).await, expected)
    }

    /// Requires that a token signed with a new key is accepted, immediately or after the cooldown.
    pub(super) async fn expect_new_key_accepted(
        &self,
        key: &KeyPair,
        expected: &str,
    ) -> Result<(), StepError> {
        let before = self.fetches();
        let response = self.send_with_new_key(key).await;
        if self.fetches() == before && !response.as_ref().is_ok_and(Response::is_accepted) {
            self.record_refusal();
            self.never_refetches.store(true, Ordering::SeqCst);
        }
        expect_accepted(response, expected)
            .map_err(|error| self.explain_rejected_new_key(error, before))
    }

    /// Makes the target fetch the keys by sending a token with an unknown `kid`; repeated after a
    /// cooldown unless the target fetches on its own.
    pub(super) async fn trigger_refresh(&self) -> Result<(), StepError> {
        let before = self.fetches();
        let attempts = if self.never_refetches.load(Ordering::SeqCst) {
            1
        } else {
            ATTEMPTS
        };
        for attempt in 0..attempts {
            if attempt > 0 && self.fetches_within_cooldown(before, attempt > 1).await {
                return Ok(());
            }
            self.send_unknown_key().await?;
            if self.fetches() > before {
                return Ok(());
            }
            self.record_refusal();
        }
        self.never_refetches.store(true, Ordering::SeqCst);
        let quiet = self.since_last_fetch();
        let (advice, _) = rejected_new_key_advice(quiet, false, self.watch().interval);
        Err(StepError::NotApplicable(format!(
            "an unknown kid did not cause a fetch, not even {} s after the last one{advice}",
            quiet.as_secs()
        )))
    }

    /// Sends a token with an unknown `kid`.
    pub(super) async fn send_unknown_key(&self) -> Result<(), StepError> {
        let kid = uuid::Uuid::new_v4().to_string();
        match self.send_token(&self.forge.token().kid(&kid).sign()).await {
            Err(RequestError::Connect(error)) => Err(StepError::Connect(error)),
            _ => Ok(()),
        }
    }

    /// Waits for the rest of the cooldown since the last fetch, or for a whole one, and returns
    /// whether the target fetched the keys meanwhile.
    async fn fetches_within_cooldown(&self, before: usize, whole: bool) -> bool {
        let since = if whole {
            Duration::ZERO
        } else {
            self.since_last_fetch()
        };
        let cooldown = self.cooldown().saturating_sub(since);
        let backoff = if self.has_faults.load(Ordering::SeqCst) {
            self.options.backoff
        } else {
            Duration::ZERO
        };
        let deadline = Instant::now() + cooldown.max(backoff);
        while self.fetches() == before && Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.fetches() > before
    }

    /// Requires that a valid token signed with this key is accepted within the time limit.
    pub(super) async fn expect_accepted_within(
        &self,
        key: &KeyPair,
        timeout: Duration,
        expected: &str,
    ) -> Result<(), StepError> {
        let request = Request::bearer(&self.forge.token_signed_by(key.clone()).sign());
        let response = self.target.send_within(&request, timeout).await;
        expect_accepted(response, expected)
    }
}

/// The longest intervals between fetches in common software: Envoy and keyfunc, then
/// jwt-authorizer.
const COMMON_INTERVALS: [(Duration, &str); 2] = [
    (
        Duration::from_secs(301),
        "--cooldown 301s (Envoy `cache_duration` and keyfunc: 5 minutes)",
    ),
    (
        Duration::from_secs(605),
        "--cooldown 605s (jwt-authorizer: 10 minutes)",
    ),
];

/// Returns which value of `--cooldown` finds out more, and the kind of the failure.
///
/// A target that has not fetched the keys for longer than the longest common interval never does.
/// Before that, it is only known that new keys are rejected for some time.
fn rejected_new_key_advice(
    quiet: Duration,
    has_refetched: bool,
    observed: Option<Duration>,
) -> (String, FailureKind) {
    if let Some(interval) = observed.filter(|interval| *interval > quiet) {
        let seconds = interval.as_secs() + interval.as_secs() / 20 + 1;
        return (
            format!(
                ", but did so after {} s before: run the suite again with --cooldown {seconds}s",
                interval.as_secs()
            ),
            FailureKind::Delayed,
        );
    }
    if has_refetched && quiet <= MINUTE {
        let advice = ", but did before: if it limits fetches per minute, as jwks-rsa does (`jwksRequestsPerMinute`), run the suite again with \
                      --cooldown 61s";
        return (advice.to_owned(), FailureKind::Delayed);
    }
    match COMMON_INTERVALS
        .iter()
        .find(|(interval, _)| quiet < *interval)
    {
        Some((_, option)) => (
            format!(
                ": it fetches them at long intervals or never. To find out, run the suite again with {option}"
            ),
            FailureKind::Delayed,
        ),
        None => (
            ": a new key is unknown until the target is restarted".to_owned(),
            FailureKind::AsDescribed,
        ),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Requires a 2xx response.
pub(super) fn expect_accepted(
    response: Result<Response, RequestError>,
    expected: &str,
) -> Result<(), StepError> {
    match response {
        Ok(response) if response.is_accepted() => Ok(()),
        response => Err(unexpected_response(response, expected)),
    }
}

/// Requires 401 or 403.
pub(super) fn expect_rejected(
    response: Result<Response, RequestError>,
    expected: &str,
) -> Result<(), StepError> {
    match response {
        Ok(response) if matches!(response.status, 401 | 403) => Ok(()),
        response => Err(unexpected_response(response, expected)),
    }
}

/// Requires 400, 401 or 403.
pub(super) fn expect_proof_rejected(
    response: Result<Response, RequestError>,
    expected: &str,
) -> Result<(), StepError> {
    match response {
        Ok(response) if response.status == 400 => Ok(()),
        response => expect_rejected(response, expected),
    }
}

/// Requires 401 or 403, or 503 with `Retry-After` if the target cannot look up the key.
pub(super) fn expect_unknown_key_rejected(
    response: Result<Response, RequestError>,
    expected: &str,
) -> Result<(), StepError> {
    match response {
        Ok(response) if response.is_key_unavailable() => Ok(()),
        response => expect_rejected(response, expected),
    }
}

/// Requires 401, 403 or 5xx: if keys are unavailable, 503 also denies access.
pub(super) fn assert_not_accepted(
    response: Result<Response, RequestError>,
    expected: &str,
) -> Result<(), StepError> {
    match response {
        Ok(response) if (500..600).contains(&response.status) => Ok(()),
        response => expect_rejected(response, expected),
    }
}

/// Returns a number of fetches in words.
pub(super) fn describe_fetches(fetches: usize) -> String {
    match fetches {
        1 => "1 fetch".to_owned(),
        fetches => format!("{fetches} fetches"),
    }
}

/// Returns a number of requests in words.
pub(super) fn describe_requests(requests: usize) -> String {
    match requests {
        1 => "1 request".to_owned(),
        requests => format!("{requests} requests"),
    }
}

/// Creates the failure of a case whose target did what the case describes.
pub(super) fn failure(expected: impl Into<String>, got: impl Into<String>) -> StepError {
    StepError::Failed(Failure {
        expected: expected.into(),
        got: got.into(),
        kind: FailureKind::AsDescribed,
    })
}

/// Creates the failure for an unexpected response.
pub(super) fn unexpected_response(
    response: Result<Response, RequestError>,
    expected: &str,
) -> StepError {
    let kind = FailureKind::from_response(&response);
    let got = match response {
        Ok(response) => response.describe(),
        Err(RequestError::Connect(error)) => return StepError::Connect(error),
        Err(error) => error.describe(),
    };
    StepError::Failed(Failure {
        expected: expected.to_owned(),
        got,
        kind,
    })
}
