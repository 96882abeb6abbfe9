//! The application under test: an identity provider, a verifier that knows its keys, and routes of
//! every shape.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use actix_web::web::{self, ServiceConfig};
use {
    Algorithm, Bearward, Builder, Clock, Issuer, KeySource, MaybePrincipal, Principal, Sleep,
    SystemClock, Timestamp,
};
use bearward_testing::{KeyRing, MockIdp, TokenBuilder};

use crate::wire::Server;

/// An identity provider, and a verifier that has its keys.
pub struct World {
    pub idp: MockIdp,
    pub auth: Bearward,
}

/// A verifier as `change` wants it, with its keys fetched.
pub async fn world_with(change: impl FnOnce(Builder) -> Builder) -> World {
    let world = cold_world_with(change).await;
    world.auth.wait_for_initial_fetch().await;
    world
}

pub async fn world() -> World {
    world_with(|builder| builder).await
}

/// The same, but whether its keys are there yet is not known.
pub async fn cold_world_with(change: impl FnOnce(Builder) -> Builder) -> World {
    cold_world_of(MockIdp::start_with(Algorithm::ES256).await, change).await
}

pub async fn cold_world_of(idp: MockIdp, change: impl FnOnce(Builder) -> Builder) -> World {
    let auth = change(Bearward::builder().issuer(idp.as_issuer()))
        .build()
        .await
        .unwrap();
    World { idp, auth }
}

impl World {
    pub fn token(&self) -> TokenBuilder {
        self.idp.token()
    }

    pub fn good(&self) -> String {
        self.token().sub("ada").sign()
    }

    /// Serves `/me` and `/maybe` for every method, and what `more` adds.
    pub fn serve(&self, more: impl Fn(&mut ServiceConfig) + Clone + Send + 'static) -> Server {
        let auth = self.auth.clone();
        Server::start(move |config| {
            config
                .app_data(auth.clone())
                .route("/me", web::route().to(me))
                .route("/maybe", web::route().to(maybe))
                .configure(&more);
        })
    }

    pub fn plain(&self) -> Server {
        self.serve(|_| {})
    }
}

pub async fn me(user: Principal) -> String {
    user.subject().to_owned()
}

pub async fn maybe(user: MaybePrincipal) -> String {
    user.as_ref()
        .map_or("nobody", |user| user.subject())
        .to_owned()
}

/// Counts how often the time of day is asked for: once for each verification.
#[derive(Debug, Default)]
pub struct CountingClock {
    machine: SystemClock,
    asked: AtomicUsize,
}

impl CountingClock {
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl Clock for CountingClock {
    fn now(&self) -> Timestamp {
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.machine.now()
    }

    fn monotonic(&self) -> Duration {
        self.machine.monotonic()
    }

    fn sleep_until(&self, deadline: Duration) -> Sleep {
        self.machine.sleep_until(deadline)
    }
}

/// A verifier without a network and without a token cache, whose verifications are counted, and its
/// tokens.
pub async fn counted() -> (Bearward, Arc<CountingClock>, TokenBuilder) {
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
