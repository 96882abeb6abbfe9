//! The issuer's key endpoint is down, or answers nonsense.

use std::{future::Future, sync::Arc, time::Duration};

use bearward_testing::Faults;
use uuid::Uuid;

use super::Group;
use crate::{
    case::{Case, Severity, StepError},
    harness::{Harness, found, unexpected_response},
    target::{Answer, NoAnswer},
};

pub(super) const GROUP: Group = Group {
    name: "outage",
    title: "an outage of the issuer is not an outage of the target",
    hint: "keep the last good key set while a fetch fails, replace it by a readable set alone, and answer 503 where a key cannot be \
           had. Fetch keys apart from the requests, with a timeout and pauses that grow",
    timed: true,
    cases,
};

/// In time, while something else hangs or fails.
const PROMPT: Duration = Duration::from_secs(5);

fn cases() -> Vec<Case> {
    let out =
        "the issuer is down for an hour a year; everybody who is signed in is kept out meanwhile";
    let known = "2xx for a token of a key that the target has";
    let down = |case: Case| case.rationale(out, "RFC 9111 §4.2.4");
    let cases = [
        Case::steps(
            "outage.known-key",
            "a good token while the key endpoint answers 503",
            Severity::High,
            known,
            |bench| Box::pin(known_key(bench, "outage.known-key")),
        ),
        Case::steps(
            "outage.page",
            "a good token while the key endpoint answers 200 with an error page",
            Severity::High,
            known,
            |bench| Box::pin(known_key(bench, "outage.page")),
        ),
        Case::steps(
            "outage.empty-set",
            "a good token while the key endpoint answers with no keys",
            Severity::Medium,
            known,
            |bench| Box::pin(known_key(bench, "outage.empty-set")),
        )
        .strict(),
        Case::steps(
            "outage.large-set",
            "a good token while the key endpoint answers with 4 MiB",
            Severity::High,
            known,
            |bench| Box::pin(known_key(bench, "outage.large-set")),
        )
        .strict(),
    ];
    let mut cases: Vec<Case> = cases.map(down).into();
    cases.extend([
        Case::steps(
            "outage.unknown-key",
            "a token of a key that nobody has published, while the key endpoint answers 503",
            Severity::Critical,
            "a refusal: 401, 403 or 5xx; strictly 401 or 503",
            |bench| Box::pin(unknown_key(bench)),
        )
        .rationale("what cannot be verified is not accepted, and a 503 tells clients not to sign out", "RFC 9110 §15.6.4"),
        Case::steps(
            "outage.redirect",
            "the key endpoint redirects to another host",
            Severity::Medium,
            "no request to that host",
            |bench| Box::pin(redirected(bench)),
        )
        .strict()
        .rationale(
            "whoever can make the issuer redirect chooses the keys, or what the server fetches inside its network",
            "GHSA-f5mr-q85p-6hh6",
        ),
        Case::steps(
            "outage.hammering",
            "forty tokens of unknown keys while the key endpoint answers 503",
            Severity::High,
            "at most 12 requests for keys",
            |bench| Box::pin(hammered(bench)),
        )
        .strict()
        .rationale("a limit that counts successes makes every client hammer an issuer that is trying to get up", "CVE-2026-48524"),
        Case::steps(
            "outage.recovery",
            "the key endpoint is back, with a new key",
            Severity::High,
            "2xx for a token of the new key, within two cooldowns",
            |bench| Box::pin(recovery(bench)),
        )
        .rationale("an outage must end when it ends, without a restart", "OpenID Connect Core §10.1.1"),
    ]);
    cases
}

/// Whatever comes of it, the endpoint behaves again.
async fn during<T>(
    bench: &Harness,
    faults: Faults,
    steps: impl Future<Output = Result<T, StepError>>,
) -> Result<T, StepError> {
    bench.break_with(faults);
    let result = steps.await;
    bench.publish_current();
    result
}

/// One way to fail after the other without a good answer in between, so that a target's cooldown is
/// waited for once.
async fn storm(bench: &Harness) -> Vec<(&'static str, Result<(), StepError>)> {
    let faults = [
        ("outage.known-key", Faults::outage()),
        (
            "outage.page",
            Faults::body("<html><body>Service unavailable</body></html>"),
        ),
        ("outage.empty-set", Faults::body(r#"{"keys":[]}"#)),
        (
            "outage.large-set",
            Faults {
                padding_bytes: Some(4 << 20),
                ..Faults::body("{}")
            },
        ),
    ];
    let mut seen = Vec::new();
    for (id, faults) in faults {
        let strict = matches!(id, "outage.empty-set" | "outage.large-set");
        if bench.options.wants(id) && (bench.options.strict || !strict) {
            bench.break_with(faults);
            seen.push((id, known_key_after_a_fetch(bench).await));
        }
    }
    bench.publish_current();
    seen
}

async fn known_key_after_a_fetch(bench: &Harness) -> Result<(), StepError> {
    bench.provoke().await?;
    for _ in 0..3 {
        let expected = "2xx for a token of a key that the target has, after it has failed to fetch";
        bench
            .must_accept(&bench.forge.key(), PROMPT, expected)
            .await?;
    }
    Ok(())
}

async fn known_key(bench: Arc<Harness>, id: &'static str) -> Result<(), StepError> {
    let seen = bench.storm.get_or_init(|| storm(&bench)).await;
    let found = seen
        .iter()
        .find(|(seen, _)| *seen == id)
        .map(|(_, result)| result.clone());
    found.unwrap_or_else(|| Err(StepError::Cannot("it was left out".to_owned())))
}

async fn unknown_key(bench: Arc<Harness>) -> Result<(), StepError> {
    let expected = if bench.options.strict {
        "401 or 503"
    } else {
        "401, 403 or 5xx"
    };
    during(&bench, Faults::outage(), async {
        let key = bench.forge.new_key();
        let answer = bench.send(&bench.forge.token_by(key).sign()).await;
        match answer {
            Ok(answer) if bench.options.strict && matches!(answer.status, 401 | 503) => Ok(()),
            Ok(answer)
                if !bench.options.strict
                    && (matches!(answer.status, 401 | 403) || answer.status >= 500) =>
            {
                Ok(())
            }
            answer => Err(unexpected_response(answer, expected)),
        }
    })
    .await
}

async fn redirected(bench: Arc<Harness>) -> Result<(), StepError> {
    let to = bench.forge.canary.jwks_url.clone();
    let before = bench.canary.fetches();
    during(&bench, Faults::redirect(to), bench.provoke()).await?;
    match bench.canary.fetches() - before {
        0 => Ok(()),
        visits => Err(found(
            "no request to the host that it redirects to",
            format!("{visits} requests"),
        )),
    }
}

async fn hammered(bench: Arc<Harness>) -> Result<(), StepError> {
    const LIMIT: usize = 12;
    bench.cool_down().await;
    let before = bench.fetches();
    during(&bench, Faults::outage(), async {
        for _ in 0..40 {
            let token = bench.forge.token().kid(&Uuid::new_v4().to_string()).sign();
            if let Err(NoAnswer::Down(why)) = bench.send(&token).await {
                return Err(StepError::Down(why));
            }
        }
        Ok(())
    })
    .await?;
    match bench.fetches() - before {
        0..=LIMIT => Ok(()),
        fetches => Err(found(
            "at most 12 requests for keys",
            format!("{fetches} requests for keys"),
        )),
    }
}

async fn recovery(bench: Arc<Harness>) -> Result<(), StepError> {
    let key = bench.forge.new_key();
    let expected = "2xx for a token of the new key, within two cooldowns";
    during(&bench, Faults::outage(), async {
        match bench.send(&bench.forge.token_by(key.clone()).sign()).await {
            Ok(answer) if answer.is_accepted() => Err(found(
                "a refusal while the key is not published",
                answer.words(),
            )),
            Err(NoAnswer::Down(why)) => Err(StepError::Down(why)),
            _ => Ok(()),
        }
    })
    .await?;
    bench.publish(key.jwk().into());
    let until = tokio::time::Instant::now()
        + 2 * bench.options.cooldown
        + bench.options.backoff.max(PROMPT);
    // Seldom enough that the asking itself keeps no cooldown alive.
    let pause =
        (bench.options.cooldown / 10).clamp(Duration::from_millis(50), Duration::from_secs(5));
    loop {
        let answer = bench.send(&bench.forge.token_by(key.clone()).sign()).await;
        match answer {
            Ok(answer) if answer.is_accepted() => return Ok(()),
            Err(NoAnswer::Down(why)) => return Err(StepError::Down(why)),
            answer if tokio::time::Instant::now() >= until => {
                return Err(found(
                    expected,
                    answer.map_or_else(|none| none.words(), |answer: Answer| answer.words()),
                ));
            }
            _ => tokio::time::sleep(pause).await,
        }
    }
}
