//! The errors of a run, and of a single step of a case.

use std::io;

use bearward_http::bind_error_hint;

use super::finding::Failure;

/// Why the steps of a case ended early.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum StepError {
    /// The case failed.
    Failed(Failure),
    /// The case does not apply to this target, with the reason.
    NotApplicable(String),
    /// The target does not accept connections.
    Connect(String),
}

/// The suite could not be run, or not to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ContractError {
    /// An option is invalid, or contradicts another one.
    #[error("{0}")]
    Options(String),
    /// The mock IdP cannot listen.
    #[error("the mock IdP cannot listen on {address}: {}", bind_error_hint(.source, "--issuer-bind 127.0.0.1:PORT"))]
    Bind {
        /// The requested address.
        address: std::net::SocketAddr,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The command that starts the target cannot be run.
    #[error("cannot run the command that starts the target: {0}")]
    Start(io::Error),
    /// The target did not accept a valid token within the time limit.
    #[error("{0}")]
    NotReady(String),
    /// The target stopped accepting connections and did not come back.
    #[error("the target stopped responding at case {case}: {reason}\n{recent_output}")]
    Down {
        /// The case that was running.
        case: &'static str,
        /// What was observed.
        reason: String,
        /// The last lines that the target's command wrote.
        recent_output: String,
    },
}
