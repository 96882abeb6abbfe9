//! The key endpoint is down, or responds with errors.

use std::{
    future::Future,
    sync::Arc,
    time::{Duration, Instant},
};

use bearward_testing::Faults;
use tokio::sync::OnceCell;
use uuid::Uuid;

use super::{
    flood::{FLOOD, allowed_fetches},
    slow_jwks,
};
use crate::{
    case::{Case, Severity},
    error::StepError,
    front::Connections,
    group::Group,
    harness::{Harness, describe_fetches, describe_requests, failure, unexpected_response},
    target::{RequestError, Response},
};

pub(crate) const GROUP: Group = Group {
    name: "outage",
    title: "an outage of the issuer does not cause an outage of the target",
    hint: "keep the last valid key set while fetches fail, replace it only with a set that can be parsed, and respond with 503 if a key is \
           unavailable. Fetch keys in the background, with a timeout and exponential backoff",
    timed: true,
    cases,
};

/// The time limit for a valid token during an outage.
const PROMPT: Duration = Duration::from_secs(5);

fn cases() -> Vec<Case> {
    let rationale = "otherwise every outage of the issuer locks out all signed-in users";
    let known = "2xx for a token signed with a known key";
    let known_key = |id, title| {
        Case::steps(id, title, Severity::High, known, move |harness| {
            Box::pin(known_key(harness, id))
        })
        .rationale(rationale, "RFC 9111 §4.2.4")
    };
    let mut cases = vec![
        known_key(
            "outage.known-key",
            "a valid token while the key endpoint responds with 503 and an HTML page",
        ),
        known_key(
            "outage.json-error",
            "a valid token while the key endpoint responds with 503 and a JSON error",
        ),
        known_key(
            "outage.page",
            "a valid token while the key endpoint responds with 200 and an HTML page",
        ),
        known_key(
            "outage.empty-set",
            "a valid token while the key endpoint responds with an empty set",
        )
        .severity(Severity::Medium)
        .severity_note("the issuer would have to publish no key")
        .strict(),
        known_key(
            "outage.large-set",
            "a valid token while the key endpoint responds with 4 MiB",
        )
        .strict(),
        known_key(
            "outage.reset",
            "a valid token while the issuer resets connections",
        ),
        known_key(
            "outage.refused",
            "a valid token while the issuer refuses connections",
        ),
    ];
    cases.extend([
        Case::steps(
            "outage.unknown-key",
            "a token signed with an unpublished key while the key endpoint responds with 503",
            Severity::Critical,
            "401, 403 or 5xx; in strict mode 401 or 503",
            |harness| Box::pin(unknown_key(harness)),
        )
        .rationale("a token that cannot be verified must not be accepted; after a 503 clients retry instead of signing out", "RFC 9110 §15.6.4"),
        Case::steps(
            "outage.redirect",
            "the key endpoint redirects to another host",
            Severity::Medium,
            "no request to that host",
            |harness| Box::pin(no_request_to_redirect_target(harness)),
        )
        .strict()
        .rationale(
            "an attacker who can cause a redirect controls the keys, or the internal URLs that the server fetches",
            "GHSA-f5mr-q85p-6hh6",
        ),
        Case::steps(
            "outage.hammering",
            "100 tokens with unknown kids while the key endpoint responds with 503",
            Severity::High,
            "at most 12 fetches",
            |harness| Box::pin(limited_fetches(harness)),
        )
        .strict()
        .hint("count failed fetches in the limit for unknown kids, too")
        .rationale("a limit that counts only successful fetches lets every client flood an issuer that is recovering", "CVE-2026-48524"),
        Case::steps(
            "outage.recovery",
            "the key endpoint recovers, with a new key",
            Severity::High,
            "2xx for a token signed with the new key, within two cooldowns",
            |harness| Box::pin(recovery(harness)),
        )
        .rationale("the target must recover without a restart", "OpenID Connect Core §10.1.1"),
        Case::steps(
            "outage.hang",
            "a valid token after the key endpoint did not respond in time",
            Severity::High,
            known,
            |harness| Box::pin(slow_jwks::known_key_after_timeout(harness)),
        )
        .rationale(rationale, "RFC 9111 §4.2.4"),
    ]);
    cases
}

/// Runs steps while the key endpoint fails, and ends the fault afterwards.
async fn with_faults<T>(
    harness: &Harness,
    faults: Faults,
    steps: impl Future<Output = Result<T, StepError>>,
) -> Result<T, StepError> {
    harness.inject_faults(faults);
    let result = steps.await;
    harness.publish_current();
    result
}

/// The results of the cases with a valid token, which [`outage_results`] runs together.
#[derive(Default)]
struct OutageResults(OnceCell<Vec<(&'static str, Result<(), StepError>)>>);

/// How the issuer fails.
enum Fault {
    Response(Faults),
    Connections(Connections),
}

/// The body of an error of an API. A client that ignores the status finds a JSON object, but no
/// keys.
const JSON_ERROR: &str = r#"{"error":"service_unavailable","message":"Service Unavailable"}"#;

fn faults() -> [(&'static str, bool, Fault); 7] {
    let page = "<html><body>Service unavailable</body></html>";
    [
        ("outage.known-key", false, Fault::Response(Faults::outage())),
        (
            "outage.json-error",
            false,
            Fault::Response(Faults {
                body: Some(JSON_ERROR.to_owned()),
                ..Faults::outage()
            }),
        ),
        ("outage.page", false, Fault::Response(Faults::body(page))),
        (
            "outage.empty-set",
            true,
            Fault::Response(Faults::body(r#"{"keys":[]}"#)),
        ),
        (
            "outage.large-set",
            true,
            Fault::Response(Faults {
                padding_bytes: Some(4 << 20),
                ..Faults::body("{}")
            }),
        ),
        (
            "outage.reset",
            false,
            Fault::Connections(Connections::Reset),
        ),
        // Last: its attempts cannot be observed.
        (
            "outage.refused",
            false,
            Fault::Connections(Connections::Refuse),
        ),
    ]
}

/// Runs one fault after the other without a successful fetch in between, so that the target's
/// cooldown elapses only once.
async fn outage_results(harness: &Harness) -> Vec<(&'static str, Result<(), StepError>)> {
    let mut results: Vec<(&'static str, Result<(), StepError>)> = Vec::new();
    for (id, is_strict, fault) in faults() {
        if !harness.options.is_selected(id) || (is_strict && !harness.options.strict) {
            continue;
        }
        let result = match fault {
            Fault::Response(faults) => {
                harness.inject_faults(faults);
                known_key_after_failed_fetch(harness).await
            }
            Fault::Connections(Connections::Refuse) => {
                known_key_after_refused_connection(harness, results.last()).await
            }
            Fault::Connections(connections) => {
                harness.set_connections(connections).await;
                let result = known_key_after_failed_fetch(harness).await;
                // The next fault must be in effect before the target can connect.
                harness.inject_faults(Faults::outage());
                harness.set_connections(Connections::Forward).await;
                result
            }
        };
        results.push((id, result));
    }
    harness.publish_current();
    results
}

/// As [`known_key_after_failed_fetch`], for a fetch that cannot be observed: the target must have
/// fetched the keys before, for another unknown key.
async fn known_key_after_refused_connection(
    harness: &Harness,
    previous: Option<&(&'static str, Result<(), StepError>)>,
) -> Result<(), StepError> {
    match previous {
        Some((_, Err(StepError::NotApplicable(reason)))) => {
            return Err(StepError::NotApplicable(reason.clone()));
        }
        Some(_) => {}
        None => harness.trigger_refresh().await?,
    }
    harness.set_connections(Connections::Refuse).await;
    let result = async {
        harness.wait_for_cooldown().await;
        harness.send_unknown_key().await?;
        expect_known_key_accepted(harness).await
    }
    .await;
    harness.set_connections(Connections::Forward).await;
    result
}

async fn known_key_after_failed_fetch(harness: &Harness) -> Result<(), StepError> {
    harness.trigger_refresh().await?;
    expect_known_key_accepted(harness).await
}

async fn expect_known_key_accepted(harness: &Harness) -> Result<(), StepError> {
    for _ in 0..3 {
        harness
            .expect_accepted_within(
                &harness.forge.key(),
                PROMPT,
                "2xx for a token signed with a known key, after a failed fetch",
            )
            .await?;
    }
    Ok(())
}

async fn known_key(harness: Arc<Harness>, id: &'static str) -> Result<(), StepError> {
    let state = harness.group_state::<OutageResults>();
    let results = state.0.get_or_init(|| outage_results(&harness)).await;
    let result = results.iter().find(|(known, _)| *known == id);
    result.map_or_else(
        || {
            Err(StepError::NotApplicable(
                "the case is not selected".to_owned(),
            ))
        },
        |(_, result)| result.clone(),
    )
}

async fn unknown_key(harness: Arc<Harness>) -> Result<(), StepError> {
    let expected = if harness.options.strict {
        "401 or 503"
    } else {
        "401, 403 or 5xx"
    };
    with_faults(&harness, Faults::outage(), async {
        let key = harness.forge.new_key();
        let response = harness
            .send_token(&harness.forge.token_signed_by(key).sign())
            .await;
        match response {
            Ok(response) if harness.options.strict && matches!(response.status, 401 | 503) => {
                Ok(())
            }
            Ok(response)
                if !harness.options.strict
                    && (matches!(response.status, 401 | 403) || response.status >= 500) =>
            {
                Ok(())
            }
            response => Err(unexpected_response(response, expected)),
        }
    })
    .await
}

async fn no_request_to_redirect_target(harness: Arc<Harness>) -> Result<(), StepError> {
    let to = harness.forge.canary.jwks_url.clone();
    let before = harness.canary.fetches();
    with_faults(&harness, Faults::redirect(to), harness.trigger_refresh()).await?;
    match harness.canary.fetches() - before {
        0 => Ok(()),
        requests => Err(failure(
            "no request to the host of the redirect",
            describe_requests(requests),
        )),
    }
}

async fn limited_fetches(harness: Arc<Harness>) -> Result<(), StepError> {
    harness.wait_for_cooldown().await;
    let (before, started) = (harness.fetches(), Instant::now());
    with_faults(&harness, Faults::outage(), async {
        for _ in 0..FLOOD {
            let token = harness
                .forge
                .token()
                .kid(&Uuid::new_v4().to_string())
                .sign();
            if let Err(RequestError::Connect(error)) = harness.send_token(&token).await {
                return Err(StepError::Connect(error));
            }
        }
        Ok(())
    })
    .await?;
    let allowed = allowed_fetches(started.elapsed());
    match harness.fetches() - before {
        fetches if fetches <= allowed => Ok(()),
        fetches => Err(failure(
            format!("at most {allowed} fetches"),
            describe_fetches(fetches),
        )),
    }
}

async fn recovery(harness: Arc<Harness>) -> Result<(), StepError> {
    let key = harness.forge.new_key();
    let expected = "2xx for a token signed with the new key, within two cooldowns";
    with_faults(&harness, Faults::outage(), async {
        match harness
            .send_token(&harness.forge.token_signed_by(key.clone()).sign())
            .await
        {
            Ok(response) if response.is_accepted() => Err(failure(
                "a rejection while the key is not published",
                response.describe(),
            )),
            Err(RequestError::Connect(error)) => Err(StepError::Connect(error)),
            _ => Ok(()),
        }
    })
    .await?;
    let before = harness.fetches();
    harness.publish(key.jwk().into());
    let until =
        tokio::time::Instant::now() + 2 * harness.cooldown() + harness.options.backoff.max(PROMPT);
    // Requests are spaced so that they do not extend a cooldown that each attempt restarts.
    let pause = (harness.cooldown() / 10).clamp(Duration::from_millis(50), Duration::from_secs(5));
    loop {
        let response = harness
            .send_token(&harness.forge.token_signed_by(key.clone()).sign())
            .await;
        match response {
            Ok(response) if response.is_accepted() => return Ok(()),
            Err(RequestError::Connect(error)) => return Err(StepError::Connect(error)),
            response if tokio::time::Instant::now() >= until => {
                let error = failure(
                    expected,
                    response.map_or_else(
                        |error| error.describe(),
                        |response: Response| response.describe(),
                    ),
                );
                return Err(harness.explain_rejected_new_key(error, before));
            }
            _ => tokio::time::sleep(pause).await,
        }
    }
}
