//! `/api/auth/verify`, called directly and by real gateways with the configurations in `examples/`.
//!
//! A gateway that is not installed is skipped with one line of output; with `BEARWARD_TEST_ALL=1` the
//! test fails instead.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a panic fails the test")]

mod backend;
mod fixture;
mod gateway;

mod client_certificates;
mod cookies;
mod forwarding;
mod header_spoofing;
mod identity_headers;
mod preflight;
mod proofs;
mod rejections;
mod requirements;
mod services;
mod websocket;
