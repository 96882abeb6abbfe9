//! Waits until the target accepts a valid token, and detects which algorithms it accepts.

use std::time::{Duration, Instant};

use bearward::Algorithm;

use super::{harness::Harness, options::Progress, target::Response};

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

/// Waits until the target accepts a valid token. `check_alive` returns an error once the command
/// has exited.
pub(super) async fn await_target(
    harness: &Harness,
    mut check_alive: impl FnMut() -> Result<(), String>,
) -> Result<Ready, NotReady> {
    harness.options.report_progress(Progress::Waiting);
    let timeout = harness.options.ready_timeout;
    let started_at = Instant::now();
    let (mut first_response, mut accepts_unusual_keys) = (None, true);
    let (mut last, mut status) = (String::new(), None);
    let mut pause = Duration::from_millis(50);
    loop {
        let mut responses: Vec<(Response, Vec<&'static str>)> = Vec::new();
        for algorithm in candidates(harness) {
            match harness
                .send_token_once(&valid_token(harness, algorithm))
                .await
            {
                Ok(response) if response.is_accepted() => {
                    detect_algorithms(harness).await;
                    harness.record_ready();
                    return Ok(Ready {
                        accepts_unusual_keys,
                    });
                }
                Ok(response) => {
                    first_response.get_or_insert_with(Instant::now);
                    match responses
                        .iter_mut()
                        .find(|(known, _)| known.status == response.status)
                    {
                        Some((_, algorithms)) => algorithms.push(algorithm.name()),
                        None => responses.push((response, vec![algorithm.name()])),
                    }
                }
                Err(error) => {
                    last = error.describe();
                    break;
                }
            }
        }
        if let Some((response, _)) = responses.first() {
            status = Some(response.status);
            let describe = |(response, algorithms): &(Response, Vec<&str>)| {
                format!("{} with {}", algorithms.join(", "), response.describe())
            };
            last = format!(
                "it responds to a valid token signed with {}",
                responses
                    .iter()
                    .map(describe)
                    .collect::<Vec<_>>()
                    .join("; with ")
            );
        }
        if let Err(exit_status) = check_alive() {
            return Err(NotReady {
                exited: true,
                ..not_ready(harness, exit_status, status)
            });
        }
        if started_at.elapsed() >= timeout {
            return Err(not_ready(harness, last, status));
        }
        // A cooldown from an earlier run has passed, so the unusual keys may be the cause. This
        // also applies if the target has fetched the keys but does not listen yet, because some
        // servers load the keys before they listen.
        let since = first_response.or((harness.fetches() > 0).then_some(started_at));
        if accepts_unusual_keys && since.is_some_and(|at| at.elapsed() >= timeout * 2 / 3) {
            accepts_unusual_keys = false;
            harness.publish_initial(false);
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_millis(500));
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
