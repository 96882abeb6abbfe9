//! Row level security with the policies of this example, on a private PostgreSQL server.
//!
//! Without PostgreSQL or `PgBouncer` the tests print that they were skipped; with
//! `BEARWARD_TEST_ALL=1` they fail instead. With `BEARWARD_TEST_LONG=1` the test with concurrent
//! requests runs in full.
#![cfg(unix)]
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod claims;
mod cleanup;
mod concurrency;
mod documentation;
mod errors;
mod fixture;
mod isolation;
mod login_role;
mod options;
mod roles;
mod round_trips;
mod sea_orm;
mod todos;
