//! Registered OAuth clients.

use uuid::Uuid;

use super::{AuthState, DocumentKind};
use crate::auth::oauth_server::OAuthClient;

/// Number of OAuth clients; the oldest is dropped first, with its sessions.
pub(crate) const MAX_CLIENTS: usize = 1000;

impl AuthState {
    pub(crate) fn client(&self, id: Uuid) -> Option<&OAuthClient> {
        self.clients.get(&id)
    }

    /// Adds an OAuth client. Over [`MAX_CLIENTS`] the oldest one is removed with its sessions.
    pub(crate) fn add_client(&mut self, client: OAuthClient) {
        let oldest = self
            .clients
            .values()
            .min_by_key(|client| client.created_at());
        let oldest = oldest
            .map(|client| client.id)
            .filter(|_| self.clients.len() >= MAX_CLIENTS);
        if let Some(oldest) = oldest {
            self.revoke_sessions(|session| session.client_id() == Some(oldest));
            self.clients.remove(&oldest);
            self.dirty.insert((DocumentKind::Client, oldest));
        }
        self.dirty.insert((DocumentKind::Client, client.id));
        self.clients.insert(client.id, client);
    }
}
