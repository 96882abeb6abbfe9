//! Where the development IdP listens, and where it refuses to.

use std::{io, net::SocketAddr, time::Duration};

use actix_web::web::Data;
use bearward::{Algorithm, Bearward};
use bearward_testing::{MockIdp, TokenBuilder};
use url::Url;

use super::{
    attached_api::AttachedApi,
    auth::{self, AuthError, AuthOptions, AuthService, StorageError},
};

/// A running development IdP; it stops when it is dropped.
#[derive(Debug)]
pub struct Idp {
    server: MockIdp,
    attached_api: Data<AttachedApi>,
}

/// How to run it.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where it listens; port 0 takes a free one.
    pub address: SocketAddr,
    /// `http://host:port` under which clients reach it, from which the issuer is made; told from the address unless set.
    pub base: Option<String>,
    /// What it signs with.
    pub algorithm: Algorithm,
    /// The value of `BEARWARD_ENV`: `production`, and `prod`, are refused.
    pub environment: String,
    /// Listens where other machines reach it: anybody there can then be anybody.
    pub dangerous_allow_remote: bool,
    /// How people sign in.
    pub auth: AuthOptions,
}

/// Whether `BEARWARD_ENV` names production.
fn is_production(environment: &str) -> bool {
    ["production", "prod"]
        .iter()
        .any(|name| environment.trim().eq_ignore_ascii_case(name))
}

/// The development IdP does not run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IdpError {
    /// It mints tokens for anybody.
    #[error(
        "the development IdP mints tokens for anybody and does not run with BEARWARD_ENV=production; configure a real issuer"
    )]
    Production,
    /// Other machines would reach it.
    #[error(
        "{0} is reached by other machines, and whoever reaches the development IdP can be anybody; \
         bind to 127.0.0.1, or say --dangerous-allow-remote inside a network of your own"
    )]
    Remote(SocketAddr),
    /// The base would not make an issuer.
    #[error(
        "{0:?} cannot be the development IdP's own address; write http://HOST:PORT, as its clients reach it, without a path"
    )]
    Base(String),
    /// The site is no address.
    #[error("{0}")]
    Site(String),
    /// What was kept cannot be read.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// Something else has the port, or the system refuses.
    #[error("the development IdP cannot listen on {address}: {}", explain(.source))]
    Bind {
        /// The address asked for.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
}

impl Idp {
    /// Listens and answers on a thread of its own.
    ///
    /// # Errors
    /// [`IdpError`]: in production, on an address that others reach, with a base that is none, or where nothing can listen.
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
            return Err(IdpError::Remote(address));
        }
        let base = base.map(origin).transpose()?;
        let (auth, ring) = AuthService::start(auth, algorithm)?;
        let (auth, attached_api) = (Data::new(auth), Data::new(AttachedApi::default()));
        let shown = attached_api.clone();
        MockIdp::bind_with(address, base, ring, move |config| {
            super::routes(config, &auth, &shown)
        })
        .map(|server| Self {
            server,
            attached_api,
        })
        .map_err(|source| IdpError::Bind { address, source })
    }

    /// Shows the API that runs in this process on the console: its key cache, and what it says of a
    /// token. `address` is where people reach it. The first that is named stays.
    pub fn watch(&self, address: impl Into<String>, api: Bearward) {
        self.attached_api.set(address.into(), api);
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Where its clients reach it: what `SUPABASE_URL` is for a server that trusts it.
    pub fn base(&self) -> String {
        self.server.base()
    }

    /// The `iss` of its tokens.
    pub fn issuer(&self) -> String {
        self.server.issuer()
    }

    /// Where its JWK Set is.
    pub fn jwks_url(&self) -> String {
        self.server.jwks_url()
    }

    /// The `aud` of its tokens.
    pub fn audience(&self) -> &'static str {
        self.server.audience()
    }

    /// The `iss` of the fake Google's ID tokens.
    pub fn google_issuer(&self) -> String {
        auth::google_issuer(&self.base())
    }

    /// Where the fake Google's JWK Set is.
    pub fn google_jwks_url(&self) -> String {
        auth::google_jwks_url(&self.base())
    }

    /// The `aud` of the fake Google's ID tokens.
    pub fn google_client_id(&self) -> &'static str {
        auth::CLIENT_ID
    }

    /// A token of a signed-in person that lives this long.
    pub fn token(&self, lifetime: Duration) -> TokenBuilder {
        self.server.token().expires_in(lifetime)
    }
}

impl From<AuthError> for IdpError {
    fn from(error: AuthError) -> Self {
        match error {
            AuthError::Site(site) => Self::Site(site.to_string()),
            AuthError::Storage(error) => Self::Storage(error),
        }
    }
}

/// The base without a slash at its end.
fn origin(base: String) -> Result<String, IdpError> {
    let url = Url::parse(&base)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.path() == "/");
    let has_no_more = |url: &Url| {
        url.has_host()
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none()
    };
    url.filter(has_no_more)
        .map(|url| url.origin().ascii_serialization())
        .ok_or(IdpError::Base(base))
}

fn explain(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            "something listens there already. Stop it, or choose another port: `bearward idp --bind 127.0.0.1:PORT`, \
             `bearward dev --idp-bind 127.0.0.1:PORT`"
                .to_owned()
        }
        _ => error.to_string(),
    }
}
