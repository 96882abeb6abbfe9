//! A server that is bound to its addresses: its listeners and the state that they share.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, OnceLock},
    time::Duration,
};

use actix_web::{
    App, Error,
    body::MessageBody,
    dev::{Server as HttpServer, ServerHandle, ServiceFactory, ServiceRequest, ServiceResponse},
    web::Data,
};
use bearward::{Bearward, Clock, SystemClock};
use tokio::{
    task::{JoinError, JoinSet},
    time::timeout,
};

use super::{
    RequestObserver, Server, Shutdown, StartError,
    builder::BackgroundTask,
    listener::{ListenerLimits, bind, listen, server_builder},
    middleware::{self, RateLimits, RequestLimits},
    routes::OwnRoutes,
    services::{Services, authorization_endpoint, build_services},
    shutdown::ShutdownTimes,
    tls::{Tls, Watch},
};
use crate::{
    accounts::Accounts,
    api::{
        self, Administrators, ApiKeys, BackChannelLogout, DocsPage, Document, GoogleSignIn, Health,
        Metadata,
    },
    completions::Completions,
    revocations::SharedRevocations,
    settings::{self, ClientAuth, Config},
    store::{OpenError, Opening, Store},
    telemetry::Metrics,
    user_sessions::UserSessions,
};

/// A server that is bound to its addresses and ready to run.
pub struct Application {
    api: HttpServer,
    admin: Option<HttpServer>,
    address: SocketAddr,
    auth: Bearward,
    shutdown: Shutdown,
    shutdown_times: ShutdownTimes,
    store: Store,
    revocations: SharedRevocations,
    tasks: Vec<BackgroundTask>,
    /// The task that opens the database, until it has ended.
    opening: Option<Opening>,
    tls: Option<Watch>,
}

/// How long [`Application::build`] waits for the database, so that a wrong configuration is usually
/// reported before the server listens. It then continues in the background.
const OPEN_WAIT: Duration = Duration::from_millis(500);

/// The state that all workers share.
struct AppState {
    auth: Data<Bearward>,
    accounts: Data<Accounts>,
    administrators: Data<Administrators>,
    back_channel_logout: Data<BackChannelLogout>,
    google_sign_in: Data<GoogleSignIn>,
    api_keys: Data<ApiKeys>,
    completions: Data<Completions>,
    docs_page: Data<DocsPage>,
    document: Data<Document>,
    health: Data<Health>,
    metadata: Data<Metadata>,
    rate_limits: Data<RateLimits>,
    revocations: Data<SharedRevocations>,
    shutdown: Data<Shutdown>,
    user_sessions: Data<UserSessions>,
}

/// The OpenAPI document and the page that shows it.
struct Documentation {
    document: Document,
    page: DocsPage,
}

/// Creates the application of each worker.
#[derive(Clone)]
struct AppFactory {
    settings: settings::Server,
    with_credentials: bool,
    own_routes: OwnRoutes,
    limits: RequestLimits,
    observer: Option<RequestObserver>,
}

impl Application {
    /// Starts the server without own routes.
    ///
    /// # Errors
    /// The errors of [`build`](Self::build).
    pub async fn start(config: &Config, metrics: Option<Metrics>) -> Result<Self, StartError> {
        Self::build(Server::from_settings(config.clone()), metrics).await
    }

    /// Starts the server without own routes and with another clock, for tests.
    ///
    /// # Errors
    /// The errors of [`build`](Self::build).
    pub async fn start_with_clock(
        clock: Arc<dyn Clock>,
        config: &Config,
        metrics: Option<Metrics>,
    ) -> Result<Self, StartError> {
        Self::build(Server::from_settings(config.clone()).clock(clock), metrics).await
    }

    /// Binds the listeners and builds everything that the server needs. Does not wait for issuers,
    /// nor for a database that is not available.
    ///
    /// # Errors
    /// [`StartError`] if the TLS files cannot be used, an address cannot be bound, the database rejects
    /// the configuration, the configuration of an issuer is invalid, or an own route collides with a
    /// built-in one.
    ///
    /// # Panics
    /// Does not panic: the state is set before workers start.
    pub(crate) async fn build(
        server: Server,
        metrics: Option<Metrics>,
    ) -> Result<Self, StartError> {
        let Server {
            config,
            clock,
            routes,
            openapi,
            tasks,
            observer,
            docs_token_url,
            accepts_any_api_key,
            ..
        } = server;
        let document = Document::with_own(openapi)?;
        let limits = RequestLimits::new(&config);
        let tls = config.server.tls.as_ref().map(Tls::load).transpose()?;
        let watch = tls.clone().map(Watch::new);
        // The listeners are bound first, because challenges contain the address. The state is
        // built after that and set before the server runs.
        let (socket, address) = bind(config.server.bind)?;
        let listener_limits = ListenerLimits::new(&config.server);
        let state: Arc<OnceLock<AppState>> = Arc::default();
        let factory = AppFactory::new(&config, routes.clone(), limits, observer);
        let worker_state = Arc::clone(&state);
        let app = move || {
            let state = worker_state.get();
            factory.create(state.expect("the state is set before the server runs"))
        };
        let workers = match config.server.workers {
            0 => cores(),
            workers => workers,
        };
        let server = server_builder(&config.server, workers);
        let server = listen(
            server,
            "api",
            socket,
            listener_limits.clone(),
            tls.clone(),
            app,
        )
        .map_err(|source| StartError::Bind { address, source })?;

        // The verifier comes first: its key fetches run while the database is opened.
        let mut services = build_services(Arc::clone(&clock), &config, address).await?;
        services.completions = services.completions.accepting_any_key(accepts_any_api_key);
        routes.check(limits, &services.auth, &document).await?;
        let (store, opening) = open_store(&config).await?;
        let shutdown = Shutdown::default();
        let state = state.get_or_init(|| {
            AppState::new(
                services,
                &config,
                store.clone(),
                clock,
                metrics,
                &shutdown,
                Documentation {
                    document,
                    page: DocsPage::new(docs_token_url),
                },
            )
        });
        let (auth, health) = (Bearward::clone(&state.auth), state.health.clone());
        let revocations = SharedRevocations::clone(&state.revocations);
        if opening.is_none() {
            // A long list is loaded in the background.
            let _ = timeout(OPEN_WAIT, Box::pin(revocations.load())).await;
        }
        let admin = config
            .server
            .admin_bind
            .map(|address| admin_server(address, &config, health, limits, listener_limits))
            .transpose()?;
        Ok(Self {
            api: server.run(),
            admin,
            address,
            auth,
            shutdown,
            shutdown_times: ShutdownTimes::new(&config.server),
            store,
            revocations,
            tasks,
            opening,
            tls: watch,
        })
    }

    /// Creates the application of one worker without listeners and background tasks, for
    /// benchmarks that call it in their process.
    ///
    /// # Errors
    /// The errors of [`Server::run`], except for those of the listeners.
    pub async fn in_process(
        config: &Config,
        metrics: Option<Metrics>,
    ) -> Result<
        App<
            impl ServiceFactory<
                ServiceRequest,
                Config = (),
                Response = ServiceResponse<impl MessageBody + 'static + use<>>,
                Error = Error,
                InitError = (),
            > + use<>,
        >,
        StartError,
    > {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let limits = RequestLimits::new(config);
        let services = build_services(Arc::clone(&clock), config, config.server.bind).await?;
        let (store, _) = open_store(config).await?;
        let documentation = Documentation {
            document: Document::with_own(None)?,
            page: DocsPage::new(None),
        };
        let shutdown = Shutdown::default();
        let state = AppState::new(
            services,
            config,
            store,
            clock,
            metrics,
            &shutdown,
            documentation,
        );
        Ok(AppFactory::new(config, OwnRoutes::default(), limits, None).create(&state))
    }

    /// Waits until the database is open and the revocation list is loaded.
    ///
    /// # Errors
    /// [`StartError::Database`] if it rejects the configuration.
    pub async fn wait_for_database(&mut self) -> Result<(), StartError> {
        if let Some(opening) = self.opening.take() {
            opened(opening.await)?;
        }
        self.revocations.load().await;
        Ok(())
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
        // Dropping it ends the tasks.
        let mut tasks = JoinSet::new();
        tasks.spawn(self.revocations.clone().check_supabase_sessions());
        tasks.spawn(self.revocations.run());
        for task in self.tasks {
            tasks.spawn(task(self.shutdown.clone()));
        }
        if let Some(tls) = self.tls {
            tasks.spawn(tls.run());
        }
        let (opening, store) = (self.opening.take(), self.store);
        let rejected = async {
            match opening {
                Some(opening) => match opened(opening.await) {
                    Ok(()) => std::future::pending().await,
                    Err(error) => error,
                },
                None => std::future::pending().await,
            }
        };
        let result = tokio::select! {
            result = serve(self.api, self.admin) => result.map_err(StartError::from),
            error = rejected => Err(error),
        };
        store.close().await;
        result
    }
}

impl AppState {
    fn new(
        services: Services,
        config: &Config,
        store: Store,
        clock: Arc<dyn Clock>,
        metrics: Option<Metrics>,
        shutdown: &Shutdown,
        documentation: Documentation,
    ) -> Self {
        let Services {
            auth,
            resource,
            completions,
            seen_sessions,
        } = services;
        let revocations =
            SharedRevocations::new(&config.revocation, &auth, store.clone(), seen_sessions);
        Self {
            health: Data::new(Health::new(
                auth.clone(),
                store.clone(),
                metrics,
                shutdown.clone(),
                revocations.clone(),
            )),
            user_sessions: Data::new(UserSessions::new(
                store.clone(),
                revocations.clone(),
                Arc::clone(&clock),
            )),
            revocations: Data::new(revocations),
            metadata: Data::new(Metadata::new(
                resource,
                &auth,
                accepts_client_certificates(&config.server),
            )),
            google_sign_in: Data::new(GoogleSignIn::new(
                authorization_endpoint(&auth),
                config.server.cors_origins.clone(),
            )),
            api_keys: Data::new(ApiKeys::new(&config.vault)),
            completions: Data::new(completions),
            accounts: Data::new(Accounts::new(store, clock)),
            back_channel_logout: Data::new(BackChannelLogout::new(
                config.revocation.backchannel_logout,
            )),
            administrators: Data::new(Administrators::new(&config.admin)),
            docs_page: Data::new(documentation.page),
            document: Data::new(documentation.document),
            rate_limits: Data::new(RateLimits::new(&config.rate_limit, auth.clock())),
            auth: Data::new(auth),
            shutdown: Data::new(shutdown.clone()),
        }
    }
}

impl AppFactory {
    fn new(
        config: &Config,
        own_routes: OwnRoutes,
        limits: RequestLimits,
        observer: Option<RequestObserver>,
    ) -> Self {
        Self {
            settings: config.server.clone(),
            with_credentials: config.tokens.cookie.is_some(),
            own_routes,
            limits,
            observer,
        }
    }

    fn create(
        &self,
        state: &AppState,
    ) -> App<
        impl ServiceFactory<
            ServiceRequest,
            Config = (),
            Response = ServiceResponse<impl MessageBody + 'static + use<>>,
            Error = Error,
            InitError = (),
        > + use<>,
    > {
        let app = App::new()
            .app_data(state.auth.clone())
            .app_data(state.accounts.clone())
            .app_data(state.administrators.clone())
            .app_data(state.back_channel_logout.clone())
            .app_data(state.google_sign_in.clone())
            .app_data(state.api_keys.clone())
            .app_data(state.completions.clone())
            .app_data(state.docs_page.clone())
            .app_data(state.document.clone())
            .app_data(state.health.clone())
            .app_data(state.metadata.clone())
            .app_data(state.rate_limits.clone())
            .app_data(state.revocations.clone())
            .app_data(state.shutdown.clone())
            .app_data(state.user_sessions.clone());
        let app = middleware::wrap_application(
            app,
            self.settings.clone(),
            self.with_credentials,
            self.observer.clone(),
        );
        let app = if self.settings.admin_bind.is_some() {
            app
        } else {
            app.configure(|routes| api::local_metrics(routes, self.limits))
        };
        app.configure(|routes| api::routes(routes, self.limits, &state.auth))
            .configure(|routes| self.own_routes.mount(routes, self.limits, &state.auth))
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

async fn serve(api: HttpServer, admin: Option<HttpServer>) -> io::Result<()> {
    match admin {
        Some(admin) => {
            let admin_handle = admin.handle();
            let admin = tokio::spawn(admin);
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
) -> Result<HttpServer, StartError> {
    let server_settings = settings::Server {
        // No browser calls this listener from another origin.
        cors_origins: Vec::new(),
        tls: None,
        ..config.server.clone()
    };
    let app = move || {
        let app = App::new().app_data(health.clone());
        middleware::wrap_application(app, server_settings.clone(), false, None)
            .configure(|routes| api::metrics(routes, limits))
            .configure(|routes| api::defaults(routes, limits))
    };
    let (socket, address) = bind(address)?;
    let server = server_builder(&config.server, 1);
    let server = listen(server, "admin", socket, listener_limits, None, app)
        .map_err(|source| StartError::Bind { address, source })?;
    Ok(server.run())
}

/// Returns whether the certificates of clients reach the server.
fn accepts_client_certificates(server: &settings::Server) -> bool {
    let requests_certificates = server
        .tls
        .as_ref()
        .is_some_and(|tls| tls.client_auth != ClientAuth::Off);
    requests_certificates || server.client_certificate_header.is_some()
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
