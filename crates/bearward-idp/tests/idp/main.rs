//! Tests of the development IdP over a real port.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod admin_access;
mod auth;
mod back_channel;
mod completions;
mod console;
mod documents;
mod events;
mod fixture;
mod jwks_faults;
mod keys;
mod request_bodies;
mod startup;
mod tokens;
