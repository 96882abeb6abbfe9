//! Conformance suite for servers that verify JWTs, in any language.
//!
//! The suite acts as the identity provider that the server under test (the *target*) trusts. It
//! sends valid, invalid and forged tokens to one protected URL, rotates keys, simulates outages,
//! and reports which cases passed. The command `bearward contract` runs it from the command line; a
//! Rust test uses [`Contract`]:
//!
//! ```no_run
//! use bearward_contract::{Contract, Options};
//!
//! # async fn start_my_server(issuer: &str, jwks_url: &str) -> String { String::new() }
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let contract = Contract::open(Options { quick: true, ..Options::default() })?;
//! let url = start_my_server(&contract.issuer(), &contract.jwks_url()).await;
//! let report = contract.run(&url).await?;
//! assert!(report.passed(), "{report}");
//! # Ok(()) }
//! ```
//!
//! # Assumptions
//! - Every token has its own subject, session and `jti`, so that token caches of the target do not
//!   affect the result.
//! - No case before the rotations needs a key that the target has not fetched, so a quick run does
//!   not wait.
//! - If a case needs the target to fetch the keys again, it tries immediately and then after
//!   [`Options::cooldown`], up to twice. Targets may limit how often they fetch, and may cache keys
//!   for minutes.
//! - Rotations run before outages, and both before the flood, which exhausts the target's fetch
//!   limit.
//! - A full run sends about 700 requests. If the target limits the request rate (429), the suite
//!   waits and the report says so.

mod case;
mod cases;
mod challenge;
mod client_certificate;
mod command;
mod diagnosis;
mod error;
mod evaluate;
mod finding;
mod forge;
mod front;
mod group;
mod harness;
mod options;
mod plan;
mod platform;
#[cfg(unix)]
mod process;
mod profile;
mod ready;
mod registry;
mod replay;
mod report;
mod rsa_1024;
mod runner;
mod target;
mod validate;

pub use self::{
    case::{Case, Expectation, Precondition, Severity},
    error::ContractError,
    group::Group,
    options::{Options, Progress},
    platform::PlatformOption,
    profile::Profile,
    registry::{all_cases, groups},
    report::{CaseResult, Finding, Outcome, Replay, Report},
    runner::Contract,
};

/// Starts the mock IdP, runs the suite against `target` and returns the report.
///
/// The target must already trust the IdP at [`Options::issuer_bind`], or be started by
/// [`Options::start`]. A test that starts its own server needs the IdP's address first: use
/// [`Contract`].
///
/// # Errors
/// Returns a [`ContractError`] if the suite could not be run to its end. A failed case is not an
/// error.
pub async fn run(target: &str, options: Options) -> Result<Report, ContractError> {
    Contract::open(options)?.run(target).await
}
