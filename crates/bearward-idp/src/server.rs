//! Starts the development IdP, after checking that its address and environment are safe.

use std::{fmt, io, net::SocketAddr, sync::Arc, time::Duration};

use actix_web::web::Data;
use bearward::{Algorithm, Bearward, keys::is_loopback};
use bearward_http::{bind_error_hint, client_error_chain, is_bare_web_origin};
use bearward_testing::{MockIdp, TokenBuilder};
use url::Url;

use crate::{
    admin::attached_api::AttachedApi,
    auth::{AuthError, AuthOptions, AuthService, StorageError, google},
    completions::{self, CompletionsStandIn},
    request_log::RequestLog,
    routes,
};

/// The options that change the address, for the error message.
const BIND_OPTIONS: &str =
    "`bearward idp --bind 127.0.0.1:PORT` or `bearward dev --idp-bind 127.0.0.1:PORT`";

/// A running development IdP. It stops when it is dropped.
pub struct Idp {
    server: Arc<MockIdp>,
    state: AppState,
}

/// Where the development IdP listens and how it behaves.
#[derive(Debug, Clone)]
pub struct Options {
    /// The address to listen on; port 0 selects a free port.
    pub address: SocketAddr,
    /// `http://host:port` as clients reach it; the issuer is derived from it. Defaults to the
    /// address.
    pub base: Option<String>,
    /// The signature algorithm of its tokens.
    pub algorithm: Algorithm,
    /// The value of `BEARWARD_ENV`. With `production` or `prod` the IdP does not start.
    pub environment: String,
    /// Allows an address that other machines can reach. Anyone there can sign in as any user.
    pub dangerous_allow_remote: bool,
    /// The behavior of the auth API.
    pub auth: AuthOptions,
}

/// Whether `BEARWARD_ENV` names production.
fn is_production(environment: &str) -> bool {
    ["production", "prod"]
        .iter()
        .any(|name| environment.trim().eq_ignore_ascii_case(name))
}

/// Why the development IdP did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IdpError {
    /// The environment is production.
    #[error(
        "the development IdP does not run with BEARWARD_ENV=production, because it issues tokens for any user; \
         configure a real issuer"
    )]
    Production,
    /// The address is not loopback.
    #[error(
        "{0} can be reached by other machines, and anyone who reaches the development IdP can sign in as any user; \
         bind to 127.0.0.1, or pass --dangerous-allow-remote on a private network"
    )]
    NotLoopback(SocketAddr),
    /// The base is not an origin.
    #[error(
        "invalid base {0:?} of the development IdP: must be http://HOST:PORT, as clients reach it, without a path"
    )]
    InvalidBase(String),
    /// The site URL is invalid.
    #[error("{0}")]
    InvalidSiteUrl(String),
    /// The data file cannot be used.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The certificate authorities of a URL for logout tokens cannot be used.
    #[error("the certificate authorities of the logout URL cannot be used: {0}")]
    Authorities(String),
    /// The address is in use or not available.
    #[error("the development IdP cannot listen on {address}: {}", bind_error_hint(.source, BIND_OPTIONS))]
    Bind {
        /// The requested address.
        address: SocketAddr,
        /// The error of the operating system.
        source: io::Error,
    },
}

/// The state that the routes share.
#[derive(Clone)]
pub(crate) struct AppState {
    pub(crate) auth: Data<AuthService>,
    pub(crate) attached_api: Data<AttachedApi>,
    pub(crate) completions: Data<CompletionsStandIn>,
    pub(crate) requests: Data<RequestLog>,
}

impl Idp {
    /// Binds the address and serves requests on a separate thread.
    ///
    /// # Errors
    /// [`IdpError`] in production, for an address that is not loopback, for an invalid base or site
    /// URL, if the data file cannot be used, and if the address cannot be bound.
    pub fn start(options: Options) -> Result<Self, IdpError> {
        let Options {
            address,
            base,
            algorithm,
            environment,
            dangerous_allow_remote,
            auth,
        } = options;
        if is_production(&environment) {
            return Err(IdpError::Production);
        }
        if !address.ip().is_loopback() && !dangerous_allow_remote {
            return Err(IdpError::NotLoopback(address));
        }
        let base = base.map(parse_base).transpose()?;
        let (auth, ring) = AuthService::start(auth, algorithm)?;
        let state = AppState {
            auth: Data::new(auth),
            attached_api: Data::default(),
            completions: Data::default(),
            requests: Data::new(RequestLog::new()),
        };
        let shared = state.clone();
        MockIdp::bind_with(address, base, ring, move |config| {
            routes::configure(config, &shared);
        })
        .map(|server| {
            server.support_back_channel_logout();
            let server = Arc::new(server);
            state.auth.back_channel.start(&server);
            Self { server, state }
        })
        .map_err(|source| IdpError::Bind { address, source })
    }

    /// Shows an API that runs in this process on the console: its key cache, and how it verifies a
    /// token.
    ///
    /// `address` is the API's base URL. Later calls have no effect.
    pub fn attach_api(&self, address: impl Into<String>, api: Bearward) {
        self.state.attached_api.set(address.into(), api);
    }

    /// Sends logout tokens to this URL too; see [`AuthOptions::back_channel_logout`].
    ///
    /// With `authorities`, certificates in PEM, the certificate of the server must be issued by one of
    /// them. Without, the authorities of the system are trusted.
    ///
    /// # Errors
    /// [`IdpError::Authorities`]: the PEM is malformed.
    pub fn send_logout_tokens_to(
        &self,
        url: Url,
        authorities: Option<&[u8]>,
    ) -> Result<(), IdpError> {
        self.state
            .auth
            .back_channel
            .add_url(url, authorities)
            .map_err(|error| IdpError::Authorities(client_error_chain(error)))
    }

    /// Returns the log that the console shows. The API of this process writes its requests to it.
    pub fn request_log(&self) -> RequestLog {
        RequestLog::clone(&self.state.requests)
    }

    /// Returns the base URL of the stand-in for the completions service, whether or not it is served.
    /// `None` if the IdP cannot be reached at a loopback address.
    pub fn completions_url(&self) -> Option<Url> {
        let base = format!("{}{}", self.base(), completions::BASE_PATH);
        Url::parse(&base).ok().filter(is_loopback)
    }

    /// Serves the stand-in for the completions service at [`completions_url`](Self::completions_url).
    pub fn serve_completions(&self) {
        self.state.completions.enable();
    }

    /// Returns the address that the IdP listens on.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Returns the base URL, which is the `SUPABASE_URL` of a server that trusts this IdP.
    pub fn base(&self) -> String {
        self.server.base()
    }

    /// Returns the `iss` claim of its tokens.
    pub fn issuer(&self) -> String {
        self.server.issuer()
    }

    /// Returns the URL of its JWKS.
    pub fn jwks_url(&self) -> String {
        self.server.jwks_url()
    }

    /// Returns the `aud` claim of its tokens.
    pub fn audience(&self) -> &'static str {
        self.server.audience()
    }

    /// Returns the `iss` claim of the fake Google's ID tokens.
    pub fn google_issuer(&self) -> String {
        google::issuer(&self.base())
    }

    /// Returns the URL of the fake Google's JWKS.
    pub fn google_jwks_url(&self) -> String {
        google::jwks_url(&self.base())
    }

    /// Returns the `aud` claim of the fake Google's ID tokens.
    pub fn google_client_id(&self) -> &'static str {
        google::CLIENT_ID
    }

    /// Returns a builder for the access token of a signed-in user with this lifetime.
    pub fn token(&self, lifetime: Duration) -> TokenBuilder {
        self.server.token().expires_in(lifetime)
    }
}

impl fmt::Debug for Idp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Idp")
            .field("server", &self.server)
            .finish_non_exhaustive()
    }
}

impl From<AuthError> for IdpError {
    fn from(error: AuthError) -> Self {
        match error {
            AuthError::Site(error) => Self::InvalidSiteUrl(error.to_string()),
            AuthError::Storage(error) => Self::Storage(error),
        }
    }
}

/// Parses the base URL, which must be an origin, and removes a trailing slash.
fn parse_base(base: String) -> Result<String, IdpError> {
    Url::parse(&base)
        .ok()
        .filter(is_bare_web_origin)
        .map(|url| url.origin().ascii_serialization())
        .ok_or(IdpError::InvalidBase(base))
}
