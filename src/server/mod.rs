//! Builds the server from a configuration: listeners, verifier, shared state and middleware.

mod application;
mod builder;
mod connection;
mod connections;
mod descriptors;
mod error;
mod listener;
pub(crate) mod middleware;
mod routes;
mod running;
mod services;
mod shutdown;
pub(crate) mod signals;
pub(crate) mod tls;
mod transport;

pub(crate) use self::services::check;
pub use self::{
    application::Application,
    builder::Server,
    error::StartError,
    middleware::{RateLimits, RequestLimits},
    routes::Routes,
    running::RunningServer,
    services::verifier,
    shutdown::Shutdown,
    tls::TlsError,
};
