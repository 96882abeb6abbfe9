//! Builds the server from a configuration: listeners, verifier, shared state and middleware.

pub(crate) mod middleware;

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, OnceLock},
    time::Duration,
};

use actix_web::{
    App, HttpServer,
    dev::{Server, ServerHandle},
    web::Data,
};
use bearward::{Bearward, BuildError, Clock, CookieSource, Issuer, SystemClock, TokenUse};
use tokio::{task::JoinError, time::timeout};
use url::Url;

pub use self::middleware::{RateLimits, RequestLimits};
use crate::{
    accounts::Accounts,
    api::{self, ApiKeys, Document, GoogleSignIn, Health, Metadata},
    completions::{Completions, CompletionsBuildError},
    settings::{Config, CorsOrigin},
    store::{OpenError, Opening, Store},
    telemetry::Metrics,
};

/// A server that is bound to its addresses and ready to run.
pub struct Application {
    api: Server,
    admin: Option<Server>,
    address: SocketAddr,
    auth: Bearward,
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
    #[error("cannot listen on {address}: {}", bind_error_hint(.source))]
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
        let workers = if config.server.workers == 0 {
            cores()
        } else {
            config.server.workers
        };
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
        let server = HttpServer::new(move || {
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
                .app_data(state.rate_limits.clone());
            let cors = middleware::cors(&settings.cors_origins, with_credentials);
            let app = middleware::wrap_application(app, cors);
            let app = if has_admin {
                app
            } else {
                app.configure(|routes| api::metrics(routes, limits))
            };
            app.configure(|routes| api::routes(routes, limits, &state.auth))
        })
        .workers(workers)
        // A client that disconnects ends its request, and with it a paid call to the completion
        // service. Browsers and proxies do not use half-closed connections.
        .h1_allow_half_closed(false)
        .shutdown_timeout(config.server.shutdown_timeout.as_secs());
        let address = config.server.bind;
        let server = server
            .bind(address)
            .map_err(|source| StartError::Bind { address, source })?;
        let address = server.addrs().first().copied().unwrap_or(address);

        // The verifier comes first: its key fetches run while the database is opened.
        let resource = resource_url(config, address);
        let challenge_resource = resource.as_ref().and_then(|resource| resource.parse().ok());
        let auth = build_verifier(Arc::clone(&clock), config, challenge_resource).await?;
        let (store, mut opening) = Store::open_in_background(&config.database);
        let opening = match timeout(OPEN_WAIT, &mut opening).await {
            Ok(result) => {
                opened(result)?;
                None
            }
            Err(_) => Some(opening),
        };
        let health = Data::new(Health::new(auth.clone(), store.clone(), metrics));
        let metadata = Data::new(Metadata::new(resource, &auth));
        let google_sign_in = Data::new(GoogleSignIn::new(
            authorization_endpoint(&auth),
            config.server.cors_origins.clone(),
        ));
        let api_keys = Data::new(ApiKeys::new(&config.vault));
        let completions = Data::new(Completions::new(&config.generate, Arc::clone(&clock))?);
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
        });
        let (auth, health) = (Bearward::clone(&state.auth), state.health.clone());

        let admin = config
            .server
            .admin_bind
            .map(|address| admin_server(address, health, limits))
            .transpose()?;
        Ok(Self {
            api: server.run(),
            admin,
            address,
            auth,
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

    /// Serves until a signal or [`handle`](Self::handle) stops the server. Requests in progress may
    /// finish within the shutdown timeout.
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
    health: Data<Health>,
    limits: RequestLimits,
) -> Result<Server, StartError> {
    let app = move || {
        App::new()
            .app_data(health.clone())
            .configure(|routes| api::metrics(routes, limits))
    };
    let server = HttpServer::new(app)
        .workers(1)
        .bind(address)
        .map_err(|source| StartError::Bind { address, source })?;
    Ok(server.run())
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
        .filter(|issuer| issuer.has_token_use(TokenUse::AccessToken))
        .map(Issuer::iss)
        .find(|iss| iss.ends_with("/auth/v1"))
        .and_then(|iss| format!("{iss}/authorize").parse().ok())
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Describes a bind error and how to fix it.
fn bind_error_hint(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            "the address is in use. Stop the other process, or choose another address with --bind 127.0.0.1:PORT, PORT=... or server.bind"
                .to_owned()
        }
        io::ErrorKind::PermissionDenied => {
            "permission denied; ports below 1024 need a privilege. Choose a higher port".to_owned()
        }
        io::ErrorKind::AddrNotAvailable => "this machine does not have the address".to_owned(),
        _ => error.to_string(),
    }
}
