//! Verifications, counted by issuer and reason through the `metrics` facade.

use std::sync::Arc;

use metrics::{Counter, counter};

use super::error::Refusal;

/// The counters of one issuer. They reach the recorder that was installed when the verifier was built.
#[derive(Debug)]
pub(crate) struct Counters {
    accepted: Counter,
    hits: Counter,
}

impl Counters {
    pub(super) fn of(issuer: &Arc<str>) -> Self {
        let issuer = Arc::clone(issuer);
        Self {
            accepted: counter!("bearward_verifications_total", "issuer" => Arc::clone(&issuer), "outcome" => "accepted"),
            hits: counter!("bearward_verifications_total", "issuer" => issuer, "outcome" => "accepted_from_cache"),
        }
    }

    pub(super) fn accepted(&self) {
        self.accepted.increment(1);
    }

    pub(super) fn hit(&self) {
        self.hits.increment(1);
    }

    /// Reasons are a closed set, and so are the issuers' names: one that is not configured has none.
    pub(crate) fn refused(refusal: &Refusal) {
        let issuer = refusal.issuer.clone().unwrap_or_else(|| Arc::from("none"));
        counter!("bearward_verifications_total", "issuer" => issuer, "outcome" => refusal.rejection.reason()).increment(1);
    }
}
