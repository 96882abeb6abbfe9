//! The application under test: an identity provider, a verifier, and routes.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use actix_web::web::{self, ServiceConfig};
use bearward::{
    Algorithm, Bearward, Builder, Clock, Issuer, KeySource, MaybePrincipal, Principal, Sleep,
    SystemClock, Timestamp,
};
use bearward_testing::{KeyRing, MockIdp, TokenBuilder};

use crate::test_server::TestServer;

/// An identity provider and a verifier that trusts it.
pub struct TestApp {
    pub idp: MockIdp,
    pub auth: Bearward,
}

impl TestApp {
    /// Starts an application with the default configuration, after the first fetch.
    pub async fn start() -> Self {
        Self::start_with(|builder| builder).await
    }

    /// Changes the configuration of the verifier. Waits for the first fetch.
    pub async fn start_with(change: impl FnOnce(Builder) -> Builder) -> Self {
        let idp = MockIdp::start_with(Algorithm::ES256).await;
        let test_app = Self::start_cold(idp, change).await;
        test_app.auth.wait_for_initial_fetch().await;
        test_app
    }

    /// Uses `idp` and does not wait for the first fetch.
    pub async fn start_cold(idp: MockIdp, change: impl FnOnce(Builder) -> Builder) -> Self {
        let auth = change(Bearward::builder().issuer(idp.as_issuer()))
            .build()
            .await
            .unwrap();
        Self { idp, auth }
    }

    pub fn token(&self) -> TokenBuilder {
        self.idp.token()
    }

    pub fn valid_token(&self) -> String {
        self.token().sub("ada").sign()
    }

    /// Serves `/me` and `/maybe` for every method, and the routes of `more`.
    pub fn serve(&self, more: impl Fn(&mut ServiceConfig) + Clone + Send + 'static) -> TestServer {
        let auth = self.auth.clone();
        TestServer::start(move |config| {
            config
                .app_data(auth.clone())
                .route("/me", web::route().to(me))
                .route("/maybe", web::route().to(maybe))
                .configure(&more);
        })
    }

    pub fn serve_default(&self) -> TestServer {
        self.serve(|_| {})
    }
}

pub async fn me(user: Principal) -> String {
    user.subject().to_owned()
}

pub async fn maybe(user: MaybePrincipal) -> String {
    user.as_ref()
        .map_or("anonymous", |user| user.subject())
        .to_owned()
}

/// Counts reads of the wall clock, which happen once per verification.
#[derive(Debug, Default)]
pub struct CountingClock {
    system: SystemClock,
    reads: AtomicUsize,
}

impl CountingClock {
    pub fn reads(&self) -> usize {
        self.reads.load(Ordering::SeqCst)
    }
}

impl Clock for CountingClock {
    fn now(&self) -> Timestamp {
        self.reads.fetch_add(1, Ordering::SeqCst);
        self.system.now()
    }

    fn monotonic(&self) -> Duration {
        self.system.monotonic()
    }

    fn sleep_until(&self, deadline: Duration) -> Sleep {
        self.system.sleep_until(deadline)
    }
}

/// Returns a verifier with fixed keys and without a token cache, the clock that counts its
/// verifications, and a builder for its tokens.
pub async fn counting_verifier() -> (Bearward, Arc<CountingClock>, TokenBuilder) {
    let ring = KeyRing::new(Algorithm::ES256);
    let clock = Arc::new(CountingClock::default());
    let issuer = Issuer::new("https://id.example.com", "authenticated")
        .unwrap()
        .keys(KeySource::Fixed(ring.jwks().to_string()));
    let auth = Bearward::builder()
        .issuer(issuer)
        .clock(clock.clone())
        .token_cache(0)
        .build()
        .await
        .unwrap();
    let token = TokenBuilder::new(
        "https://id.example.com",
        ring.current().clone(),
        SystemClock::new().now(),
    );
    (auth, clock, token)
}
