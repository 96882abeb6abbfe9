//! The API as its clients see it: a real server, a real identity provider, a real database.
//!
//! `BEARWARD_TEST_DATABASE_URL` says which: a server of PostgreSQL or MySQL where databases may be
//! created, else SQLite files.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod administration;
mod api_keys;
mod bodies;
mod concurrency;
mod cors;
mod database;
mod generate;
mod google;
mod health;
mod isolation;
mod limits;
mod migrations;
mod openapi;

mod profile;
mod provisioning;
#[path = "../completions/service.rs"]
#[allow(dead_code, unreachable_pub, reason = "it serves two binaries")]
mod service;
mod status;
mod world;
