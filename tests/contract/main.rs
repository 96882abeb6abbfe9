//! The battery is itself put to the test: against a sound server, against ours, and against servers
//! with one hole each.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod double;
mod extremes;
mod holes;
mod holes_are_caught;
mod our_server;
mod stand;
