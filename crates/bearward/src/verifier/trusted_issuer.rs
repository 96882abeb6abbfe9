//! One issuer with its keys and counters.

use std::sync::Arc;

use crate::{
    issuer::Issuer,
    keys::{KeySet, KeySetStatus},
    metrics::VerificationMetrics,
};

/// An issuer's configuration, keys and counters.
pub(crate) struct TrustedIssuer {
    pub(crate) config: Issuer,
    /// Never empty.
    pub(crate) key_sets: Vec<KeySet>,
    pub(crate) metrics: VerificationMetrics,
    /// The accepted values of `iss`, shared with the verified tokens.
    accepted_issuers: Vec<Arc<str>>,
}

impl TrustedIssuer {
    pub(crate) fn new(config: Issuer, key_sets: Vec<KeySet>) -> Self {
        let accepted_issuers = config
            .accepted_issuers
            .iter()
            .map(|iss| Arc::from(iss.as_ref()))
            .collect();
        Self {
            metrics: VerificationMetrics::new(&config.name),
            accepted_issuers,
            config,
            key_sets,
        }
    }

    /// Returns the state of each key set.
    pub(crate) fn statuses(&self) -> impl Iterator<Item = KeySetStatus> {
        self.key_sets.iter().map(KeySet::status)
    }

    /// Returns the first accepted `iss`. If the issuer has a placeholder, it is the token's `iss`,
    /// because the tenants of a template never share rows.
    pub(super) fn canonical_issuer(&self, iss: &str) -> Arc<str> {
        if self.config.template.is_some() {
            self.issuer_alias(iss)
        } else {
            self.issuer_alias(self.config.iss())
        }
    }

    /// Returns the shared copy of an accepted `iss`.
    pub(super) fn issuer_alias(&self, iss: &str) -> Arc<str> {
        self.accepted_issuers
            .iter()
            .find(|accepted| ***accepted == *iss)
            .cloned()
            .unwrap_or_else(|| Arc::from(iss))
    }
}
