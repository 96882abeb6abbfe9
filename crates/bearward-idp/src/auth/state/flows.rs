//! Sign-in flows, which are not stored.

use bearward::Timestamp;
use uuid::Uuid;

use super::AuthState;
use crate::auth::flow::{self, Flow};

/// Number of sign-in flows; the oldest is dropped first.
const MAX_FLOWS: usize = 10_000;

impl AuthState {
    pub(crate) fn flow(&self, id: Uuid) -> Option<&Flow> {
        self.flows.get(&id)
    }

    pub(crate) fn flow_mut(&mut self, id: Uuid) -> Option<&mut Flow> {
        self.flows.get_mut(&id)
    }

    pub(crate) fn take_flow(&mut self, id: Uuid) -> Option<Flow> {
        self.flows.remove(&id)
    }

    pub(crate) fn start_flow(&mut self, flow: Flow, now: Timestamp) {
        self.flows
            .retain(|_, flow| now.millis() - flow.created_at <= flow::RETENTION_SECONDS * 1000);
        if self.flows.len() >= MAX_FLOWS {
            let oldest = self
                .flows
                .values()
                .min_by_key(|flow| flow.created_at)
                .map(|flow| flow.id);
            oldest.and_then(|oldest| self.flows.remove(&oldest));
        }
        self.flows.insert(flow.id, flow);
    }

    /// Returns the flow that issued this code.
    pub(crate) fn flow_by_code(&self, code: &str) -> Option<&Flow> {
        self.flows.values().find(|flow| flow.matches_code(code))
    }
}
