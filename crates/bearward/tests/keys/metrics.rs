//! What `/metrics` is told about the key sets.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use bearward_testing::Faults;
use futures_util::FutureExt;
use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};

use crate::stack::{MAX_STALE, REFRESHED, Stack, builder, idp, s};

/// Keeps every counter and gauge by its name and labels.
#[derive(Default)]
struct Kept(Mutex<BTreeMap<String, Arc<AtomicU64>>>);

impl Kept {
    fn cell(&self, key: &Key) -> Arc<AtomicU64> {
        let labels: Vec<String> = key
            .labels()
            .map(|label| format!("{}={}", label.key(), label.value()))
            .collect();
        self.0
            .lock()
            .unwrap()
            .entry(format!("{} {}", key.name(), labels.join(" ")))
            .or_default()
            .clone()
    }

    fn counter(&self, name: &str) -> u64 {
        self.0
            .lock()
            .unwrap()
            .get(name)
            .unwrap_or_else(|| panic!("no {name}"))
            .load(Ordering::SeqCst)
    }

    fn gauge(&self, name: &str) -> f64 {
        f64::from_bits(self.counter(name))
    }
}

impl Recorder for Kept {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.cell(key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.cell(key))
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}

/// A verifier whose handles are this recorder's: they are made when it is built.
async fn recorded() -> (Stack, Kept) {
    let (kept, idp) = (Kept::default(), idp().await);
    let building = builder(&idp).build();
    let auth = metrics::with_local_recorder(&kept, || building.now_or_never())
        .expect("no await")
        .unwrap();
    let stack = Stack {
        clock: idp.clock(),
        idp,
        auth,
    };
    stack.attempted(1).await;
    (stack, kept)
}

#[tokio::test]
async fn fetches_are_counted_by_outcome() {
    let (stack, kept) = recorded().await;
    let fetches = |outcome: &str| {
        kept.counter(&format!(
            "bearward_jwks_fetches_total issuer=mock outcome={outcome}"
        ))
    };
    assert_eq!(
        (
            fetches("updated"),
            fetches("not_modified"),
            fetches("no_usable_key")
        ),
        (1, 0, 0),
        "all are there from the start"
    );
    stack.advance(REFRESHED).await;
    stack.idp.set_faults(Faults::body(r#"{"keys":[]}"#));
    stack.advance(REFRESHED).await;
    stack.idp.outage();
    stack.refresh().await;
    stack.refresh().await;
    stack.idp.set_faults(Faults {
        no_etag: true,
        ..Faults::default()
    });
    stack.refresh().await;
    let found = [
        "updated",
        "not_modified",
        "no_usable_key",
        "status",
        "unchanged",
        "timeout",
    ]
    .map(fetches);
    assert_eq!(found, [1, 1, 1, 2, 1, 0]);
    assert_eq!(found.iter().sum::<u64>(), stack.status().attempts());
}

#[tokio::test]
async fn unknown_kids_are_counted_by_outcome() {
    let (stack, kept) = recorded().await;
    let unknown = || {
        ["negative", "limited", "refreshed", "missing", "unavailable"].map(|outcome| {
            kept.counter(&format!(
                "bearward_unknown_keys_total issuer=mock outcome={outcome}"
            ))
        })
    };
    let ask = async |kid: &str| stack.code(&stack.token().kid(kid).sign()).await;
    assert_eq!(unknown(), [0, 0, 0, 0, 0]);
    assert_eq!(ask("nobody").await, "UNKNOWN_KEY");
    assert_eq!(unknown(), [0, 0, 0, 1, 0]);
    assert_eq!(ask("nobody").await, "UNKNOWN_KEY");
    assert_eq!(unknown(), [1, 0, 0, 1, 0]);
    stack.idp.rotate();
    assert_eq!(stack.code(&stack.token().sign()).await, "OK");
    assert_eq!(unknown(), [1, 0, 1, 1, 0]);
    assert_eq!(ask("another").await, "UNKNOWN_KEY");
    assert_eq!(unknown(), [1, 1, 1, 1, 0]);
    stack.idp.outage();
    stack.advance(s(30)).await;
    assert_eq!(ask("a third").await, "KEYS_UNAVAILABLE");
    assert_eq!(unknown(), [1, 1, 1, 1, 1]);
}

#[tokio::test]
async fn gauges_tell_state_age_keys_and_skipped_keys() {
    let (stack, kept) = recorded().await;
    let states = || {
        stack.auth.publish_metrics();
        ["empty", "fresh", "stale", "expired", "fixed"]
            .map(|state| kept.gauge(&format!("bearward_jwks_state issuer=mock state={state}")))
    };
    let gauge = |name: &str| kept.gauge(&format!("bearward_jwks_{name} issuer=mock"));
    assert_eq!(
        states().map(|on| on > 0.0),
        [false, true, false, false, false]
    );
    stack.idp.rotate();
    let set = serde_json::json!({"keys": [stack.idp.key().jwk(), {"kty": "oct", "k": "AA"}]});
    stack.idp.set_faults(Faults::body(set.to_string()));
    stack.advance(REFRESHED).await;
    stack.idp.outage();
    stack.advance(s(600)).await;
    assert_eq!(
        states().map(|on| on > 0.0),
        [false, false, true, false, false]
    );
    let found = ["age_seconds", "keys", "keys_skipped"]
        .map(gauge)
        .map(|value| format!("{value}"));
    assert_eq!(found, ["600", "1", "1"]);
    stack.advance(MAX_STALE).await;
    assert_eq!(
        states().map(|on| on > 0.0),
        [false, false, false, true, false]
    );
}
