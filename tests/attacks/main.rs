#![allow(clippy::unwrap_used, reason = "test helpers")]

//! Attacks against the public API, over real HTTP where the wire format matters.

mod discovery;
mod guard;
mod key_sets;
mod output_escaping;
mod raw_http;
mod snapshots;
mod tokens;
