//! The key endpoint accepts connections but does not respond.

use std::{sync::Arc, time::Duration};

use bearward_testing::Faults;
use futures_util::future::{Either, select};
use tokio::sync::OnceCell;
use uuid::Uuid;

use crate::{
    case::{Case, Severity},
    error::StepError,
    group::Group,
    harness::{Harness, expect_accepted, failure},
    target::{Request, RequestError, Response},
};

pub(crate) const GROUP: Group = Group {
    name: "slow",
    title: "a slow issuer does not slow down the target",
    hint: "fetch keys in a background task with a timeout of a few seconds, and do not block requests whose key is known",
    timed: true,
    cases,
};

/// The time limit for a valid token while a fetch hangs.
const PROMPT: Duration = Duration::from_secs(3);

fn cases() -> Vec<Case> {
    vec![
        Case::steps(
            "slow.known-key",
            "a valid token while the key endpoint does not respond",
            Severity::High,
            "2xx within 3 s",
            |harness| Box::pin(async move { results(&harness).await?.known_key }),
        )
        .rationale(
            "otherwise a single forged token makes all requests wait",
            "RFC 9110 §15.6.5",
        ),
        Case::steps(
            "slow.unknown-key",
            "a token with an unknown key while the key endpoint does not respond",
            Severity::High,
            "a rejection within 35 s, which exceeds the timeouts of common libraries",
            |harness| Box::pin(async move { results(&harness).await?.unknown_key }),
        )
        .rationale(
            "requests without a timeout exhaust the server",
            "RFC 9110 §15.6.5",
        ),
    ]
}

/// The results of both cases, which are observed together while the endpoint hangs.
#[derive(Debug, Clone)]
struct SlowResults {
    known_key: Result<(), StepError>,
    unknown_key: Result<(), StepError>,
    /// The result for a known key after the response to the unknown one.
    after_timeout: Result<(), StepError>,
}

#[derive(Default)]
struct SlowState(OnceCell<Result<SlowResults, StepError>>);

/// Requires that a known key is accepted after a fetch has timed out.
pub(super) async fn known_key_after_timeout(harness: Arc<Harness>) -> Result<(), StepError> {
    let results = results(&harness).await?;
    if results.known_key.is_err() {
        return Err(StepError::NotApplicable(
            "valid tokens are not accepted while a fetch is in progress, as slow.known-key reports"
                .to_owned(),
        ));
    }
    results.after_timeout
}

async fn results(harness: &Arc<Harness>) -> Result<SlowResults, StepError> {
    let state = harness.group_state::<SlowState>();
    state.0.get_or_init(|| observe(harness)).await.clone()
}

async fn observe(harness: &Harness) -> Result<SlowResults, StepError> {
    let before = harness.fetches();
    let mut pending = None;
    harness.inject_faults(Faults::hang());
    for attempt in 0..2 {
        if attempt > 0 {
            harness.wait_for_cooldown().await;
            tokio::time::sleep(harness.cooldown() / 10).await;
        }
        let token = harness
            .forge
            .token()
            .kid(&Uuid::new_v4().to_string())
            .sign();
        let request = Request::bearer(&token);
        let mut response = Box::pin(async move {
            harness
                .target
                .send_within(&request, harness.options.slow_request_timeout)
                .await
        });
        loop {
            match select(
                response,
                Box::pin(tokio::time::sleep(Duration::from_millis(20))),
            )
            .await
            {
                Either::Left((response, _)) => {
                    if harness.fetches() > before {
                        pending = Some(Either::Left(response));
                    }
                    break;
                }
                Either::Right(((), waiting)) if harness.fetches() > before => {
                    pending = Some(Either::Right(waiting));
                    break;
                }
                Either::Right(((), waiting)) => response = waiting,
            }
        }
        if pending.is_some() {
            break;
        }
    }
    let results = match pending {
        None => Err(StepError::NotApplicable(
            "the target did not fetch the keys again, even after the cooldown".to_owned(),
        )),
        Some(pending) => {
            let unknown_key = async {
                match pending {
                    Either::Left(response) => response,
                    Either::Right(waiting) => waiting.await,
                }
            };
            let (known_key, response) =
                futures_util::future::join(expect_known_key_accepted(harness), unknown_key).await;
            Ok(SlowResults {
                known_key,
                unknown_key: expect_bounded_rejection(response),
                after_timeout: expect_known_key_accepted(harness).await,
            })
        }
    };
    harness.publish_current();
    results
}

async fn expect_known_key_accepted(harness: &Harness) -> Result<(), StepError> {
    for _ in 0..3 {
        let request = Request::bearer(&harness.forge.token().sign());
        expect_accepted(
            harness.target.send_within(&request, PROMPT).await,
            "2xx within 3 s for a token signed with a known key",
        )?;
    }
    Ok(())
}

fn expect_bounded_rejection(response: Result<Response, RequestError>) -> Result<(), StepError> {
    match response {
        Ok(response) if response.is_accepted() => Err(failure(
            "a rejection: the key is not published",
            response.describe(),
        )),
        Ok(_) => Ok(()),
        Err(RequestError::Connect(error)) => Err(StepError::Connect(error)),
        Err(error) => Err(failure("a response", error.describe())),
    }
}
