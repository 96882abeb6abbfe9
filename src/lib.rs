//! The bearward resource server: verifies bearer tokens and serves the endpoints described in
//! `docs/server.md`, and your own routes beside them.
//!
//! [`Server`] is the entry point; `docs/own-routes.md` describes what own routes get from it. Its
//! items, those at the root of the crate and [`settings`] are the public API. Tables, connection
//! pools and every other module are internal and may change with each version.
//!
//! ```no_run
//! use actix_web::{Responder, get};
//! use bearward::Principal;
//! use bearward_server::{Server, StartError};
//!
//! #[get("/orders")]
//! async fn orders(user: Principal) -> impl Responder {
//!     format!("orders of {}", user.subject())
//! }
//!
//! #[actix_web::main]
//! async fn main() -> Result<(), StartError> {
//!     Server::from_environment()?
//!         .routes(|routes| {
//!             routes.service(orders);
//!         })
//!         .run()
//!         .await
//! }
//! ```
//!
//! # Modules
//!
//! | module | contains |
//! |---|---|
//! | `server` | Startup, shared state and middleware |
//! | `api` | Routes, handlers and the OpenAPI document |
//! | `accounts` | Maps a verified token to an account, with a short-lived cache |
//! | `user_sessions` | Records the sessions of users, who can list and end them |
//! | `rate_limit`, `concurrency_limit` | Limits per key, without actix-web types |
//! | `store`, `domain`, `vault` | Database, validated types, encryption of API keys |
//! | `completions` | Client of the OpenAI-compatible service behind `/api/generate` |
//! | [`settings`] | Configuration |
//! | `telemetry` | Logging, metrics and tracing |
//!
//! The binary `bearward` is the command line of this crate. Token verification itself is the
//! library crate [`bearward`].

#![warn(unreachable_pub)]
// The layout of the nested futures of the middleware takes the compiler more than 128 steps.
#![recursion_limit = "256"]

#[doc(hidden)]
pub mod accounts;
#[doc(hidden)]
pub mod api;
mod audit;
#[doc(hidden)]
pub mod cli;
#[doc(hidden)]
pub mod completions;
#[doc(hidden)]
pub mod concurrency_limit;
#[doc(hidden)]
pub mod domain;
#[doc(hidden)]
pub mod rate_limit;
#[doc(hidden)]
pub mod revocations;
#[doc(hidden)]
pub mod server;
pub mod settings;
#[doc(hidden)]
pub mod store;
#[doc(hidden)]
pub mod telemetry;
#[doc(hidden)]
pub mod user_sessions;
#[doc(hidden)]
pub mod vault;

pub use self::{
    api::DocumentError,
    completions::CompletionsBuildError,
    server::{Routes, RunningServer, Server, Shutdown, StartError},
    store::OpenError,
    telemetry::TelemetryError,
};

/// Compiles the examples of README.md.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// Compiles the examples of docs/library.md.
#[cfg(doctest)]
#[doc = include_str!("../docs/library.md")]
struct Library;

/// Compiles the examples of docs/revocation.md.
#[cfg(doctest)]
#[doc = include_str!("../docs/revocation.md")]
struct Revocation;

/// Compiles the examples of docs/own-routes.md.
#[cfg(doctest)]
#[doc = include_str!("../docs/own-routes.md")]
struct OwnRoutes;
