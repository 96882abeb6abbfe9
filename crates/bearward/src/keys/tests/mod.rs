//! Tests of the key cache as a whole, with a scripted network and a clock that the tests control.
//! No test sleeps.

#![expect(
    clippy::unnecessary_wraps,
    reason = "responses have the type that a fetch returns"
)]

mod discovery;
mod fixture;
mod http;
mod refresh;
mod requests;
mod snapshots;
