//! An identity provider for tests: a real JWK Set over HTTP on a free port.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{Arc, mpsc},
    thread,
};

use actix_web::{
    App, HttpServer,
    dev::ServerHandle,
    web::{Data, ServiceConfig},
};
use bearward::{Algorithm, Clock, Issuer, KeySource, SystemClock};

use super::{
    clock::TestClock,
    endpoint::{self, JwksEndpoint, RecordedRequest},
    faults::Faults,
    token::TokenBuilder,
};
use crate::signing::{KeyPair, KeyRing};

/// A running identity provider. It answers over HTTP on a thread of its own until it is dropped.
///
/// ```no_run
/// use bearward::Bearward;
/// use bearward_testing::MockIdp;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let idp = MockIdp::start().await;
/// let auth = Bearward::builder().issuer(idp.as_issuer()).build().await?;
///
/// let good = idp.token().sub("user-1").role("admin").sign();
/// assert_eq!(auth.verify(&good).await?.subject(), "user-1");
/// assert!(auth.verify(&idp.token().tampered()).await.is_err());
/// assert!(auth.verify(&idp.token().expired().sign()).await.is_err());
///
/// idp.outage(); // the keys are known: nobody notices
/// assert!(auth.verify(&idp.token().sub("user-2").sign()).await.is_ok());
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct MockIdp {
    endpoint: Arc<JwksEndpoint>,
    address: SocketAddr,
    clock: Arc<dyn Clock>,
    movable: TestClock,
    server: Option<Running>,
}

#[derive(Debug)]
struct Running {
    handle: ServerHandle,
    thread: thread::JoinHandle<()>,
}

impl MockIdp {
    /// Starts on a free port of this machine, signs RS256, and keeps the machine's time.
    ///
    /// # Panics
    /// When no port can be had.
    pub async fn start() -> Self {
        Self::start_with(Algorithm::RS256).await
    }

    /// The same with another algorithm.
    ///
    /// # Panics
    /// When no port can be had.
    #[allow(
        clippy::unused_async,
        reason = "what a later version has to wait for must not change every test"
    )]
    pub async fn start_with(algorithm: Algorithm) -> Self {
        Self::bind(
            "127.0.0.1:0".parse().expect("an address"),
            KeyRing::new(algorithm),
        )
        .expect("a free port")
    }

    /// Starts at a fixed address with these keys.
    ///
    /// # Errors
    /// When nothing can listen there.
    pub fn bind(address: SocketAddr, ring: KeyRing) -> io::Result<Self> {
        Self::bind_with(address, None, ring, endpoint::routes)
    }

    /// The same with other routes beside the endpoint's, and under another base than the address.
    pub fn bind_with(
        address: SocketAddr,
        base: Option<String>,
        ring: KeyRing,
        routes: impl Fn(&mut ServiceConfig) + Clone + Send + 'static,
    ) -> io::Result<Self> {
        let (tell, told) = mpsc::channel();
        let thread = thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let listener = match std::net::TcpListener::bind(address)
                    .and_then(|socket| Ok((socket.local_addr()?, socket)))
                {
                    Ok(bound) => bound,
                    Err(error) => return drop(tell.send(Err(error))),
                };
                let (address, socket) = listener;
                let base = base.unwrap_or_else(|| format!("http://{}", reached_at(address)));
                let endpoint = Arc::new(JwksEndpoint::new(base, ring));
                let data = Data::from(Arc::clone(&endpoint));
                let app = move || App::new().app_data(data.clone()).configure(routes.clone());
                let server = HttpServer::new(app)
                    .workers(1)
                    .disable_signals()
                    .shutdown_timeout(0)
                    .listen(socket);
                match server {
                    Ok(server) => {
                        let server = server.run();
                        drop(tell.send(Ok((address, endpoint, server.handle()))));
                        drop(server.await);
                    }
                    Err(error) => drop(tell.send(Err(error))),
                }
            });
        });
        let (address, endpoint, handle) = told.recv().map_err(io::Error::other)??;
        let clock = Arc::new(SystemClock::new());
        Ok(Self {
            endpoint,
            address,
            clock,
            movable: TestClock::new(),
            server: Some(Running { handle, thread }),
        })
    }

    /// Keeps the time of [`clock`](Self::clock) from now on, which a test moves.
    #[must_use]
    pub fn with_movable_clock(mut self) -> Self {
        self.clock = Arc::new(self.movable.clone());
        self
    }

    /// The clock that tests move; give it to [`Builder::clock`](bearward::Builder::clock) as well.
    pub fn clock(&self) -> TestClock {
        self.movable.clone()
    }

    /// The address that it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `scheme://host:port` as clients write it.
    pub fn base(&self) -> String {
        self.endpoint.base().to_owned()
    }

    /// The `iss` of its tokens.
    pub fn issuer(&self) -> String {
        self.endpoint.issuer()
    }

    /// Where its JWK Set is.
    pub fn jwks_url(&self) -> String {
        self.endpoint.jwks_url()
    }

    /// The `aud` of its tokens.
    pub fn audience(&self) -> &'static str {
        "authenticated"
    }

    /// The profile under which a verifier trusts it: every algorithm that bearward knows, keys from
    /// its address.
    ///
    /// # Panics
    /// Never: its addresses are addresses.
    pub fn as_issuer(&self) -> Issuer {
        let url = self.jwks_url().parse().expect("an address");
        let issuer =
            Issuer::new(self.issuer(), self.audience()).expect("an issuer and an audience");
        issuer
            .name("mock")
            .keys(KeySource::Url(url))
            .algorithms(Algorithm::ALL)
            .expect("algorithms")
    }

    /// A token by the key in use; see [`TokenBuilder`] for what can be changed.
    pub fn token(&self) -> TokenBuilder {
        TokenBuilder::new(&self.issuer(), self.key(), self.clock.now())
    }

    /// The key in use.
    pub fn key(&self) -> KeyPair {
        self.endpoint.ring().current().clone()
    }

    /// A new key signs from now on, the old one stays published. Returns the new kid.
    pub fn rotate(&self) -> String {
        let algorithm = self.key().algorithm();
        self.rotate_to(algorithm)
    }

    /// The same with another algorithm.
    pub fn rotate_to(&self, algorithm: Algorithm) -> String {
        self.endpoint.ring().rotate(algorithm).kid().to_owned()
    }

    /// Publishes a key that signs after the next rotation. Returns its kid.
    pub fn add_standby(&self) -> String {
        let algorithm = self.key().algorithm();
        self.endpoint.ring().add_standby(algorithm).kid().to_owned()
    }

    /// Withdraws a key. `false` when there is no such key.
    pub fn revoke(&self, kid: &str) -> bool {
        self.endpoint.ring().revoke(kid)
    }

    /// Puts these keys in place of all others.
    pub fn replace_keys(&self, ring: KeyRing) {
        *self.endpoint.ring() = ring;
    }

    /// From now on every fetch is answered with 503, until [`recover`](Self::recover).
    pub fn outage(&self) {
        self.set_faults(Faults::outage());
    }

    /// From now on the key endpoint misbehaves so.
    pub fn set_faults(&self, faults: Faults) {
        *self.endpoint.faults() = faults;
    }

    /// All is well again.
    pub fn recover(&self) {
        self.endpoint.release();
        self.set_faults(Faults::default());
    }

    /// Lets everybody go whom [`Faults::hang`] holds.
    pub fn release(&self) {
        self.endpoint.release();
    }

    /// How often the key set was asked for, whatever the answer.
    pub fn fetches(&self) -> usize {
        self.endpoint.fetches()
    }

    /// How often the discovery document was asked for.
    pub fn discoveries(&self) -> usize {
        self.endpoint.discoveries()
    }

    /// The requests for the key set, in their order.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.endpoint.requests()
    }
}

/// Whoever listens on every address is reached on this machine's own.
fn reached_at(address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => (Ipv4Addr::LOCALHOST, address.port()).into(),
        IpAddr::V6(ip) if ip.is_unspecified() => (Ipv6Addr::LOCALHOST, address.port()).into(),
        _ => address,
    }
}

impl Drop for MockIdp {
    fn drop(&mut self) {
        self.endpoint.release();
        if let Some(Running { handle, thread }) = self.server.take() {
            // `stop` sends its command when it is called; only its acknowledgement would have to be
            // awaited.
            drop(handle.stop(false));
            drop(thread.join());
        }
    }
}
