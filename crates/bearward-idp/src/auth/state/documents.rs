//! The stored documents: read at start, and written after each change.

use std::collections::BTreeMap;

use serde::{Serialize, de::DeserializeOwned};
use uuid::Uuid;

use super::AuthState;

/// The kind of a stored document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum DocumentKind {
    User,
    Session,
    Mail,
    Ring,
    Client,
}

/// A changed document. `body` is `None` if the document was deleted.
pub(crate) struct Change {
    pub(crate) kind: &'static str,
    pub(crate) id: Uuid,
    pub(crate) body: Option<String>,
}

impl DocumentKind {
    const ALL: [Self; 5] = [
        Self::User,
        Self::Session,
        Self::Mail,
        Self::Ring,
        Self::Client,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Session => "session",
            Self::Mail => "mail",
            Self::Ring => "ring",
            Self::Client => "client",
        }
    }
}

impl AuthState {
    /// Adds a stored document. Returns `false` if it cannot be parsed.
    pub(crate) fn restore(&mut self, kind: &str, id: Uuid, body: &str) -> bool {
        fn put<T: DeserializeOwned>(into: &mut BTreeMap<Uuid, T>, id: Uuid, body: &str) -> bool {
            serde_json::from_str(body)
                .map(|document| into.insert(id, document))
                .is_ok()
        }
        match DocumentKind::ALL
            .into_iter()
            .find(|known| known.name() == kind)
        {
            Some(DocumentKind::User) => put(&mut self.users, id, body),
            Some(DocumentKind::Session) => put(&mut self.sessions, id, body),
            Some(DocumentKind::Mail) => put(&mut self.mails, id, body),
            Some(DocumentKind::Ring) => put(&mut self.rings, id, body),
            Some(DocumentKind::Client) => put(&mut self.clients, id, body),
            None => false,
        }
    }

    /// Returns the documents that changed since the last call.
    pub(crate) fn drain_changes(&mut self) -> Vec<Change> {
        fn write<T: Serialize>(documents: &BTreeMap<Uuid, T>, id: Uuid) -> Option<String> {
            serde_json::to_string(documents.get(&id)?).ok()
        }
        let dirty = std::mem::take(&mut self.dirty);
        let changes = dirty.into_iter().map(|(kind, id)| {
            let body = match kind {
                DocumentKind::User => write(&self.users, id),
                DocumentKind::Session => write(&self.sessions, id),
                DocumentKind::Mail => write(&self.mails, id),
                DocumentKind::Ring => write(&self.rings, id),
                DocumentKind::Client => write(&self.clients, id),
            };
            Change {
                kind: kind.name(),
                id,
                body,
            }
        });
        changes.collect()
    }

    pub(crate) fn discard_changes(&mut self) {
        self.dirty.clear();
    }
}
