//! The store under stress: servers of ours that are killed, stopped and doubled, databases that are
//! taken away and brought back.
//!
//! Everything is a process of its own: `bearward serve`, nginx, PostgreSQL, MariaDB. By default
//! each test takes seconds; `BEARWARD_TEST_ALL=1` lets it take as long as it should, and leaves
//! nothing out. `BEARWARD_TEST_DATABASE_URL` names a database server as it does for tests/api,
//! SQLite without it; the tests that stop a database start one of their own.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

/// The names that these tests use for the functions of the shared module.
mod database {
    pub(crate) use test_support::database::{connect, create as fresh, query_number as number};
}
mod database_server;
mod death;
mod disk;
mod fill;
mod load;
mod nginx;
mod outage;
mod replicas;
mod serving;
mod start;
mod statements;

use std::time::Duration;

/// Longer than anything here takes on a busy machine.
const GUARD: Duration = Duration::from_secs(90);

/// Whether nothing is to be left out.
fn is_all() -> bool {
    std::env::var("BEARWARD_TEST_ALL").is_ok_and(|all| all == "1")
}

/// Says in one line what is left out, unless nothing may be.
fn left_out(what: &str) {
    assert!(!is_all(), "BEARWARD_TEST_ALL=1, and {what}");
    println!("left out: {what}");
}
