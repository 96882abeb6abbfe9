//! The server with the routes of a team: the only place that starts one.

use std::{fmt, future::Future, pin::Pin, sync::Arc};

use bearward::{Clock, SystemClock};
use url::Url;
use utoipa::openapi::OpenApi;

use super::{
    Application, RequestObserver, RunningServer, Shutdown, StartError,
    routes::{OwnRoutes, Routes},
    signals::Signals,
};
use crate::{
    api::Document,
    settings::{Config, ConfigErrors, Sources},
    telemetry,
};

const NO_VAULT_KEY: &str = "vault.keys is empty: users' API keys cannot be stored, and the routes that need them answer VAULT_UNAVAILABLE. \
    Create a key with `echo \"k1:$(openssl rand -base64 32)\" > vault.keys`, back it up, and set BEARWARD_VAULT__KEYS_FILE=vault.keys";

/// The resource server, with your own routes beside the built-in ones. `bearward serve` is this
/// server without own routes.
///
/// ```no_run
/// use actix_web::{Responder, get};
/// use bearward::Principal;
/// use bearward_server::{Server, StartError};
///
/// #[get("/orders")]
/// async fn orders(user: Principal) -> impl Responder {
///     format!("orders of {}", user.subject())
/// }
///
/// #[actix_web::main]
/// async fn main() -> Result<(), StartError> {
///     Server::from_environment()?
///         .routes(|routes| {
///             routes.service(orders);
///         })
///         .run()
///         .await
/// }
/// ```
///
/// `docs/own-routes.md` describes what own routes get from the server.
#[must_use = "call run or start"]
pub struct Server {
    pub(super) config: Config,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) routes: OwnRoutes,
    pub(super) openapi: Option<OpenApi>,
    pub(super) tasks: Vec<BackgroundTask>,
    pub(super) observer: Option<RequestObserver>,
    /// Where the documentation page gets a token; see [`DocsPage`](crate::api::DocsPage).
    pub(super) docs_token_url: Option<Url>,
    /// Whether the completions service accepts any API key, for the hint of `API_KEY_MISSING`.
    pub(super) accepts_any_api_key: bool,
    /// Warnings that have not been logged yet.
    warnings: Vec<String>,
}

/// A task that runs beside the server, see [`Server::background_task`].
pub(super) type BackgroundTask =
    Box<dyn FnOnce(Shutdown) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send>;

impl Server {
    /// Reads the configuration as `bearward serve` does: the built-in defaults, the folder
    /// `config` if it exists, and the environment variables of the process.
    ///
    /// # Errors
    /// [`ConfigErrors`] with every problem of the configuration.
    pub fn from_environment() -> Result<Self, ConfigErrors> {
        Self::from_sources(&Sources::from_environment(None))
    }

    /// Reads the configuration from these sources, for example in tests.
    ///
    /// ```
    /// use bearward_server::{Server, settings::Sources};
    ///
    /// let sources = Sources::new(None, [])
    ///     .with("server.bind", "127.0.0.1:0")
    ///     .with("issuers.idp.issuer", "https://idp.example.com")
    ///     .with("issuers.idp.audiences", "my-api");
    /// let server = Server::from_sources(&sources)?;
    /// # Ok::<_, bearward_server::settings::ConfigErrors>(())
    /// ```
    ///
    /// # Errors
    /// [`ConfigErrors`] with every problem of the configuration.
    pub fn from_sources(sources: &Sources) -> Result<Self, ConfigErrors> {
        let config = Config::load(sources)?;
        let warnings = config.warnings().to_vec();
        Ok(Self {
            warnings,
            ..Self::from_settings(config)
        })
    }

    /// Uses a configuration that has been loaded already.
    pub fn from_settings(config: Config) -> Self {
        Self {
            config,
            clock: Arc::new(SystemClock::new()),
            routes: OwnRoutes::default(),
            openapi: None,
            tasks: Vec::new(),
            observer: None,
            docs_token_url: None,
            accepts_any_api_key: false,
            warnings: Vec::new(),
        }
    }

    /// Returns the configuration, for example for [`Config::app`].
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Adds own routes. They are mounted beside the built-in ones, with the same middleware, limits
    /// and error body.
    ///
    /// `mount` runs once per worker: create shared state before, and pass a clone to
    /// [`app_data`](actix_web::web::ServiceConfig::app_data).
    ///
    /// ```
    /// # use actix_web::{Responder, get, web::{self, Data}};
    /// # use bearward_server::Server;
    /// struct Prices(Vec<u32>);
    ///
    /// #[get("/prices")]
    /// async fn prices(prices: Data<Prices>) -> impl Responder {
    ///     web::Json(prices.0.clone())
    /// }
    ///
    /// # fn add(server: Server) -> Server {
    /// let state = Data::new(Prices(vec![3, 5]));
    /// server.routes(move |routes| {
    ///     routes.app_data(state.clone()).service(prices);
    /// })
    /// # }
    /// ```
    pub fn routes(mut self, mount: impl Fn(&mut Routes<'_>) + Send + Sync + 'static) -> Self {
        self.routes.add(mount);
        self
    }

    /// Merges the OpenAPI document of the own routes into `/openapi.json` and `/docs`. Title and
    /// version of the whole document become those of `document`.
    ///
    /// An operation requires a token unless it says `security(())`. The error responses that the
    /// server adds to every route are added to its operations.
    pub fn openapi(mut self, document: OpenApi) -> Self {
        match &mut self.openapi {
            Some(merged) => merged.merge(document),
            None => self.openapi = Some(document),
        }
        self
    }

    /// Returns the merged OpenAPI document as JSON, for example for a client generator.
    ///
    /// # Errors
    /// [`StartError::Document`] if the document of the own routes and the built-in one contradict
    /// each other.
    pub fn openapi_json(&self) -> Result<String, StartError> {
        let document = Document::with_own(self.openapi.clone())?;
        Ok(document.as_str().to_owned())
    }

    /// Runs a task beside the server. It begins when the server runs, and is dropped when the last
    /// request has ended; [`Shutdown::started`] reports it earlier.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use bearward_server::Server;
    /// # async fn remove_old_orders() {}
    /// # fn add(server: Server) -> Server {
    /// server.background_task(|shutdown| async move {
    ///     while !shutdown.is_started() {
    ///         remove_old_orders().await;
    ///         tokio::time::sleep(Duration::from_secs(60)).await;
    ///     }
    /// })
    /// # }
    /// ```
    pub fn background_task<T>(mut self, task: impl FnOnce(Shutdown) -> T + Send + 'static) -> Self
    where
        T: Future<Output = ()> + Send + 'static,
    {
        self.tasks
            .push(Box::new(|shutdown| Box::pin(task(shutdown))));
        self
    }

    /// Replaces the clock of token verification, rate limits and stored times, for tests.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Calls a function after each response head, for the console of `bearward dev`.
    #[cfg(feature = "idp")]
    pub(crate) fn observe_requests(mut self, observer: RequestObserver) -> Self {
        self.observer = Some(observer);
        self
    }

    /// Lets the documentation page request a token from this URL, for `bearward dev`.
    #[cfg(feature = "idp")]
    pub(crate) fn docs_token_url(mut self, url: Option<Url>) -> Self {
        self.docs_token_url = url;
        self
    }

    /// Says in the error of a missing API key that any text works as one, for the stand-in of `bearward
    /// dev`.
    #[cfg(feature = "idp")]
    pub(crate) fn accepts_any_api_key(mut self, accepts_any_api_key: bool) -> Self {
        self.accepts_any_api_key = accepts_any_api_key;
        self
    }

    /// Serves until SIGTERM or SIGINT, and then lets requests in flight finish. Sets up logging
    /// (unless the process has a `tracing` subscriber already), metrics and traces.
    ///
    /// # Errors
    /// [`StartError`] if no issuer is configured, the TLS files cannot be used, an address cannot be bound, an own route collides
    /// with a built-in one, the database rejects the configuration, or the operating system returns
    /// an error.
    pub async fn run(mut self) -> Result<(), StartError> {
        let mut signals = Signals::install()?;
        self.config.require_issuer()?;
        let _flushed = telemetry::FlushOnDrop;
        let _traces = telemetry::start(&self.config.telemetry)?;
        for warning in self.warnings.drain(..) {
            tracing::warn!("{warning}");
        }
        if self.config.vault.keys.is_empty() {
            tracing::warn!("{NO_VAULT_KEY}");
        }
        let environment = self.config.environment.clone();
        let issuers: Vec<String> = self.config.issuers.keys().cloned().collect();
        let start = Box::pin(Application::build(
            self,
            Some(telemetry::install_metrics()?),
        ));
        let Some(application) = signals.or_stop(start).await else {
            return Ok(());
        };
        let application = application?;
        tracing::info!(
            address = %application.address(),
            environment = (!environment.is_empty()).then_some(environment.as_str()),
            ?issuers,
            "bearward {} serves", env!("CARGO_PKG_VERSION")
        );
        signals.run(application).await
    }

    /// Starts the server in the background and returns when it has bound its addresses, for tests.
    /// `server.bind` may have port 0. Logging and signals stay as they are.
    ///
    /// # Errors
    /// The errors of [`run`](Self::run).
    pub async fn start(self) -> Result<RunningServer, StartError> {
        self.config.require_issuer()?;
        let metrics = telemetry::install_metrics()?;
        let application = Box::pin(Application::build(self, Some(metrics))).await?;
        Ok(RunningServer::new(application))
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("config", &self.config)
            .field("routes", &self.routes)
            .finish_non_exhaustive()
    }
}
