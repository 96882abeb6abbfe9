//! The key cache end to end: a verifier that fetches keys over HTTP from a mock identity provider,
//! with a clock that the tests advance.
//!
//! The tests do not sleep. They poll for effects in other tasks with [`fixture::wait_until`].

#![allow(clippy::unwrap_used, reason = "a failed setup fails the test")]

mod cold_start;
mod corpus;
mod discovery;
mod fixture;
mod freshness;
mod invalid_signatures;
mod jwks_responses;
mod key_selection;
mod key_sources;
mod metrics;
mod outage;
mod restart;
mod rotation;
mod several_key_sets;
mod unknown_kids;
