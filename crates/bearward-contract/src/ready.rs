//! Until the target accepts a good token, and which algorithms it accepts.

use std::time::{Duration, Instant};

use bearward::Algorithm;

use super::{harness::Harness, options::Progress, target::Answer};

/// What was learnt.
pub(super) struct Ready {
    /// It takes a key set with unusual members.
    pub(super) odd: bool,
}

/// Why it never accepted a good token: what was seen.
pub(super) struct NotReady {
    pub(super) last: String,
    pub(super) answered: bool,
    /// What a good token was answered with last.
    pub(super) status: Option<u16>,
    /// The command ended, and nobody else listens.
    pub(super) ended: bool,
    pub(super) fetches: usize,
    pub(super) discoveries: usize,
}

/// What servers are set up for most often, in the order in which it is tried.
const USUAL: [Algorithm; 4] = [
    Algorithm::RS256,
    Algorithm::ES256,
    Algorithm::EdDSA,
    Algorithm::PS256,
];

/// Waits for the target. `alive` tells that it has ended.
pub(super) async fn await_target(
    bench: &Harness,
    mut alive: impl FnMut() -> Result<(), String>,
) -> Result<Ready, NotReady> {
    bench.options.tell(Progress::Waiting);
    let limit = bench.options.ready_timeout;
    let began = Instant::now();
    let (mut first_answer, mut odd) = (None, true);
    let (mut last, mut status) = (String::new(), None);
    let mut pause = Duration::from_millis(50);
    loop {
        let mut answers: Vec<(Answer, Vec<&'static str>)> = Vec::new();
        for algorithm in candidates(bench, &USUAL) {
            match bench.try_once(&good(bench, algorithm)).await {
                Ok(answer) if answer.is_accepted() => {
                    settle(bench).await;
                    bench.note_ready();
                    return Ok(Ready { odd });
                }
                Ok(answer) => {
                    first_answer.get_or_insert_with(Instant::now);
                    match answers
                        .iter_mut()
                        .find(|(known, _)| known.status == answer.status)
                    {
                        Some((_, algorithms)) => algorithms.push(algorithm.name()),
                        None => answers.push((answer, vec![algorithm.name()])),
                    }
                }
                Err(none) => {
                    last = none.words();
                    break;
                }
            }
        }
        if let Some((answer, _)) = answers.first() {
            status = Some(answer.status);
            let with = |(answer, algorithms): &(Answer, Vec<&str>)| {
                format!("{} with {}", algorithms.join(", "), answer.words())
            };
            last = format!(
                "it answers a good token of {}",
                answers.iter().map(with).collect::<Vec<_>>().join("; of ")
            );
        }
        if let Err(ended) = alive() {
            return Err(NotReady {
                ended: true,
                ..not_ready(bench, ended, status)
            });
        }
        if began.elapsed() >= limit {
            return Err(not_ready(bench, last, status));
        }
        // Late enough that a cooldown from an earlier run has ended: then the unusual members are
        // to blame. Also where it has asked for the keys and does not listen: some read
        // them first.
        let since = first_answer.or((bench.fetches() > 0).then_some(began));
        if odd && since.is_some_and(|at| at.elapsed() >= limit * 2 / 3) {
            odd = false;
            bench.publish_initial(false);
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_millis(500));
    }
}

/// Notes the algorithms: as the options say, or as the target accepts.
async fn settle(bench: &Harness) {
    let listed = &bench.options.algorithms;
    if !listed.is_empty() {
        return bench.forge.settle(listed.clone());
    }
    let mut accepted = Vec::new();
    for algorithm in Algorithm::ALL {
        if bench
            .send(&good(bench, algorithm))
            .await
            .is_ok_and(|answer| answer.is_accepted())
        {
            accepted.push(algorithm);
        }
    }
    bench.forge.settle(accepted);
}

fn good(bench: &Harness, algorithm: Algorithm) -> String {
    bench.forge.token_by(bench.forge.key_of(algorithm)).sign()
}

fn candidates(bench: &Harness, usual: &[Algorithm]) -> Vec<Algorithm> {
    let listed = &bench.options.algorithms;
    if listed.is_empty() {
        usual.to_vec()
    } else {
        listed.clone()
    }
}

fn not_ready(bench: &Harness, last: String, status: Option<u16>) -> NotReady {
    NotReady {
        last,
        answered: status.is_some(),
        status,
        ended: false,
        fetches: bench.fetches(),
        discoveries: bench.idp.discoveries(),
    }
}
