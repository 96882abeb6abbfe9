//! The scripted network and the test clock.

use std::future::Future;
pub(super) use std::{sync::Arc, time::Duration};

use tokio::sync::{mpsc, oneshot, watch};

use super::super::*;
pub(super) use crate::algorithm::Algorithm;
use crate::clock::{Clock, Sleep, Timestamp};

pub(super) const ISSUER: &str = "https://idp.example";
pub(super) const START: Timestamp = Timestamp::from_unix(1_800_000_000);

/// Returns a duration of whole seconds.
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

pub(super) fn document(body: Vec<u8>) -> Result<FetchResponse, FetchError> {
    Ok(FetchResponse::Document {
        body,
        etag: Some("\"v1\"".to_owned()),
        freshness: Freshness::Unspecified,
        server_time: None,
    })
}

pub(super) fn not_modified() -> Result<FetchResponse, FetchError> {
    Ok(FetchResponse::NotModified {
        freshness: Freshness::Unspecified,
        server_time: Some(START),
    })
}

pub(super) fn connect_error() -> Result<FetchResponse, FetchError> {
    Err(FetchError::new(
        FetchErrorKind::Connect,
        "GET https://idp.example/jwks: could not connect: scripted",
    ))
}

/// A clock that the test advances. Starts at monotonic second 1000 and at [`START`].
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

/// Lets all tasks run until they wait for the test.
pub(super) async fn settle() {
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
}

/// Sends each request to the test.
#[derive(Debug)]
struct ScriptedFetch(mpsc::UnboundedSender<FetchCall>);

/// A fetch that waits for the test's response. Dropping it makes the fetch panic.
#[derive(Debug)]
pub(super) struct FetchCall {
    pub(super) request: FetchRequest,
    response: oneshot::Sender<Result<FetchResponse, FetchError>>,
}

impl Fetch for ScriptedFetch {
    fn fetch(&self, request: FetchRequest) -> FetchFuture {
        let (response, receiver) = oneshot::channel();
        self.0.send(FetchCall { request, response }).unwrap();
        Box::pin(async move { receiver.await.expect("scripted panic") })
    }
}

impl FetchCall {
    pub(super) async fn respond(self, with: Result<FetchResponse, FetchError>) {
        self.response.send(with).expect("the fetch was cancelled");
        settle().await;
    }

    pub(super) fn is_cancelled(&self) -> bool {
        self.response.is_closed()
    }
}

/// A key set with its clock and its network.
pub(super) struct Fixture {
    pub(super) set: KeySet,
    pub(super) clock: Arc<TestClock>,
    pub(super) fetches: mpsc::UnboundedReceiver<FetchCall>,
}

impl Fixture {
    pub(super) fn with_config(
        jwks: RemoteJwks,
        config: &JwksCacheConfig,
        clock: Arc<TestClock>,
    ) -> Self {
        let (sender, fetches) = mpsc::unbounded_channel();
        let set =
            KeySet::remote(jwks, config, clock.clone(), Arc::new(ScriptedFetch(sender))).unwrap();
        Self {
            set,
            clock,
            fetches,
        }
    }

    /// Creates a fixture whose first fetch waits for a response.
    pub(super) fn new() -> Self {
        Self::with_config(
            remote_jwks(),
            &JwksCacheConfig::default(),
            TestClock::start(),
        )
    }

    /// Creates a fixture whose first fetch returned these keys.
    pub(super) async fn loaded(kids: &[&str]) -> Self {
        let mut fixture = Self::new();
        fixture
            .next_fetch()
            .await
            .respond(document(jwks(kids)))
            .await;
        fixture
    }

    /// Returns the fetch that waits for a response.
    pub(super) async fn next_fetch(&mut self) -> FetchCall {
        settle().await;
        self.fetches.try_recv().expect("expected a fetch")
    }

    pub(super) async fn assert_no_fetch(&mut self) {
        settle().await;
        assert!(self.fetches.try_recv().is_err(), "unexpected fetch");
    }

    pub(super) fn now(&self) -> Duration {
        self.clock.monotonic()
    }

    pub(super) fn request_key(&self, kid: &str) -> UnknownKeyDecision {
        self.set
            .unknown_key(Some(kid), Algorithm::EdDSA, self.now())
    }

    /// Requests a key and waits for it in a separate task.
    pub(super) fn wait_for_key(&self, kid: &str) -> WaitingRequest {
        match self.request_key(kid) {
            UnknownKeyDecision::Wait(pending) => WaitingRequest(tokio::spawn(pending)),
            other => panic!("must wait: {other:?}"),
        }
    }

    pub(super) fn has_key(&self, kid: &str) -> bool {
        let current = self.set.load();
        current.is_usable(self.now()) && has_key(&current, kid)
    }

    pub(super) fn unknown_keys(&self, outcome: &str) -> u64 {
        count(&self.set.status().unknown_keys, outcome)
    }

    pub(super) fn attempts(&self, outcome: &str) -> u64 {
        count(&self.set.status().fetches, outcome)
    }
}

pub(super) fn has_key(snapshot: &Snapshot, kid: &str) -> bool {
    !snapshot.keys().find(Some(kid), Algorithm::EdDSA).is_empty()
}

fn count(counts: &[(&'static str, u64)], outcome: &str) -> u64 {
    counts
        .iter()
        .find(|(name, _)| *name == outcome)
        .expect("known outcome")
        .1
}

pub(super) fn remote_jwks() -> RemoteJwks {
    RemoteJwks {
        name: "corp".to_owned(),
        label: None,
        issuer: ISSUER.to_owned(),
        location: JwksLocation::Url("https://idp.example/jwks".parse().unwrap()),
        algorithms: Algorithm::DEFAULT.to_vec(),
        credentials: FetchCredentials::default(),
    }
}

/// A request that waits for its key.
pub(super) struct WaitingRequest(tokio::task::JoinHandle<Result<Arc<Snapshot>, Unavailable>>);

impl WaitingRequest {
    pub(super) async fn is_waiting(&self) -> bool {
        settle().await;
        !self.0.is_finished()
    }

    /// Cancels the request, as if the client disconnected.
    pub(super) fn cancel(&self) {
        self.0.abort();
    }
}

impl Future for WaitingRequest {
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
