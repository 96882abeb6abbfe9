//! Tests of the conformance suite: against a correct server, against bearward, and against servers
//! with one flaw each.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod client_certificates;
mod determinism;
mod edge_cases;
mod flaws;
mod flaws_are_detected;
mod helpers;
mod mcp;
mod mcp_server;
mod our_server;
mod reports;
mod test_server;
