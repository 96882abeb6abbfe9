//! The contract test: one identity provider against one protected URL, in any language.
//!
//! It plays the IdP that the target trusts, sends good tokens and hostile ones, turns keys, fails,
//! and says what holds. The command `bearward contract` is this with a table; a Rust test writes:
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
//! # What a case assumes
//! Every token has a subject, a session and an id of its own, so that no cache of the target
//! decides. Nothing that comes before the rotations needs a key that the target has not seen, so a
//! quick run waits for nothing. Where a case needs the target to ask for keys again, it tries at
//! once, and then after [`Options::cooldown`], twice: a target that limits how often it asks is
//! sound, and so is one that keeps a key for minutes. Rotations come before outages, and both
//! before the flood, which uses up what a target may ask for. A run makes about 700 requests; a
//! target that limits its rate (429) is waited for, and the report says so.

mod case;
mod cases;
mod challenge;
mod command;
mod evaluate;
mod failure_kind;
mod forge;
mod harness;
mod options;
mod plan;
#[cfg(unix)]
mod process;
mod ready;
mod report;
mod rsa_1024;
mod runner;
mod selection;
mod target;

pub use self::{
    case::{Case, Expectation, Precondition, Severity},
    cases::Group,
    options::{Options, Progress},
    report::{CaseResult, Outcome, Report},
    runner::{Contract, ContractError},
};

/// Opens the IdP, runs the battery against the target, and tells what held.
///
/// The target has to trust the IdP of [`Options::issuer_bind`] already, or be started by
/// [`Options::start`]; a test that starts its own server needs the address first and uses
/// [`Contract`].
///
/// # Errors
/// [`ContractError`]: why it could not be run.
pub async fn run(target: &str, options: Options) -> Result<Report, ContractError> {
    Contract::open(options)?.run(target).await
}

/// Every case, in the order in which they are run.
pub fn all_cases() -> Vec<Case> {
    cases::GROUPS
        .iter()
        .flat_map(|group| (group.cases)())
        .collect()
}

/// Every group, in that order.
pub fn groups() -> &'static [Group] {
    &cases::GROUPS
}
