//! Counters and gauges of one key set.

use std::sync::atomic::{AtomicU64, Ordering};

use metrics::{Counter, Gauge, Label, counter, gauge};

use super::status::{KeySetState, KeySetStatus};

/// The metric handles, registered with the recorder that is installed when the key set is built.
#[derive(Debug)]
pub(super) struct KeySetMetrics {
    fetches: Vec<MirroredCounter>,
    unknown_keys: Vec<MirroredCounter>,
    states: Vec<(KeySetState, Gauge)>,
    age_seconds: Gauge,
    keys: Gauge,
    ignored: Gauge,
}

/// How a request for an unknown key ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(
    not(feature = "remote"),
    expect(dead_code, reason = "fixed keys are never fetched")
)]
pub(super) enum UnknownKeyOutcome {
    /// The key is in the negative cache.
    Negative,
    /// The token bucket was empty.
    Limited,
    /// A fetch returned the key.
    Refreshed,
    /// A fetch succeeded without the key, or the keys are fixed.
    Missing,
    /// No fetch finished in time, or it failed: 503.
    Unavailable,
}

impl UnknownKeyOutcome {
    /// The metric labels, in the order of the variants.
    const LABELS: [&str; 5] = ["negative", "limited", "refreshed", "missing", "unavailable"];
}

impl KeySetMetrics {
    /// `key_set` distinguishes several key sets of the issuer. `outcomes` are the labels of finished
    /// attempts; fixed keys have none.
    pub(super) fn new(
        issuer: &str,
        key_set: Option<&str>,
        outcomes: impl IntoIterator<Item = &'static str>,
    ) -> Self {
        let labels = |additional: Option<(&'static str, &'static str)>| -> Vec<Label> {
            let issuer = Label::new("issuer", issuer.to_owned());
            let key_set = key_set.map(|key_set| Label::new("key_set", key_set.to_owned()));
            let additional = additional.map(|(name, value)| Label::new(name, value));
            [Some(issuer), key_set, additional]
                .into_iter()
                .flatten()
                .collect()
        };
        let fetch_counter = |outcome| {
            MirroredCounter::new(
                outcome,
                counter!(
                    "bearward_jwks_fetches_total",
                    labels(Some(("outcome", outcome)))
                ),
            )
        };
        let unknown_key_counter = |outcome| {
            MirroredCounter::new(
                outcome,
                counter!(
                    "bearward_unknown_keys_total",
                    labels(Some(("outcome", outcome)))
                ),
            )
        };
        let state_gauge = |state: KeySetState| {
            gauge!("bearward_jwks_state", labels(Some(("state", state.name()))))
        };
        Self {
            fetches: outcomes.into_iter().map(fetch_counter).collect(),
            unknown_keys: UnknownKeyOutcome::LABELS
                .into_iter()
                .map(unknown_key_counter)
                .collect(),
            states: KeySetState::ALL
                .into_iter()
                .map(|state| (state, state_gauge(state)))
                .collect(),
            age_seconds: gauge!("bearward_jwks_age_seconds", labels(None)),
            keys: gauge!("bearward_jwks_keys", labels(None)),
            ignored: gauge!("bearward_jwks_keys_ignored", labels(None)),
        }
    }

    /// Counts a finished attempt.
    #[cfg(feature = "remote")]
    pub(super) fn fetched(&self, outcome: &'static str) {
        if let Some(counter) = self.fetches.iter().find(|counter| counter.label == outcome) {
            counter.increment();
        }
    }

    /// Counts a request for an unknown key.
    pub(super) fn unknown_key(&self, outcome: UnknownKeyOutcome) {
        self.unknown_keys[outcome as usize].increment();
    }

    pub(super) fn fetches(&self) -> Vec<(&'static str, u64)> {
        self.fetches.iter().map(MirroredCounter::read).collect()
    }

    pub(super) fn unknown_keys(&self) -> Vec<(&'static str, u64)> {
        self.unknown_keys
            .iter()
            .map(MirroredCounter::read)
            .collect()
    }

    /// Sets the gauges.
    #[allow(
        clippy::cast_precision_loss,
        reason = "a gauge is a float; the numbers are far below 2^52"
    )]
    pub(super) fn publish(&self, status: &KeySetStatus) {
        for (state, gauge) in &self.states {
            gauge.set(if *state == status.state { 1.0 } else { 0.0 });
        }
        self.age_seconds
            .set(status.age.unwrap_or_default().as_secs_f64());
        self.keys.set(status.keys as f64);
        self.ignored.set(status.ignored.len() as f64);
    }
}

/// A counter that can be read: recorders do not return values, and `/health` shows them.
#[derive(Debug)]
struct MirroredCounter {
    label: &'static str,
    count: AtomicU64,
    counter: Counter,
}

impl MirroredCounter {
    fn new(label: &'static str, counter: Counter) -> Self {
        Self {
            label,
            count: AtomicU64::new(0),
            counter,
        }
    }

    fn increment(&self) {
        self.count.fetch_add(1, Ordering::Relaxed);
        self.counter.increment(1);
    }

    fn read(&self) -> (&'static str, u64) {
        (self.label, self.count.load(Ordering::Relaxed))
    }
}
