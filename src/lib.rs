//! The bearward resource server: verifies bearer tokens and serves the endpoints described in
//! `docs/server.md`.
//!
//! | module | contains |
//! |---|---|
//! | [`server`] | Startup, shared state and middleware |
//! | [`api`] | Routes, handlers and the OpenAPI document |
//! | [`accounts`] | Maps a verified token to an account, with a short-lived cache |
//! | [`rate_limit`], [`concurrency_limit`] | Limits per key, without actix-web types |
//! | [`store`], [`domain`], [`vault`] | Database, validated types, encryption of API keys |
//! | [`completions`] | Client of the OpenAI-compatible service behind `/api/generate` |
//! | [`settings`] | Configuration |
//! | [`telemetry`] | Logging, metrics and tracing |
//!
//! The binary `bearward` is the command line of this crate. Token verification itself is the
//! library crate [`bearward`].

#![warn(unreachable_pub)]

pub mod accounts;
pub mod api;
#[doc(hidden)]
pub mod cli;
pub mod completions;
pub mod concurrency_limit;
pub mod domain;
pub mod rate_limit;
pub mod server;
pub mod settings;
pub mod store;
pub mod telemetry;
pub mod vault;

/// Compiles the examples of README.md.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
