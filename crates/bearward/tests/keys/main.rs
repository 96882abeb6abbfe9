//! The key cache as a whole: a verifier, real HTTP, the test kit's identity provider, a clock that
//! the tests move.
//!
//! Nothing here sleeps. What happens in another task or in the server is waited for by looking, see
//! [`stack::until`].

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]

mod answers;
mod candidates;
mod cold_start;
mod corpus;
mod discovery;
mod freshness;
mod metrics;
mod outage;
mod restart;
mod rotation;
mod signatures;
mod sources;
mod stack;
mod unknown_kids;
