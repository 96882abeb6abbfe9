//! The store under stress: killed, stopped and replicated servers, database outages.
//!
//! `bearward serve`, nginx, PostgreSQL and MariaDB run as separate processes. By default each test
//! takes seconds; `BEARWARD_TEST_LONG=1` runs the long variants, and with `BEARWARD_TEST_ALL=1` a test
//! fails if it would be skipped.
//! `BEARWARD_TEST_DATABASE_URL` selects a database server as for tests/api; the default is SQLite.
//! Tests that stop a database start their own server.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod connections;
mod database_faults;
mod database_server;
mod disk;
mod large_tables;
mod load;
mod nginx;
mod outage;
mod pgbouncer;
mod postgres_roles;
mod process_kill;
mod replicas;
mod revocation;
mod startup;
mod statements;
mod test_server;
mod tls;
mod tls_reload;
mod tls_server;

use test_support::{print_skipped, run_long};
