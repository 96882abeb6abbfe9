//! The bearward resource server: verifies bearer tokens and serves the endpoints of
//! `docs/server.md`.
//!
//! The binary `bearward` is this crate's command line.

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
