//! Verifications, counted by issuer and reason through the `metrics` facade.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use metrics::{Counter, counter};
use thread_local::ThreadLocal;

use super::error::AuthFailure;

/// The counters of one issuer. They reach the recorder that was installed when the verifier was
/// built.
#[derive(Debug)]
pub(crate) struct VerificationMetrics {
    accepted: Counter,
    hits: Counter,
    /// Cache hits of each thread, so that counting them makes no thread wait for another's memory.
    own_hits: ThreadLocal<PaddedCounter>,
    /// How many of them the recorder knows.
    published: Mutex<u64>,
}

/// A cache line of its own.
#[derive(Debug, Default)]
#[repr(align(128))]
struct PaddedCounter(AtomicU64);

impl VerificationMetrics {
    pub(super) fn of(issuer: &Arc<str>) -> Self {
        let of = |outcome| counter!("bearward_verifications_total", "issuer" => Arc::clone(issuer), "outcome" => outcome);
        Self {
            accepted: of("accepted"),
            hits: of("accepted_from_cache"),
            own_hits: ThreadLocal::new(),
            published: Mutex::new(0),
        }
    }

    pub(super) fn accepted(&self) {
        self.accepted.increment(1);
        self.publish();
    }

    pub(super) fn hit(&self) {
        // One writer: a load and a store, no locked instruction.
        let own = &self.own_hits.get_or_default().0;
        own.store(own.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }

    /// Tells the recorder of the hits since the last time.
    pub(crate) fn publish(&self) {
        let mut published = self
            .published
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let total = self
            .own_hits
            .iter()
            .map(|own| own.0.load(Ordering::Relaxed))
            .sum();
        self.hits.increment(u64::saturating_sub(total, *published));
        *published = total;
    }

    /// Reasons are a closed set, and so are the issuers' names: one that is not configured has
    /// none.
    pub(crate) fn refused(refusal: &AuthFailure) {
        let issuer = refusal.issuer.clone().unwrap_or_else(|| Arc::from("none"));
        counter!("bearward_verifications_total", "issuer" => issuer, "outcome" => refusal.error.metric_label()).increment(1);
    }
}
