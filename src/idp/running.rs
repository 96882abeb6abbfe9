//! Where the development IdP listens, and where it refuses to.

use std::{io, net::SocketAddr, time::Duration};

use crate::{
    auth::algorithm::Algorithm,
    mint::KeyRing,
    testing::{MockIdp, TokenBuilder},
};

/// A running development IdP; it stops when it is dropped.
#[derive(Debug)]
pub struct Idp(MockIdp);

/// How to run it.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where it listens; port 0 takes a free one.
    pub address: SocketAddr,
    /// `scheme://host:port` under which clients reach it; told from the address unless set.
    pub base: Option<String>,
    /// What it signs with.
    pub algorithm: Algorithm,
    /// The value of `BEARWARD_ENV`: `production` is refused.
    pub environment: String,
    /// Listens where other machines reach it: anybody there can then be anybody.
    pub dangerous_allow_remote: bool,
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
    /// [`IdpError`]: in production, on an address that others reach, or where nothing can listen.
    pub fn start(options: Options) -> Result<Self, IdpError> {
        let Options { address, base, algorithm, environment, dangerous_allow_remote } = options;
        if environment.eq_ignore_ascii_case("production") {
            return Err(IdpError::Production);
        }
        if !address.ip().is_loopback() && !dangerous_allow_remote {
            return Err(IdpError::Remote(address));
        }
        MockIdp::bind_with(address, base, KeyRing::new(algorithm), super::routes)
            .map(Self)
            .map_err(|source| IdpError::Bind { address, source })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.0.address()
    }

    /// The `iss` of its tokens.
    pub fn issuer(&self) -> String {
        self.0.issuer()
    }

    /// Where its JWK Set is.
    pub fn jwks_url(&self) -> String {
        self.0.jwks_url()
    }

    /// The `aud` of its tokens.
    pub fn audience(&self) -> &'static str {
        self.0.audience()
    }

    /// A token of a signed-in person that lives this long.
    pub fn token(&self, lifetime: Duration) -> TokenBuilder {
        self.0.token().expires_in(lifetime)
    }
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
