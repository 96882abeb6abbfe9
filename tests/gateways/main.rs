//! `/api/auth/verify`, asked directly and by real gateways with the configurations of `examples/`.
//!
//! A gateway that is not installed is left out, which one line says; with `BEARWARD_TEST_ALL=1` it
//! is a failure.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    reason = "a test says by a panic that something is not as it says"
)]

mod backend;
mod gateway;
mod stand;

mod cookies;
mod forgery;
mod identity;
mod narrowing;
mod passing;
mod preflight;
mod refusing;
