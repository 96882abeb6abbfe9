//! The key endpoint takes a connection and does not answer.

use std::{sync::Arc, time::Duration};

use bearward_testing::Faults;
use futures_util::future::{Either, select};
use uuid::Uuid;

use super::Group;
use crate::{
    case::{Case, Severity, StepError},
    harness::{Harness, accepted, found},
    target::{Answer, NoAnswer, Request},
};

pub(super) const GROUP: Group = Group {
    name: "slow",
    title: "a slow issuer does not make the target slow",
    hint: "fetch keys in a task or a thread of their own, with a timeout of a few seconds, and let nobody wait whose key is known",
    timed: true,
    cases,
};

/// In time, while a fetch hangs.
const PROMPT: Duration = Duration::from_secs(3);

fn cases() -> Vec<Case> {
    vec![
        Case::steps(
            "slow.known-key",
            "a good token while the key endpoint does not answer",
            Severity::High,
            "2xx within 3 s",
            |bench| Box::pin(async move { outcome(&bench).await?.known }),
        )
        .rationale(
            "one token of a stranger, and everybody waits",
            "RFC 9110 §15.6.5",
        ),
        Case::steps(
            "slow.unknown-key",
            "a token of an unknown key while the key endpoint does not answer",
            Severity::High,
            "a refusal, within the longest timeout of well-known libraries (35 s)",
            |bench| Box::pin(async move { outcome(&bench).await?.unknown }),
        )
        .rationale(
            "requests without an end fill the server",
            "RFC 9110 §15.6.5",
        ),
    ]
}

/// What was seen while the endpoint hung, once a run: both cases look at it.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    known: Result<(), StepError>,
    unknown: Result<(), StepError>,
}

async fn outcome(bench: &Arc<Harness>) -> Result<Seen, StepError> {
    bench.slow.get_or_init(|| look(bench)).await.clone()
}

async fn look(bench: &Harness) -> Result<Seen, StepError> {
    let before = bench.fetches();
    let mut pending = None;
    bench.break_with(Faults::hang());
    for attempt in 0..2 {
        if attempt > 0 {
            bench.cool_down().await;
            tokio::time::sleep(bench.options.cooldown / 10).await;
        }
        // Held by this request alone: the others' connections are not waited for.
        let request = Request::bearer(&bench.forge.token().kid(&Uuid::new_v4().to_string()).sign());
        let mut asked = Box::pin(async move {
            bench
                .target
                .send_within(&request, bench.options.patience)
                .await
        });
        loop {
            match select(
                asked,
                Box::pin(tokio::time::sleep(Duration::from_millis(20))),
            )
            .await
            {
                Either::Left((answer, _)) => {
                    if bench.fetches() > before {
                        pending = Some(Either::Left(answer));
                    }
                    break;
                }
                Either::Right(((), waiting)) if bench.fetches() > before => {
                    pending = Some(Either::Right(waiting));
                    break;
                }
                Either::Right(((), waiting)) => asked = waiting,
            }
        }
        if pending.is_some() {
            break;
        }
    }
    let seen = match pending {
        None => Err(StepError::Cannot(
            "the target did not ask for the keys again, even after its cooldown".to_owned(),
        )),
        Some(pending) => {
            let known = futures_util::future::join(known(bench), async {
                match pending {
                    Either::Left(answer) => answer,
                    Either::Right(waiting) => waiting.await,
                }
            });
            let (known, answer) = known.await;
            Ok(Seen {
                known,
                unknown: bounded(answer),
            })
        }
    };
    bench.publish_current();
    seen
}

async fn known(bench: &Harness) -> Result<(), StepError> {
    for _ in 0..3 {
        let request = Request::bearer(&bench.forge.token().sign());
        accepted(
            bench.target.send_within(&request, PROMPT).await,
            "2xx within 3 s for a token of a key that the target has",
        )?;
    }
    Ok(())
}

fn bounded(answer: Result<Answer, NoAnswer>) -> Result<(), StepError> {
    match answer {
        Ok(answer) if answer.is_accepted() => {
            Err(found("a refusal: the key is not published", answer.words()))
        }
        Ok(_) => Ok(()),
        Err(NoAnswer::Down(why)) => Err(StepError::Down(why)),
        Err(none) => Err(found("an answer, sooner or later", none.words())),
    }
}
