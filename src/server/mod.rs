//! The composition root: from a configuration to a listening server.

mod middleware;

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, OnceLock},
};

use actix_web::{
    App, HttpServer,
    dev::{Server, ServerHandle},
    middleware::from_fn,
    web::Data,
};
use bearward::{Bearward, BuildError, Clock, CookieSource, Issuer, SystemClock, TokenUse};
use url::Url;

use crate::{
    accounts::Accounts,
    api::{self, ApiKeys, Document, GoogleSignIn, Health, Limits, Metadata, RateLimits},
    completions::{Completions, CompletionsBuildError},
    settings::{Config, CorsOrigin},
    store::{OpenError, Store},
    telemetry::{self, Metrics},
};

/// A server that listens and waits to be run.
pub struct Application {
    api: Server,
    admin: Option<Server>,
    address: SocketAddr,
    auth: Bearward,
}

/// The server cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The verifier cannot be built.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// The database cannot be used.
    #[error(transparent)]
    Database(#[from] OpenError),
    /// The service of `[generate]` cannot be called.
    #[error(transparent)]
    Completions(#[from] CompletionsBuildError),
    /// Nothing can listen there.
    #[error("cannot listen on {address}: {}", explain(.source))]
    Bind {
        /// The configured address.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
}

/// Builds the verifier of a configuration. The first fetch of every issuer's keys begins here.
///
/// # Errors
/// [`StartError`]: an issuer that cannot be one, keys that can never be had.
pub async fn verifier(config: &Config) -> Result<Bearward, StartError> {
    verifier_of(
        Arc::new(SystemClock::new()),
        config,
        config
            .server
            .public_url
            .as_ref()
            .map(|url| url.url().clone()),
    )
    .await
}

async fn verifier_of(
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

/// What every worker shares.
struct AppState {
    auth: Data<Bearward>,
    accounts: Data<Accounts>,
    sign_in: Data<GoogleSignIn>,
    api_keys: Data<ApiKeys>,
    upstream: Data<Completions>,
    document: Data<Document>,
    health: Data<Health>,
    metadata: Data<Metadata>,
    rates: Data<RateLimits>,
}

impl Application {
    /// Opens the listeners, then builds the verifier, whose challenges name the address; nothing
    /// waits for an issuer.
    ///
    /// # Errors
    /// [`StartError`]: what [`verifier`] gives, and addresses that cannot be listened on.
    pub async fn start(config: &Config, metrics: Option<Metrics>) -> Result<Self, StartError> {
        Self::start_with_clock(Arc::new(SystemClock::new()), config, metrics).await
    }

    /// The same by another clock, which tests move.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    ///
    /// # Panics
    /// Never: workers start when everything is there.
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
        // The service's own time ends first, and tells why.
        let generation = config.generate.timeout + settings.request_timeout;
        let limits = Limits {
            body: settings.body_limit,
            time: settings.request_timeout,
            generation,
        };
        let with_credentials = config.tokens.cookie.is_some();
        let parts: Arc<OnceLock<AppState>> = Arc::default();
        let shared = Arc::clone(&parts);
        let server = HttpServer::new(move || {
            let parts = shared
                .get()
                .expect("the server is not run before its parts are there");
            let app = App::new()
                .app_data(parts.auth.clone())
                .app_data(parts.accounts.clone())
                .app_data(parts.sign_in.clone())
                .app_data(parts.api_keys.clone())
                .app_data(parts.upstream.clone())
                .app_data(parts.document.clone())
                .app_data(parts.health.clone())
                .app_data(parts.metadata.clone())
                .app_data(parts.rates.clone())
                .wrap(middleware::cors(&settings.cors_origins, with_credentials))
                .wrap(from_fn(middleware::refused_preflight))
                .wrap(middleware::security_headers())
                .wrap(from_fn(api::forward_auth_method))
                .wrap(from_fn(telemetry::observe))
                .wrap(from_fn(middleware::leave_unread));
            let app = if has_admin {
                app
            } else {
                app.configure(|routes| api::metrics(routes, limits))
            };
            app.configure(|routes| api::routes(routes, limits, &parts.auth))
        })
        .workers(workers)
        // A client that hangs up ends its request at once, and with it the call of a service that
        // its owner pays for. Half-closed connections, which this refuses, no browser and
        // no proxy makes.
        .h1_allow_half_closed(false)
        .shutdown_timeout(config.server.shutdown_timeout.as_secs());
        let bind = |address| move |source| StartError::Bind { address, source };
        let address = config.server.bind;
        let server = server.bind(address).map_err(bind(address))?;
        let address = server.addrs().first().copied().unwrap_or(address);

        // The first fetches of keys are under way while the database is opened.
        let resource = resource(config, address);
        let in_challenges = resource.as_ref().and_then(|resource| resource.parse().ok());
        let auth = verifier_of(Arc::clone(&clock), config, in_challenges).await?;
        let store = Store::open(&config.database).await?;
        let health = Data::new(Health::new(auth.clone(), store.clone(), metrics));
        let metadata = Data::new(Metadata::new(resource, &auth));
        let sign_in = Data::new(GoogleSignIn::new(
            authorize(&auth),
            config.server.cors_origins.clone(),
        ));
        let api_keys = Data::new(ApiKeys::new(&config.vault));
        let upstream = Data::new(Completions::new(&config.generate, Arc::clone(&clock))?);
        let accounts = Data::new(Accounts::new(store, clock));
        let document = Data::new(Document::new());
        let rates = Data::new(RateLimits::new(
            &config.rate_limit,
            &config.server,
            auth.clock(),
        ));
        let auth = Data::new(auth);
        let parts = parts.get_or_init(|| AppState {
            auth,
            accounts,
            sign_in,
            api_keys,
            upstream,
            document,
            health,
            metadata,
            rates,
        });
        let (auth, health) = (Bearward::clone(&parts.auth), parts.health.clone());

        let admin = match config.server.admin_bind {
            Some(address) => {
                let app = move || {
                    App::new()
                        .app_data(health.clone())
                        .configure(|routes| api::metrics(routes, limits))
                };
                Some(
                    HttpServer::new(app)
                        .workers(1)
                        .bind(address)
                        .map_err(bind(address))?
                        .run(),
                )
            }
            None => None,
        };
        Ok(Self {
            api: server.run(),
            admin,
            address,
            auth,
        })
    }

    /// Where the API listens: the real port, also when 0 was configured.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The verifier of this server.
    pub fn auth(&self) -> &Bearward {
        &self.auth
    }

    /// Stops the server from elsewhere.
    pub fn handle(&self) -> ServerHandle {
        self.api.handle()
    }

    /// Serves until a signal, or [`handle`](Self::handle), stops it; requests under way may end
    /// first.
    ///
    /// # Errors
    /// What the operating system refuses while it runs.
    pub async fn run(self) -> io::Result<()> {
        match self.admin {
            Some(admin) => {
                let stop = admin.handle();
                let admin = actix_web::rt::spawn(admin);
                let served = self.api.await;
                stop.stop(true).await;
                admin.await.map_err(io::Error::other)??;
                served
            }
            None => self.api.await,
        }
    }
}

/// The address that RFC 9728 metadata and challenges name: as configured, letter for letter, else
/// as it listens. None where nobody could go there: a server on every address does not know its
/// own.
fn resource(config: &Config, address: SocketAddr) -> Option<String> {
    match &config.server.public_url {
        Some(url) => Some(url.as_str().to_owned()),
        None => (!address.ip().is_unspecified()).then(|| format!("http://{address}")),
    }
}

/// Where users sign in: the first issuer whose tokens are bearer tokens and that lies where
/// Supabase Auth does.
fn authorize(auth: &Bearward) -> Option<Url> {
    let bearers = auth
        .issuers()
        .filter(|issuer| issuer.has_token_use(TokenUse::AccessToken));
    let mut supabase = bearers
        .map(Issuer::iss)
        .filter(|issuer| issuer.ends_with("/auth/v1"));
    supabase
        .next()
        .and_then(|issuer| format!("{issuer}/authorize").parse().ok())
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn explain(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            "something listens there already. Stop it, or choose another: --bind 127.0.0.1:PORT, PORT=... or server.bind"
                .to_owned()
        }
        io::ErrorKind::PermissionDenied => "this user may not; ports under 1024 need a privilege. Choose a higher one".to_owned(),
        io::ErrorKind::AddrNotAvailable => "this machine does not have that address".to_owned(),
        _ => error.to_string(),
    }
}
