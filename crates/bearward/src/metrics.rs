//! Counts verifications by issuer and outcome through the `metrics` facade.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use metrics::{Counter, counter};
use thread_local::ThreadLocal;

use super::{
    error::{AuthError, AuthFailure},
    logout_token::LogoutToken,
};

/// The counters of one issuer. They use the recorder that is installed when the verifier is built.
#[derive(Debug)]
pub(crate) struct VerificationMetrics {
    accepted: Counter,
    cache_hits: Counter,
    /// Cache hits per thread: threads do not contend for one counter.
    thread_hits: ThreadLocal<PaddedCounter>,
    /// The number of hits that the recorder has received.
    published: Mutex<u64>,
}

/// A counter in a cache line of its own.
#[derive(Debug, Default)]
#[repr(align(128))]
struct PaddedCounter(AtomicU64);

impl VerificationMetrics {
    pub(super) fn new(issuer: &Arc<str>) -> Self {
        let counter = |outcome| {
            counter!(
                "bearward_verifications_total",
                "issuer" => Arc::clone(issuer),
                "outcome" => outcome
            )
        };
        Self {
            accepted: counter("accepted"),
            cache_hits: counter("accepted_from_cache"),
            thread_hits: ThreadLocal::new(),
            published: Mutex::new(0),
        }
    }

    pub(super) fn record_accepted(&self) {
        self.accepted.increment(1);
        self.publish();
    }

    pub(super) fn record_cache_hit(&self) {
        // Only this thread writes its counter, so a load and a store suffice.
        let hits = &self.thread_hits.get_or_default().0;
        hits.store(hits.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }

    /// Passes the cache hits since the last call to the recorder.
    pub(crate) fn publish(&self) {
        let mut published = self
            .published
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let total = self
            .thread_hits
            .iter()
            .map(|hits| hits.0.load(Ordering::Relaxed))
            .sum();
        self.cache_hits
            .increment(u64::saturating_sub(total, *published));
        *published = total;
    }

    /// Counts a verified or rejected logout token.
    pub(crate) fn record_logout_token(result: &Result<LogoutToken, AuthFailure>) {
        let (issuer, outcome) = match result {
            Ok(token) => (Arc::from(token.issuer_name()), "accepted"),
            Err(failure) => (
                failure.issuer.clone().unwrap_or_else(|| Arc::from("none")),
                failure.error.metric_label(),
            ),
        };
        counter!("bearward_logout_tokens_total", "issuer" => issuer, "outcome" => outcome)
            .increment(1);
    }

    /// Counts a rejected token or service key. The labels have a bounded number of values: `issuer`
    /// and `service` are `none` unless a configured one was selected.
    pub(crate) fn record_rejected(failure: &AuthFailure) {
        if failure.service.is_some() || matches!(failure.error, AuthError::ServiceKey(_)) {
            let service = failure.service.clone().unwrap_or_else(|| Arc::from("none"));
            counter!(
                "bearward_service_keys_total",
                "service" => service,
                "outcome" => failure.error.metric_label()
            )
            .increment(1);
            return;
        }
        let issuer = failure.issuer.clone().unwrap_or_else(|| Arc::from("none"));
        counter!(
            "bearward_verifications_total",
            "issuer" => issuer,
            "outcome" => failure.error.metric_label()
        )
        .increment(1);
    }
}
