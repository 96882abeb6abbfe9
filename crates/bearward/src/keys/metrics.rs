//! The counts and gauges of one issuer's keys, kept for `/health` and published for `/metrics`.

use std::sync::atomic::{AtomicU64, Ordering};

use metrics::{Counter, Gauge, counter, gauge};

use super::status::{KeySetState, KeySetStatus};

/// Handles are made once, with the recorder that is installed when the key set is built.
#[derive(Debug)]
pub(super) struct VerificationMetrics {
    fetches: Vec<MirroredCounter>,
    unknown_keys: Vec<MirroredCounter>,
    phases: Vec<(KeySetState, Gauge)>,
    age_seconds: Gauge,
    keys: Gauge,
    skipped: Gauge,
}

/// How a request for an unknown key ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(
    not(feature = "remote"),
    expect(dead_code, reason = "fixed keys are never fetched")
)]
pub(super) enum UnknownKeyOutcome {
    /// The set had just been asked for this very key.
    Negative,
    /// The token bucket was empty.
    Limited,
    /// A fetch brought the key.
    Refreshed,
    /// A fetch succeeded without the key; or the keys are fixed.
    Missing,
    /// Nobody could say: 503.
    Unavailable,
}

impl UnknownKeyOutcome {
    const NAMES: [&str; 5] = ["negative", "limited", "refreshed", "missing", "unavailable"];
}

impl VerificationMetrics {
    /// `outcomes` are the labels of finished attempts; fixed keys have none.
    pub(super) fn new(issuer: &str, outcomes: impl IntoIterator<Item = &'static str>) -> Self {
        let issuer = || issuer.to_owned();
        let fetch = |outcome| {
            MirroredCounter::new(
                outcome,
                counter!("bearward_jwks_fetches_total", "issuer" => issuer(), "outcome" => outcome),
            )
        };
        let unknown = |outcome| {
            MirroredCounter::new(
                outcome,
                counter!("bearward_unknown_keys_total", "issuer" => issuer(), "outcome" => outcome),
            )
        };
        let gauge_of = |state: KeySetState| gauge!("bearward_jwks_state", "issuer" => issuer(), "state" => state.name());
        Self {
            fetches: outcomes.into_iter().map(fetch).collect(),
            unknown_keys: UnknownKeyOutcome::NAMES.into_iter().map(unknown).collect(),
            phases: KeySetState::ALL
                .into_iter()
                .map(|at| (at, gauge_of(at)))
                .collect(),
            age_seconds: gauge!("bearward_jwks_age_seconds", "issuer" => issuer()),
            keys: gauge!("bearward_jwks_keys", "issuer" => issuer()),
            skipped: gauge!("bearward_jwks_keys_skipped", "issuer" => issuer()),
        }
    }

    #[cfg(feature = "remote")]
    pub(super) fn fetched(&self, outcome: &'static str) {
        if let Some(tally) = self.fetches.iter().find(|tally| tally.name == outcome) {
            tally.increment();
        }
    }

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

    /// Age and phase change without any event, so the gauges are set whenever somebody looks.
    #[allow(
        clippy::cast_precision_loss,
        reason = "a gauge is a float, and nobody has 2^52 keys"
    )]
    pub(super) fn publish(&self, status: &KeySetStatus) {
        for (phase, gauge) in &self.phases {
            gauge.set(if *phase == status.state { 1.0 } else { 0.0 });
        }
        self.age_seconds
            .set(status.age.unwrap_or_default().as_secs_f64());
        self.keys.set(status.keys as f64);
        self.skipped.set(status.skipped.len() as f64);
    }
}

#[derive(Debug)]
struct MirroredCounter {
    name: &'static str,
    count: AtomicU64,
    published: Counter,
}

impl MirroredCounter {
    fn new(name: &'static str, published: Counter) -> Self {
        Self {
            name,
            count: AtomicU64::new(0),
            published,
        }
    }

    fn increment(&self) {
        self.count.fetch_add(1, Ordering::Relaxed);
        self.published.increment(1);
    }

    fn read(&self) -> (&'static str, u64) {
        (self.name, self.count.load(Ordering::Relaxed))
    }
}
