//! Why a server cannot start or run.

use std::{fmt, io, net::SocketAddr};

use bearward::BuildError;
use bearward_http::bind_error_hint;

use super::tls::TlsError;
use crate::{
    api::DocumentError, completions::CompletionsBuildError, settings::ConfigErrors,
    store::OpenError, telemetry::TelemetryError,
};

/// The error of [`Server::run`](super::Server::run) and [`Server::start`](super::Server::start).
///
/// `Debug` prints the message too, so that `main` may return it.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The configuration is invalid.
    #[error(transparent)]
    Config(#[from] ConfigErrors),
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
    /// Logging, metrics or traces cannot be set up.
    #[error(transparent)]
    Telemetry(#[from] TelemetryError),
    /// An own route has the path of a built-in one.
    #[error("the own route {own} collides with the built-in route {built_in}: choose another path")]
    RouteCollision {
        /// The path pattern of the own route.
        own: String,
        /// The path pattern of the built-in route.
        built_in: String,
    },
    /// The OpenAPI document of the own routes cannot be merged.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// The files of `[server.tls]` cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// An address cannot be bound.
    #[error("cannot listen on {address}: {}", bind_error_hint(.source, "--bind 127.0.0.1:PORT, PORT=... or server.bind"))]
    Bind {
        /// The configured address.
        address: SocketAddr,
        /// The error of the operating system.
        source: io::Error,
    },
}

impl fmt::Debug for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
