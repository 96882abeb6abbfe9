//! MFA challenges, and the assurance level of sessions.

use bearward::Timestamp;
use uuid::Uuid;

use super::{AuthState, DocumentKind};
use crate::auth::mfa::Challenge;

/// Number of MFA challenges; over it, expired ones are dropped, and then all.
const MAX_CHALLENGES: usize = 10_000;

impl AuthState {
    /// Adds an MFA challenge, and removes the expired ones.
    pub(crate) fn add_challenge(&mut self, challenge: Challenge, now: Timestamp) {
        if self.challenges.len() >= MAX_CHALLENGES {
            self.challenges.retain(|_, old| !old.is_expired(now));
        }
        if self.challenges.len() >= MAX_CHALLENGES {
            self.challenges.clear();
        }
        self.challenges.insert(challenge.id, challenge);
    }

    pub(crate) fn challenge_mut(&mut self, id: Uuid) -> Option<&mut Challenge> {
        self.challenges.get_mut(&id)
    }

    /// Raises a session to AAL2.
    pub(crate) fn add_second_factor(&mut self, session_id: Uuid, factor_id: Uuid, now: Timestamp) {
        self.dirty.insert((DocumentKind::Session, session_id));
        if let Some(session) = self.sessions.get_mut(&session_id) {
            session.add_second_factor(factor_id, now);
        }
    }

    /// Lowers the sessions of a removed factor to AAL1, and removes its challenges.
    pub(crate) fn remove_second_factor(&mut self, factor_id: Uuid) {
        self.challenges
            .retain(|_, challenge| challenge.factor_id != factor_id);
        for session in self.sessions.values_mut() {
            if session.remove_second_factor(factor_id) {
                self.dirty.insert((DocumentKind::Session, session.id));
            }
        }
    }
}
