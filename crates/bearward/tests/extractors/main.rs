//! The extractors and the guard, rule by rule, through a real socket: each request is written byte
//! by byte, and each answer is held against what every answer must be (`wire`).

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests too")]

mod body;
mod challenges;
mod counts;
mod envelope;
mod guards;
mod outage;
mod principals;
mod readiness;
mod requirements;
mod secrecy;
mod setup;
mod source_cookie;
mod source_header;

mod challenge_grammar;
#[path = "../../../../tests/completions/log.rs"]
mod log;
mod wire;
mod world;
