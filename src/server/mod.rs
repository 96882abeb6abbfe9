//! Builds the server from a configuration: listeners, verifier, shared state and middleware.

mod application;
mod builder;
mod connection;
mod connections;
mod descriptors;
mod error;
mod listener;
pub(crate) mod middleware;
mod request_observer;
mod routes;
mod running;
mod services;
mod shutdown;
pub(crate) mod signals;
pub(crate) mod tls;
mod transport;

pub use self::{
    application::Application,
    builder::Server,
    error::StartError,
    middleware::{RateLimits, RequestLimits},
    request_observer::AnsweredRequest,
    routes::Routes,
    running::RunningServer,
    services::verifier,
    shutdown::Shutdown,
    tls::TlsError,
};
pub(crate) use self::{request_observer::RequestObserver, services::check};
