//! Waits until the target accepts a valid token, and detects which algorithms it accepts.

use std::time::{Duration, Instant};

use bearward::Algorithm;

use super::{
    command::Command, error::ContractError, harness::Harness, options::Progress, target::Response,
};

/// The target accepts valid tokens.
pub(super) struct Ready {
    /// Whether it accepts a key set with unusual members.
    pub(super) accepts_unusual_keys: bool,
}

/// What was observed of a target that did not accept a valid token.
pub(super) struct NotReady {
    pub(super) last: String,
    pub(super) responded: bool,
    /// The status of the last response to a valid token.
    pub(super) status: Option<u16>,
    /// Whether the command exited.
    pub(super) exited: bool,
    pub(super) fetches: usize,
    pub(super) discoveries: usize,
}

/// The algorithms that servers support most often, in the order in which they are tried.
const CANDIDATES: [Algorithm; 4] = [
    Algorithm::RS256,
    Algorithm::ES256,
    Algorithm::EdDSA,
    Algorithm::PS256,
];

/// How long a target may take to use keys that it has fetched.
const LOADING_TIME: Duration = Duration::from_secs(3);

/// Waits until the target accepts a valid token.
///
/// # Errors
/// If the command cannot be started again.
pub(super) async fn await_target(
    harness: &Harness,
    command: &mut Command,
) -> Result<Result<Ready, NotReady>, ContractError> {
    harness.options.report_progress(Progress::Waiting);
    let started_at = Instant::now();
    let (mut first_response, mut first_fetch) = (None, None);
    let mut accepts_unusual_keys = true;
    let mut status = None;
    let mut pause = Duration::from_millis(50);
    loop {
        let last = match send_valid_tokens(harness).await {
            Attempt::Accepted => {
                detect_algorithms(harness).await;
                harness.record_ready();
                return Ok(Ok(Ready {
                    accepts_unusual_keys,
                }));
            }
            Attempt::Rejected(first_status, description) => {
                first_response.get_or_insert_with(Instant::now);
                status = Some(first_status);
                description
            }
            Attempt::NoResponse(description) => description,
        };
        if harness.fetches() > 0 {
            first_fetch.get_or_insert_with(Instant::now);
        }
        let exit_status = command.exit_status();
        let suspects_unusual_keys = accepts_unusual_keys
            && (suspects_unusual_keys(harness, first_response, first_fetch)
                || (exit_status.is_some() && first_fetch.is_some()));
        if suspects_unusual_keys {
            accepts_unusual_keys = false;
            harness.publish_initial(false);
            // It loads the keys again at once, instead of after its cooldown.
            if command.restart()? {
                continue;
            }
        }
        if let Some(exit_status) = exit_status {
            return Ok(Err(NotReady {
                exited: true,
                ..not_ready(harness, exit_status, status)
            }));
        }
        if started_at.elapsed() >= harness.options.ready_timeout {
            return Ok(Err(not_ready(harness, last, status)));
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_millis(500));
    }
}

/// Whether the unusual keys of the set may be why the target rejects valid tokens.
///
/// It has fetched this set and still rejects them after [`LOADING_TIME`]; or it fetches the set again
/// and again without listening, because it ends each time. A target that has fetched the set once
/// may load the keys before it listens, and one that has not fetched it may be within the cooldown
/// of an earlier run: both have most of the time limit.
fn suspects_unusual_keys(
    harness: &Harness,
    first_response: Option<Instant>,
    first_fetch: Option<Instant>,
) -> bool {
    let is_past = |at: Option<Instant>, time| at.is_some_and(|at| at.elapsed() >= time);
    let has_reacted = first_response.is_some() || harness.fetches() > 1;
    (has_reacted && is_past(first_fetch, LOADING_TIME))
        || is_past(
            first_response.or(first_fetch),
            harness.options.ready_timeout * 2 / 3,
        )
}

/// The result of sending a valid token with each candidate algorithm.
enum Attempt {
    Accepted,
    /// The status of the first response, and a description of all.
    Rejected(u16, String),
    NoResponse(String),
}

async fn send_valid_tokens(harness: &Harness) -> Attempt {
    let mut responses: Vec<(Response, Vec<&'static str>)> = Vec::new();
    let mut error = None;
    for algorithm in candidates(harness) {
        match harness
            .send_token_once(&valid_token(harness, algorithm))
            .await
        {
            Ok(response) if response.is_accepted() => return Attempt::Accepted,
            Ok(response) => match responses
                .iter_mut()
                .find(|(known, _)| known.status == response.status)
            {
                Some((_, algorithms)) => algorithms.push(algorithm.name()),
                None => responses.push((response, vec![algorithm.name()])),
            },
            Err(problem) => {
                error = Some(problem.describe());
                break;
            }
        }
    }
    let describe = |(response, algorithms): &(Response, Vec<&str>)| {
        format!("{} with {}", algorithms.join(", "), response.describe())
    };
    match responses.first() {
        Some((response, _)) => Attempt::Rejected(
            response.status,
            format!(
                "it responds to a valid token signed with {}",
                responses
                    .iter()
                    .map(describe)
                    .collect::<Vec<_>>()
                    .join("; with ")
            ),
        ),
        None => Attempt::NoResponse(error.unwrap_or_default()),
    }
}

/// Stores the accepted algorithms: those of the options, or those that the target accepts.
async fn detect_algorithms(harness: &Harness) {
    let listed = &harness.options.algorithms;
    if !listed.is_empty() {
        return harness.forge.set_accepted(listed.clone());
    }
    let mut accepted = Vec::new();
    for &algorithm in Algorithm::ALL {
        if harness
            .send_token(&valid_token(harness, algorithm))
            .await
            .is_ok_and(|response| response.is_accepted())
        {
            accepted.push(algorithm);
        }
    }
    harness.forge.set_accepted(accepted);
}

fn valid_token(harness: &Harness, algorithm: Algorithm) -> String {
    harness
        .forge
        .token_signed_by(harness.forge.key_for(algorithm))
        .sign()
}

fn candidates(harness: &Harness) -> Vec<Algorithm> {
    let listed = &harness.options.algorithms;
    if listed.is_empty() {
        CANDIDATES.to_vec()
    } else {
        listed.clone()
    }
}

fn not_ready(harness: &Harness, last: String, status: Option<u16>) -> NotReady {
    NotReady {
        last,
        responded: status.is_some(),
        status,
        exited: false,
        fetches: harness.fetches(),
        discoveries: harness.idp.discoveries(),
    }
}
