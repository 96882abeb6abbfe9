//! A server that runs in the background.

use std::{fmt, io, net::SocketAddr};

use bearward::Bearward;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{Application, StartError};

/// A server that [`Server::start`](super::Server::start) has started. Dropping it stops the server.
///
/// ```
/// # use bearward_server::{Server, StartError, settings::Sources};
/// # #[actix_web::main]
/// # async fn main() -> Result<(), StartError> {
/// # let sources = Sources::new(None, [])
/// #     .with("server.bind", "127.0.0.1:0")
/// #     .with("server.workers", "1")
/// #     .with("database.url", "sqlite::memory:")
/// #     .with("issuers.idp.issuer", "http://127.0.0.1:1")
/// #     .with("issuers.idp.audiences", "my-api");
/// let server = Server::from_sources(&sources)?.start().await?;
/// println!("{}/livez", server.url());
/// server.stop().await
/// # }
/// ```
#[must_use = "dropping it stops the server"]
pub struct RunningServer {
    address: SocketAddr,
    auth: Bearward,
    server: JoinHandle<Result<(), StartError>>,
    stop: DropGuard,
}

impl RunningServer {
    pub(super) fn new(application: Application) -> Self {
        let stop = CancellationToken::new();
        let (address, auth) = (application.address(), application.auth().clone());
        let stopped = stop.clone().cancelled_owned();
        Self {
            address,
            auth,
            server: tokio::spawn(application.run_until(stopped)),
            stop: stop.drop_guard(),
        }
    }

    /// Returns the address of the API, with the actual port if port 0 was configured.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the URL of the API, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns the verifier of this server.
    pub fn auth(&self) -> &Bearward {
        &self.auth
    }

    /// Stops the server as SIGTERM does, and waits until requests in flight have finished or
    /// `server.shutdown_timeout` has passed.
    ///
    /// # Errors
    /// The errors of [`Server::run`](super::Server::run).
    pub async fn stop(self) -> Result<(), StartError> {
        drop(self.stop);
        self.server.await.map_err(io::Error::other)?
    }
}

impl fmt::Debug for RunningServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunningServer")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}
