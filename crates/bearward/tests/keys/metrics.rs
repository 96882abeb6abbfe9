//! Metrics of the key sets.

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

use crate::fixture::{Fixture, MAX_STALE, PAST_REFRESH, builder, idp, secs};

/// Records every counter and gauge by name and labels.
#[derive(Default)]
struct MetricRecorder(Mutex<BTreeMap<String, Arc<AtomicU64>>>);

impl MetricRecorder {
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

impl Recorder for MetricRecorder {
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

/// Builds a verifier that reports to the returned recorder. Metric handles are created at build time.
async fn start_with_recorder() -> (Fixture, MetricRecorder) {
    let (recorder, idp) = (MetricRecorder::default(), idp().await);
    let building = builder(&idp).build();
    let auth = metrics::with_local_recorder(&recorder, || building.now_or_never())
        .expect("building does not wait")
        .unwrap();
    let fixture = Fixture {
        clock: idp.clock(),
        idp,
        auth,
    };
    fixture.wait_for_attempts(1).await;
    (fixture, recorder)
}

#[tokio::test]
async fn fetches_are_counted_by_outcome() {
    let (fixture, recorder) = start_with_recorder().await;
    let fetches = |outcome: &str| {
        recorder.counter(&format!(
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
        "all outcomes are registered at startup"
    );
    fixture.advance(PAST_REFRESH).await;
    fixture.idp.set_faults(Faults::body(r#"{"keys":[]}"#));
    fixture.advance(PAST_REFRESH).await;
    fixture.idp.outage();
    fixture.refresh().await;
    fixture.refresh().await;
    fixture.idp.set_faults(Faults {
        no_etag: true,
        ..Faults::default()
    });
    fixture.refresh().await;
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
    assert_eq!(found.iter().sum::<u64>(), fixture.status().attempts());
}

#[tokio::test]
async fn unknown_kids_are_counted_by_outcome() {
    let (fixture, recorder) = start_with_recorder().await;
    let unknown = || {
        ["negative", "limited", "refreshed", "missing", "unavailable"].map(|outcome| {
            recorder.counter(&format!(
                "bearward_unknown_keys_total issuer=mock outcome={outcome}"
            ))
        })
    };
    let verify_kid = async |kid: &str| fixture.result_code(&fixture.token().kid(kid).sign()).await;
    assert_eq!(unknown(), [0, 0, 0, 0, 0]);
    assert_eq!(verify_kid("unknown").await, "UNKNOWN_KEY");
    assert_eq!(unknown(), [0, 0, 0, 1, 0]);
    assert_eq!(verify_kid("unknown").await, "UNKNOWN_KEY");
    assert_eq!(unknown(), [1, 0, 0, 1, 0]);
    fixture.idp.rotate();
    assert_eq!(fixture.result_code(&fixture.token().sign()).await, "OK");
    assert_eq!(unknown(), [1, 0, 1, 1, 0]);
    assert_eq!(verify_kid("another").await, "KEYS_UNAVAILABLE");
    assert_eq!(unknown(), [1, 1, 1, 1, 0]);
    fixture.idp.outage();
    fixture.advance(secs(30)).await;
    assert_eq!(verify_kid("a third").await, "KEYS_UNAVAILABLE");
    assert_eq!(unknown(), [1, 1, 1, 1, 1]);
}

#[tokio::test]
async fn gauges_report_state_age_and_keys() {
    let (fixture, recorder) = start_with_recorder().await;
    let states = || {
        fixture.auth.publish_metrics();
        ["empty", "fresh", "stale", "expired", "fixed"]
            .map(|state| recorder.gauge(&format!("bearward_jwks_state issuer=mock state={state}")))
    };
    let gauge = |name: &str| recorder.gauge(&format!("bearward_jwks_{name} issuer=mock"));
    assert_eq!(
        states().map(|on| on > 0.0),
        [false, true, false, false, false]
    );
    fixture.idp.rotate();
    let set = serde_json::json!({"keys": [fixture.idp.key().jwk(), {"kty": "oct", "k": "AA"}]});
    fixture.idp.set_faults(Faults::body(set.to_string()));
    fixture.advance(PAST_REFRESH).await;
    fixture.idp.outage();
    fixture.advance(secs(600)).await;
    assert_eq!(
        states().map(|on| on > 0.0),
        [false, false, true, false, false]
    );
    let found = ["age_seconds", "keys", "keys_ignored"]
        .map(gauge)
        .map(|value| format!("{value}"));
    assert_eq!(found, ["600", "1", "1"]);
    fixture.advance(MAX_STALE).await;
    assert_eq!(
        states().map(|on| on > 0.0),
        [false, false, false, true, false]
    );
}
