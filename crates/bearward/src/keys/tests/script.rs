//! The scripted network and the movable clock.

use std::{future::Future, sync::Arc, time::Duration};

use tokio::sync::{mpsc, oneshot, watch};

use super::super::*;
use crate::clock::{Clock, Sleep, Timestamp};

pub(super) const ISSUER: &str = "https://idp.example";
pub(super) const START: Timestamp = Timestamp::from_unix(1_800_000_000);

/// Seconds.
pub(super) fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A set of Ed25519 keys (RFC 8037 appendix A.2) under these kids.
pub(super) fn jwks(kids: &[&str]) -> Vec<u8> {
    let key = |kid: &&str| {
        let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
        serde_json::json!({"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": kid, "x": x})
    };
    serde_json::json!({"keys": kids.iter().map(key).collect::<Vec<_>>()})
        .to_string()
        .into_bytes()
}

pub(super) fn document(body: Vec<u8>) -> Result<Fetched, FetchError> {
    Ok(Fetched::Document {
        body,
        etag: Some("\"v1\"".to_owned()),
        lifetime: Freshness::Unspecified,
        server_time: None,
    })
}

pub(super) fn not_modified() -> Result<Fetched, FetchError> {
    Ok(Fetched::NotModified {
        lifetime: Freshness::Unspecified,
        server_time: Some(START),
    })
}

pub(super) fn down() -> Result<Fetched, FetchError> {
    Err(FetchError::new(
        Failure::Connect,
        "GET https://idp.example/jwks could not connect: scripted",
    ))
}

/// Starts at monotonic second 1000 and at [`START`].
#[derive(Debug)]
pub(super) struct TestClock(watch::Sender<Duration>);

impl TestClock {
    pub(super) fn start() -> Arc<Self> {
        Arc::new(Self(watch::Sender::new(s(1000))))
    }

    pub(super) async fn advance(&self, by: Duration) {
        self.0.send_modify(|now| *now += by);
        settle().await;
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        START.plus(self.monotonic()).minus(s(1000))
    }

    fn monotonic(&self) -> Duration {
        *self.0.borrow()
    }

    fn sleep_until(&self, deadline: Duration) -> Sleep {
        let mut time = self.0.subscribe();
        Box::pin(async move {
            if time.wait_for(|now| *now >= deadline).await.is_err() {
                std::future::pending::<()>().await;
            }
        })
    }
}

/// Lets every task run until it waits for the test.
pub(super) async fn settle() {
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
}

#[derive(Debug)]
struct Line(mpsc::UnboundedSender<Call>);

/// One fetch that waits for the test's answer. Dropping it unanswered makes the fetch panic.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) request: FetchRequest,
    answer: oneshot::Sender<Result<Fetched, FetchError>>,
}

impl Fetch for Line {
    fn fetch(&self, request: FetchRequest) -> Fetching {
        let (answer, answered) = oneshot::channel();
        self.0.send(Call { request, answer }).unwrap();
        Box::pin(async move { answered.await.expect("scripted panic") })
    }
}

impl Call {
    pub(super) async fn answer(self, with: Result<Fetched, FetchError>) {
        self.answer.send(with).expect("the fetch was given up");
        settle().await;
    }

    pub(super) fn is_given_up(&self) -> bool {
        self.answer.is_closed()
    }
}

/// A key set, its clock, and the other end of its line.
pub(super) struct World {
    pub(super) set: KeySet,
    pub(super) clock: Arc<TestClock>,
    pub(super) calls: mpsc::UnboundedReceiver<Call>,
}

impl World {
    pub(super) fn at(keys: RemoteJwks, policy: &JwksCacheConfig, clock: Arc<TestClock>) -> Self {
        let (line, calls) = mpsc::unbounded_channel();
        let set = KeySet::remote(keys, policy, clock.clone(), Arc::new(Line(line))).unwrap();
        Self { set, clock, calls }
    }

    /// Before the first fetch has been answered.
    pub(super) fn start() -> Self {
        Self::at(
            remote_keys(),
            &JwksCacheConfig::default(),
            TestClock::start(),
        )
    }

    /// After the first fetch has brought these keys.
    pub(super) async fn with(kids: &[&str]) -> Self {
        let mut world = Self::start();
        world.call().await.answer(document(jwks(kids))).await;
        world
    }

    /// The fetch that is waiting for an answer.
    pub(super) async fn call(&mut self) -> Call {
        settle().await;
        self.calls.try_recv().expect("a fetch")
    }

    pub(super) async fn no_call(&mut self) {
        settle().await;
        assert!(self.calls.try_recv().is_err(), "an unexpected fetch");
    }

    pub(super) fn now(&self) -> Duration {
        self.clock.monotonic()
    }

    pub(super) fn ask(&self, kid: &str) -> UnknownKeyDecision {
        self.set
            .unknown_key(Some(kid), Algorithm::EdDSA, self.now())
    }

    /// Asks, and waits in a task of its own.
    pub(super) fn join(&self, kid: &str) -> Waiting {
        match self.ask(kid) {
            UnknownKeyDecision::Join(flight) => Waiting(tokio::spawn(flight)),
            other => panic!("must join: {other:?}"),
        }
    }

    pub(super) fn has(&self, kid: &str) -> bool {
        let current = self.set.current();
        current.serves(self.now()) && has(&current, kid)
    }

    pub(super) fn unknown(&self, outcome: &str) -> u64 {
        count(&self.set.status().unknown_keys, outcome)
    }

    pub(super) fn fetched(&self, outcome: &str) -> u64 {
        count(&self.set.status().fetches, outcome)
    }
}

pub(super) fn has(snapshot: &Snapshot, kid: &str) -> bool {
    matches!(
        snapshot.keys().find(Some(kid), Algorithm::EdDSA),
        KeyLookup::One(_)
    )
}

fn count(counts: &[(&'static str, u64)], outcome: &str) -> u64 {
    counts
        .iter()
        .find(|(name, _)| *name == outcome)
        .expect("a known outcome")
        .1
}

pub(super) fn remote_keys() -> RemoteJwks {
    let jwks_url = Some("https://idp.example/jwks".parse().unwrap());
    RemoteJwks {
        name: "corp".to_owned(),
        issuer: ISSUER.to_owned(),
        jwks_url,
        algorithms: Algorithm::DEFAULT.to_vec(),
    }
}

/// A request that waits.
pub(super) struct Waiting(tokio::task::JoinHandle<Result<Arc<Snapshot>, Unavailable>>);

impl Waiting {
    pub(super) async fn is_waiting(&self) -> bool {
        settle().await;
        !self.0.is_finished()
    }

    /// The client hangs up.
    pub(super) fn hang_up(&self) {
        self.0.abort();
    }
}

impl Future for Waiting {
    type Output = Result<Arc<Snapshot>, Unavailable>;

    fn poll(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Self::Output> {
        std::pin::Pin::new(&mut self.0)
            .poll(context)
            .map(|joined| joined.expect("the request panicked"))
    }
}
