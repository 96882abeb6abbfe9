//! Extractors and guard over a real socket: each request is written byte by byte, and every response
//! is checked for conformance (`test_server`).

#![allow(clippy::unwrap_used, reason = "a failed setup fails the test")]

mod axum;
mod body;
mod caller_token;
mod challenges;
mod changing_issuers;
mod client_certificates;
mod error_body;
mod error_responses;
mod guard_policies;
mod guards;
mod misconfiguration;
mod outage;
mod pages;
mod principals;
mod protected_resources;
mod readiness;
mod rejection_metrics;
mod requirements;
mod secrecy;
mod service_keys;
mod source_cookie;
mod source_header;
mod startup;
mod test_kit;
mod token_sources;
mod websocket;

mod challenge_grammar;
mod test_app;
mod test_server;
