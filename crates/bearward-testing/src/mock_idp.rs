//! A mock identity provider that serves a JWKS over HTTP.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, mpsc},
    thread,
};

use actix_web::{
    App, HttpServer,
    dev::ServerHandle,
    web::{Data, ServiceConfig},
};
use bearward::{Algorithm, Audiences, Clock, Issuer, KeySource, SystemClock};

use super::{
    clock::TestClock,
    endpoint::{self, JwksEndpoint, RecordedRequest, client_address},
    faults::Faults,
    token::TokenBuilder,
};
use crate::signing::{KeyPair, KeyRing};

/// An identity provider for tests: it serves a JWKS over HTTP on a free loopback port and signs
/// tokens with the keys it publishes.
///
/// The HTTP server runs on its own thread and stops when the value is dropped.
///
/// ```no_run
/// use bearward::Bearward;
/// use bearward_testing::MockIdp;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let idp = MockIdp::start().await;
/// let auth = Bearward::builder().issuer(idp.as_issuer()).build().await?;
///
/// let token = idp.token().sub("user-1").role("admin").sign();
/// assert_eq!(auth.verify(&token).await?.subject(), "user-1");
/// assert!(auth.verify(&idp.token().tampered()).await.is_err());
/// assert!(auth.verify(&idp.token().expired().sign()).await.is_err());
///
/// idp.outage(); // cached keys keep working
/// assert!(auth.verify(&idp.token().sub("user-2").sign()).await.is_ok());
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct MockIdp {
    endpoint: Arc<JwksEndpoint>,
    /// `None` if it is offline.
    address: Option<SocketAddr>,
    clock: Arc<dyn Clock>,
    test_clock: TestClock,
    server: Option<Running>,
}

#[derive(Debug)]
struct Running {
    handle: ServerHandle,
    thread: thread::JoinHandle<()>,
}

impl MockIdp {
    /// Starts on a free loopback port, signs with RS256 and uses the system clock.
    ///
    /// # Panics
    /// If no port can be bound.
    pub async fn start() -> Self {
        Self::start_with(Algorithm::RS256).await
    }

    /// Starts on a free loopback port and signs with `algorithm`.
    ///
    /// # Panics
    /// If no port can be bound.
    #[allow(clippy::unused_async, reason = "a later version may have to wait")]
    pub async fn start_with(algorithm: Algorithm) -> Self {
        Self::bind(
            "127.0.0.1:0".parse().expect("an address"),
            KeyRing::new(algorithm),
        )
        .expect("a free port")
    }

    /// Starts on `address` with the keys of `ring`.
    ///
    /// # Errors
    /// If the address cannot be bound.
    pub fn bind(address: SocketAddr, ring: KeyRing) -> io::Result<Self> {
        Self::bind_with(address, None, ring, endpoint::routes)
    }

    /// Starts on `address` with custom routes and, if given, another base URL than the address.
    ///
    /// # Errors
    /// If the address cannot be bound.
    pub fn bind_with(
        address: SocketAddr,
        base: Option<String>,
        ring: KeyRing,
        routes: impl Fn(&mut ServiceConfig) + Clone + Send + 'static,
    ) -> io::Result<Self> {
        let (started, start_result) = mpsc::channel();
        let thread = thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let listener = match std::net::TcpListener::bind(address)
                    .and_then(|socket| Ok((socket.local_addr()?, socket)))
                {
                    Ok(bound) => bound,
                    Err(error) => return drop(started.send(Err(error))),
                };
                let (address, socket) = listener;
                let base = base.unwrap_or_else(|| format!("http://{}", client_address(address)));
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
                        drop(started.send(Ok((address, endpoint, server.handle()))));
                        drop(server.await);
                    }
                    Err(error) => drop(started.send(Err(error))),
                }
            });
        });
        let (address, endpoint, handle) = start_result.recv().map_err(io::Error::other)??;
        let clock = Arc::new(SystemClock::new());
        Ok(Self {
            endpoint,
            address: Some(address),
            clock,
            test_clock: TestClock::new(),
            server: Some(Running { handle, thread }),
        })
    }

    /// Creates an identity provider without an HTTP server, for tests that need neither rotations nor
    /// outages. It signs with ES256, and [`as_issuer`](Self::as_issuer) contains its keys.
    ///
    /// ```
    /// use bearward::Bearward;
    /// use bearward_testing::MockIdp;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let idp = MockIdp::offline();
    /// let auth = Bearward::builder().issuer(idp.as_issuer()).build().await?;
    /// assert!(auth.verify(&idp.token().sign()).await.is_ok());
    /// # Ok(()) }
    /// ```
    ///
    /// A key that is added or revoked later does not reach a verifier that exists already.
    pub fn offline() -> Self {
        let ring = KeyRing::new(Algorithm::ES256);
        Self {
            endpoint: Arc::new(JwksEndpoint::new("https://mock-idp.test", ring)),
            address: None,
            clock: Arc::new(SystemClock::new()),
            test_clock: TestClock::new(),
            server: None,
        }
    }

    /// Uses the test clock of [`clock`](Self::clock) instead of the system clock.
    #[must_use]
    pub fn with_movable_clock(mut self) -> Self {
        self.clock = Arc::new(self.test_clock.clone());
        self
    }

    /// Returns the test clock; pass it to [`Builder::clock`](bearward::Builder::clock) as well.
    pub fn clock(&self) -> TestClock {
        self.test_clock.clone()
    }

    /// Returns the address that the server listens on.
    ///
    /// # Panics
    /// If the mock is [`offline`](Self::offline).
    pub fn address(&self) -> SocketAddr {
        self.address.expect("an offline MockIdp has no address")
    }

    /// Returns the base URL, `scheme://host:port`.
    pub fn base(&self) -> String {
        self.endpoint.base().to_owned()
    }

    /// Returns the issuer, the `iss` claim of its tokens.
    pub fn issuer(&self) -> String {
        self.endpoint.issuer()
    }

    /// Returns the URL of the JWKS.
    pub fn jwks_url(&self) -> String {
        self.endpoint.jwks_url()
    }

    /// Returns the audience, the `aud` claim of its tokens.
    pub fn audience(&self) -> &'static str {
        "authenticated"
    }

    /// Returns the issuer configuration that makes a verifier trust this IdP. Everything but the keys
    /// has the strict default of [`Issuer::new`], as in production.
    ///
    /// To sign with an algorithm that is not accepted by default, add it with
    /// [`Issuer::algorithms`].
    pub fn as_issuer(&self) -> Issuer {
        Issuer::new(self.issuer(), self.audience())
            .expect("a valid issuer and audience")
            .name("mock")
            .keys(self.key_source())
    }

    /// Takes the place of the application's own issuer: the configuration, including the claim
    /// mapping, is that of production, and the keys are those of this IdP.
    ///
    /// ```
    /// use bearward::{Bearward, ClaimMapping, Issuer, IssuerError};
    /// use bearward_testing::MockIdp;
    /// use serde_json::json;
    ///
    /// /// The issuer of the application, in its normal code.
    /// fn issuer() -> Result<Issuer, IssuerError> {
    ///     let claims = ClaimMapping::default().set("roles", "/realm_access/roles")?;
    ///     Ok(Issuer::new("https://id.example.com/realms/shop", "orders")?.claim_mapping(claims))
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let idp = MockIdp::offline();
    /// let stand_in = idp.stand_in_for(issuer()?);
    /// let auth = Bearward::builder().issuer(stand_in.issuer()).build().await?;
    ///
    /// let token = stand_in.token().claim("realm_access", json!({ "roles": ["admin"] })).sign();
    /// assert!(auth.verify(&token).await?.has_role("admin"));
    /// # Ok(()) }
    /// ```
    ///
    /// # Panics
    /// If the issuer does not accept the algorithm that this IdP signs with.
    pub fn stand_in_for(&self, issuer: Issuer) -> StandIn<'_> {
        let algorithm = self.key().algorithm();
        assert!(
            issuer.accepted_algorithms().contains(&algorithm),
            "the issuer does not accept {algorithm}; start the mock with one of {:?}",
            issuer.accepted_algorithms()
        );
        StandIn { idp: self, issuer }
    }

    fn key_source(&self) -> KeySource {
        if self.address.is_none() {
            return KeySource::Fixed(self.endpoint.ring().jwks().to_string());
        }
        KeySource::Url(self.jwks_url().parse().expect("a valid URL"))
    }

    /// Returns a builder for a token signed with the current key.
    pub fn token(&self) -> TokenBuilder {
        TokenBuilder::new(&self.issuer(), self.key(), self.clock.now())
    }

    /// Returns a builder for a logout token; see [`TokenBuilder::logout`].
    pub fn logout_token(&self) -> TokenBuilder {
        TokenBuilder::logout(&self.issuer(), self.key(), self.clock.now())
    }

    /// Announces back-channel logout in the discovery document. The mock sends no logout tokens.
    pub fn support_back_channel_logout(&self) {
        self.endpoint.support_back_channel_logout();
    }

    /// Returns the current signing key.
    pub fn key(&self) -> KeyPair {
        self.endpoint.ring().current().clone()
    }

    /// Rotates to a new signing key and returns its key id. The previous key stays published.
    pub fn rotate(&self) -> String {
        let algorithm = self.key().algorithm();
        self.rotate_to(algorithm)
    }

    /// Rotates to a new signing key for `algorithm` and returns its key id.
    pub fn rotate_to(&self, algorithm: Algorithm) -> String {
        self.endpoint.ring().rotate(algorithm).kid().to_owned()
    }

    /// Publishes a key that becomes current at the next rotation and returns its key id.
    pub fn add_standby(&self) -> String {
        let algorithm = self.key().algorithm();
        self.endpoint.ring().add_standby(algorithm).kid().to_owned()
    }

    /// Removes a key from the JWKS. Returns `false` if there is no such key.
    pub fn revoke(&self, kid: &str) -> bool {
        self.endpoint.ring().revoke(kid)
    }

    /// Replaces all keys.
    pub fn replace_keys(&self, ring: KeyRing) {
        *self.endpoint.ring() = ring;
    }

    /// Responds to every fetch of the JWKS with 503 and an error page until [`recover`](Self::recover) is called.
    pub fn outage(&self) {
        self.set_faults(Faults::outage());
    }

    /// Sets the faults of the JWKS endpoint.
    pub fn set_faults(&self, faults: Faults) {
        *self.endpoint.faults() = faults;
    }

    /// Clears all faults and releases held responses.
    pub fn recover(&self) {
        self.endpoint.release();
        self.set_faults(Faults::default());
    }

    /// Completes the responses that [`Faults::hang`] holds back.
    pub fn release(&self) {
        self.endpoint.release();
    }

    /// Returns the number of requests for the JWKS, whatever the response was.
    pub fn fetches(&self) -> usize {
        self.endpoint.fetches()
    }

    /// Returns the number of requests for the discovery document.
    pub fn discoveries(&self) -> usize {
        self.endpoint.discoveries()
    }

    /// Returns the requests for the JWKS in order.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.endpoint.requests()
    }
}

/// A [`MockIdp`] in the place of an application's issuer. Created by [`MockIdp::stand_in_for`].
#[derive(Debug)]
pub struct StandIn<'a> {
    idp: &'a MockIdp,
    issuer: Issuer,
}

impl StandIn<'_> {
    /// Returns the application's configuration with the keys of the mock.
    pub fn issuer(&self) -> Issuer {
        self.issuer.clone().keys(self.idp.key_source())
    }

    /// Returns a builder for a token of the application's issuer, signed with the current key. It
    /// has `iss`, `aud`, `sub`, `iat` and `exp`, and no claim that a mapping could find by accident.
    pub fn token(&self) -> TokenBuilder {
        let audience = match self.issuer.accepted_audiences() {
            Audiences::OneOf(audiences) => audiences.first().map(AsRef::as_ref),
            Audiences::Any => None,
        };
        let now = self.idp.clock.now();
        TokenBuilder::with_registered_claims(self.issuer.iss(), audience, self.idp.key(), now)
    }
}

impl Drop for MockIdp {
    fn drop(&mut self) {
        self.endpoint.release();
        if let Some(Running { handle, thread }) = self.server.take() {
            // `stop` sends the command when called; only its acknowledgement is awaited.
            drop(handle.stop(false));
            drop(thread.join());
        }
    }
}
