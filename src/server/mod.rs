//! Builds the server from a configuration: listeners, verifier, shared state and middleware.

mod connection;
mod connections;
mod descriptors;
mod listener;
pub(crate) mod middleware;
mod shutdown;

use std::{
    io,
    net::{SocketAddr, TcpListener},
    sync::{Arc, OnceLock},
    time::Duration,
};

use actix_server::ServerBuilder;
use actix_web::{
    App,
    dev::{Server, ServerHandle},
    web::Data,
};
use bearward::{
    Bearward, BuildError, Clock, CookieSource, Issuer, SystemClock, TokenUse,
    internals::bind_error_hint,
};
use tokio::{task::JoinError, time::timeout};
use url::Url;

use self::{
    connection::ConnectionTimeouts,
    connections::Connections,
    listener::{ListenerLimits, listen},
    shutdown::ShutdownTimes,
};
pub use self::{
    middleware::{RateLimits, RequestLimits},
    shutdown::Shutdown,
};
use crate::{
    accounts::Accounts,
    api::{self, ApiKeys, Document, GoogleSignIn, Health, Metadata},
    completions::{Completions, CompletionsBuildError},
    settings::{self, Config, CorsOrigin},
    store::{OpenError, Opening, Store},
    telemetry::Metrics,
};

/// A server that is bound to its addresses and ready to run.
pub struct Application {
    api: Server,
    admin: Option<Server>,
    address: SocketAddr,
    auth: Bearward,
    shutdown: Shutdown,
    shutdown_times: ShutdownTimes,
    /// The task that opens the database, until it has ended.
    opening: Option<Opening>,
}

/// How long [`Application::start`] waits for the database, so that a wrong configuration is usually
/// reported before the server listens. It then continues in the background.
const OPEN_WAIT: Duration = Duration::from_millis(500);

/// The error of [`Application::start`] and [`verifier`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The verifier cannot be built.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// The database cannot be opened.
    #[error(transparent)]
    Database(#[from] OpenError),
    /// The operating system returned an error while the server ran.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The client of the completion service in `[generate]` cannot be built.
    #[error(transparent)]
    Completions(#[from] CompletionsBuildError),
    /// An address cannot be bound.
    #[error("cannot listen on {address}: {}", bind_error_hint(.source, "--bind 127.0.0.1:PORT, PORT=... or server.bind"))]
    Bind {
        /// The configured address.
        address: SocketAddr,
        /// The error of the operating system.
        source: io::Error,
    },
}

/// Builds the verifier of a configuration and starts the first fetch of every issuer's keys.
///
/// # Errors
/// [`StartError`] if an issuer is invalid or its keys can never be loaded. A key endpoint that is
/// unavailable is not an error.
pub async fn verifier(config: &Config) -> Result<Bearward, StartError> {
    let resource = config
        .server
        .public_url
        .as_ref()
        .map(|url| url.url().clone());
    build_verifier(Arc::new(SystemClock::new()), config, resource).await
}

async fn build_verifier(
    clock: Arc<dyn Clock>,
    config: &Config,
    resource: Option<Url>,
) -> Result<Bearward, StartError> {
    let mut builder = Bearward::builder()
        .clock(clock)
        .jwks_cache(config.jwks.clone())
        .token_cache(config.tokens.cache_entries)
        .max_token_bytes(config.tokens.max_bytes);
    if let Some(url) = resource {
        builder = builder.resource(url);
    }
    if let Some(cookie) = &config.tokens.cookie {
        let origins = config.server.cors_origins.iter().map(CorsOrigin::as_str);
        builder = builder.cookie(CookieSource::new(cookie, origins));
    }
    for issuer in config.issuers.values() {
        builder = builder.issuer(issuer.clone());
    }
    Ok(builder.build().await?)
}

/// What can fail because of the configuration, apart from the listeners and the database.
struct Services {
    auth: Bearward,
    /// See [`resource_url`].
    resource: Option<String>,
    completions: Completions,
}

/// Builds the services of a server that listens on `address`, and starts the first fetch of every
/// issuer's keys.
async fn build_services(
    clock: Arc<dyn Clock>,
    config: &Config,
    address: SocketAddr,
) -> Result<Services, StartError> {
    let resource = resource_url(config, address);
    let challenge_resource = resource.as_ref().and_then(|resource| resource.parse().ok());
    Ok(Services {
        auth: build_verifier(Arc::clone(&clock), config, challenge_resource).await?,
        resource,
        completions: Completions::new(&config.generate, clock)?,
    })
}

/// Builds what [`Application::start`] builds, without listening and without the database. Returns
/// the verifier, which fetches the keys of every issuer.
///
/// # Errors
/// The errors of [`Application::start`] that are caused by the configuration.
pub async fn check(config: &Config) -> Result<Bearward, StartError> {
    let clock = Arc::new(SystemClock::new());
    let services = build_services(clock, config, config.server.bind).await?;
    Ok(services.auth)
}

/// The state that all workers share.
struct AppState {
    auth: Data<Bearward>,
    accounts: Data<Accounts>,
    google_sign_in: Data<GoogleSignIn>,
    api_keys: Data<ApiKeys>,
    completions: Data<Completions>,
    document: Data<Document>,
    health: Data<Health>,
    metadata: Data<Metadata>,
    rate_limits: Data<RateLimits>,
    shutdown: Data<Shutdown>,
}

impl Application {
    /// Binds the listeners and builds everything that the server needs. Does not wait for issuers,
    /// nor for a database that is not available.
    ///
    /// # Errors
    /// [`StartError`] if an address cannot be bound, the database rejects the configuration, or the
    /// configuration of an issuer is invalid.
    pub async fn start(config: &Config, metrics: Option<Metrics>) -> Result<Self, StartError> {
        Self::start_with_clock(Arc::new(SystemClock::new()), config, metrics).await
    }

    /// Starts the server with another clock, for tests.
    ///
    /// # Errors
    /// The errors of [`start`](Self::start).
    ///
    /// # Panics
    /// Does not panic: the state is set before workers start.
    pub async fn start_with_clock(
        clock: Arc<dyn Clock>,
        config: &Config,
        metrics: Option<Metrics>,
    ) -> Result<Self, StartError> {
        let has_admin = config.server.admin_bind.is_some();
        let settings = config.server.clone();
        let limits = RequestLimits {
            max_body_bytes: settings.body_limit,
            timeout: settings.request_timeout,
            // Longer than the timeout of the service, whose error is more specific.
            generation_timeout: config.generate.timeout + settings.request_timeout,
        };
        let with_credentials = config.tokens.cookie.is_some();
        // The listeners are bound first, because challenges contain the address. The state is
        // built after that and set before the server runs.
        let state: Arc<OnceLock<AppState>> = Arc::default();
        let worker_state = Arc::clone(&state);
        let listener_limits = listener_limits(&config.server);
        let (socket, address) = bind(config.server.bind)?;
        let app = move || {
            let state = worker_state
                .get()
                .expect("the state is set before the server runs");
            let app = App::new()
                .app_data(state.auth.clone())
                .app_data(state.accounts.clone())
                .app_data(state.google_sign_in.clone())
                .app_data(state.api_keys.clone())
                .app_data(state.completions.clone())
                .app_data(state.document.clone())
                .app_data(state.health.clone())
                .app_data(state.metadata.clone())
                .app_data(state.rate_limits.clone())
                .app_data(state.shutdown.clone());
            let app = middleware::wrap_application(app, settings.clone(), with_credentials);
            let app = if has_admin {
                app
            } else {
                app.configure(|routes| api::local_metrics(routes, limits))
            };
            app.configure(|routes| api::routes(routes, limits, &state.auth))
        };
        let workers = match config.server.workers {
            0 => cores(),
            workers => workers,
        };
        let server = server_builder(&config.server, workers);
        let server = listen(server, "api", socket, listener_limits.clone(), app)
            .map_err(|source| StartError::Bind { address, source })?;

        // The verifier comes first: its key fetches run while the database is opened.
        let Services {
            auth,
            resource,
            completions,
        } = build_services(Arc::clone(&clock), config, address).await?;
        let (store, opening) = open_store(config).await?;
        let shutdown = Shutdown::default();
        let health = Data::new(Health::new(
            auth.clone(),
            store.clone(),
            metrics,
            shutdown.clone(),
        ));
        let metadata = Data::new(Metadata::new(resource, &auth));
        let google_sign_in = Data::new(GoogleSignIn::new(
            authorization_endpoint(&auth),
            config.server.cors_origins.clone(),
        ));
        let api_keys = Data::new(ApiKeys::new(&config.vault));
        let completions = Data::new(completions);
        let accounts = Data::new(Accounts::new(store, clock));
        let document = Data::new(Document::new());
        let rate_limits = Data::new(RateLimits::new(
            &config.rate_limit,
            &config.server,
            auth.clock(),
        ));
        let auth = Data::new(auth);
        let state = state.get_or_init(|| AppState {
            auth,
            accounts,
            google_sign_in,
            api_keys,
            completions,
            document,
            health,
            metadata,
            rate_limits,
            shutdown: Data::new(shutdown.clone()),
        });
        let (auth, health) = (Bearward::clone(&state.auth), state.health.clone());

        let admin = config
            .server
            .admin_bind
            .map(|address| admin_server(address, config, health, limits, listener_limits))
            .transpose()?;
        Ok(Self {
            api: server.run(),
            admin,
            address,
            auth,
            shutdown,
            shutdown_times: ShutdownTimes::new(&config.server),
            opening,
        })
    }

    /// Waits until the database is open.
    ///
    /// # Errors
    /// [`StartError::Database`] if it rejects the configuration.
    pub async fn wait_for_database(&mut self) -> Result<(), StartError> {
        match self.opening.take() {
            Some(opening) => opened(opening.await),
            None => Ok(()),
        }
    }

    /// Returns the address of the API, with the actual port if port 0 was configured.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the verifier of this server.
    pub fn auth(&self) -> &Bearward {
        &self.auth
    }

    /// Returns a handle that stops the server.
    pub fn handle(&self) -> ServerHandle {
        self.api.handle()
    }

    /// Serves until `stop` is ready, or [`handle`](Self::handle) stops the server.
    ///
    /// After `stop`, `/readyz` reports 503 for the shutdown delay; then no more connections are
    /// accepted, and requests in flight may finish within the shutdown timeout.
    ///
    /// # Errors
    /// The errors of [`run`](Self::run).
    pub async fn run_until(self, stop: impl Future<Output = ()>) -> Result<(), StartError> {
        let (shutdown, times, handle) = (self.shutdown.clone(), self.shutdown_times, self.handle());
        let mut server = std::pin::pin!(self.run());
        let stop = async {
            stop.await;
            // `stop` sends the command when it is called.
            shutdown.run(times, async { handle.stop(true).await }).await;
        };
        tokio::select! {
            result = &mut server => result,
            () = stop => server.await,
        }
    }

    /// Serves until [`handle`](Self::handle) stops the server. Requests in flight may finish within
    /// the shutdown timeout.
    ///
    /// # Errors
    /// [`StartError`] if the operating system returns an error, or the database, once it answers,
    /// rejects the configuration.
    pub async fn run(mut self) -> Result<(), StartError> {
        let opening = self.opening.take();
        let rejected = async {
            match opening {
                Some(opening) => match opened(opening.await) {
                    Ok(()) => std::future::pending().await,
                    Err(error) => error,
                },
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            result = serve(self.api, self.admin) => Ok(result?),
            error = rejected => Err(error),
        }
    }
}

/// Opens the database. Returns the task that opens it, unless it has ended.
async fn open_store(config: &Config) -> Result<(Store, Option<Opening>), StartError> {
    let (store, mut opening) = Store::open_in_background(&config.database);
    match timeout(OPEN_WAIT, &mut opening).await {
        Ok(result) => {
            opened(result)?;
            Ok((store, None))
        }
        Err(_) => Ok((store, Some(opening))),
    }
}

/// Returns the result of the task that opens the database.
fn opened(result: Result<Result<(), OpenError>, JoinError>) -> Result<(), StartError> {
    match result {
        Ok(result) => Ok(result?),
        // The runtime is shutting down, or the task has panicked.
        Err(error) => Err(io::Error::other(error).into()),
    }
}

async fn serve(api: Server, admin: Option<Server>) -> io::Result<()> {
    match admin {
        Some(admin) => {
            let admin_handle = admin.handle();
            let admin = actix_web::rt::spawn(admin);
            let result = api.await;
            admin_handle.stop(true).await;
            admin.await.map_err(io::Error::other)??;
            result
        }
        None => api.await,
    }
}

/// Binds the server of `server.admin_bind`, which serves `/metrics`.
fn admin_server(
    address: SocketAddr,
    config: &Config,
    health: Data<Health>,
    limits: RequestLimits,
    listener_limits: ListenerLimits,
) -> Result<Server, StartError> {
    let server_settings = settings::Server {
        // No browser calls this listener from another origin.
        cors_origins: Vec::new(),
        ..config.server.clone()
    };
    let app = move || {
        let app = App::new().app_data(health.clone());
        middleware::wrap_application(app, server_settings.clone(), false)
            .configure(|routes| api::metrics(routes, limits))
            .configure(|routes| api::defaults(routes, limits))
    };
    let (socket, address) = bind(address)?;
    let server = server_builder(&config.server, 1);
    let server = listen(server, "admin", socket, listener_limits, app)
        .map_err(|source| StartError::Bind { address, source })?;
    Ok(server.run())
}

fn server_builder(settings: &settings::Server, workers: usize) -> ServerBuilder {
    ServerBuilder::default()
        .workers(workers)
        // `Connections` limits them: this limit would stop accepting instead.
        .max_concurrent_connections(usize::MAX)
        .disable_signals()
        .shutdown_timeout(ShutdownTimes::new(settings).close_after_seconds())
}

/// Binds an address and returns the socket with its actual address.
fn bind(address: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let bind = || {
        let socket = TcpListener::bind(address)?;
        let address = socket.local_addr()?;
        Ok((socket, address))
    };
    bind().map_err(|source| StartError::Bind { address, source })
}

/// Returns the limits of connections, which all listeners share.
fn listener_limits(settings: &settings::Server) -> ListenerLimits {
    let max = match settings.max_connections {
        0 => descriptors::max_connections(),
        max => {
            descriptors::raise_limit();
            max
        }
    };
    let max_per_address = settings.max_connections_per_address;
    ListenerLimits {
        timeouts: ConnectionTimeouts {
            keep_alive: settings.keep_alive,
            header: settings.header_timeout,
            write: settings.write_timeout,
        },
        connections: Connections::new(max, (max_per_address > 0).then_some(max_per_address)),
    }
}

/// Returns the URL of this resource in RFC 9728 metadata and challenges: `server.public_url`
/// without normalization, or the bound address. `None` if the server listens on all addresses.
fn resource_url(config: &Config, address: SocketAddr) -> Option<String> {
    match &config.server.public_url {
        Some(url) => Some(url.as_str().to_owned()),
        None => (!address.ip().is_unspecified()).then(|| format!("http://{address}")),
    }
}

/// Returns the authorization endpoint of the first issuer of access tokens that has the path of
/// Supabase Auth.
fn authorization_endpoint(auth: &Bearward) -> Option<Url> {
    auth.issuers()
        .iter()
        .filter(|issuer| issuer.has_token_use(TokenUse::AccessToken))
        .map(Issuer::iss)
        .find(|iss| iss.ends_with("/auth/v1"))
        .and_then(|iss| format!("{iss}/authorize").parse().ok())
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
