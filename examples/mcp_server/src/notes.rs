//! The notes of all users, in memory.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use bearward::Verified;
use serde::Serialize;

/// Notes of a user.
const MAX_NOTES: usize = 1000;

/// Users with notes.
const MAX_USERS: usize = 10_000;

/// Longest note, in bytes.
const MAX_BYTES: usize = 4096;

/// A note.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Note {
    id: u64,
    text: String,
}

/// The issuer and the subject: two issuers may use the same subject.
type Owner = (String, String);

/// Notes by owner. Every method takes the verified caller, so there is no access to other notes.
#[derive(Debug, Default)]
pub(crate) struct Notes(Mutex<BTreeMap<Owner, Vec<Note>>>);

impl Notes {
    pub(crate) fn list(&self, user: &Verified) -> Vec<Note> {
        self.lock().get(&owner(user)).cloned().unwrap_or_default()
    }

    /// Adds a note and returns it.
    ///
    /// # Errors
    /// A message for the client over one of the limits.
    pub(crate) fn add(&self, user: &Verified, text: String) -> Result<Note, &'static str> {
        if text.is_empty() || text.len() > MAX_BYTES {
            return Err("a note has 1 to 4096 bytes");
        }
        let mut all = self.lock();
        if all.len() >= MAX_USERS && !all.contains_key(&owner(user)) {
            return Err("too many users");
        }
        let notes = all.entry(owner(user)).or_default();
        if notes.len() >= MAX_NOTES {
            return Err("too many notes; delete some");
        }
        let id = notes.last().map_or(1, |last| last.id + 1);
        let note = Note { id, text };
        notes.push(note.clone());
        Ok(note)
    }

    /// Deletes a note. Returns `false` if the caller has none with this id.
    pub(crate) fn delete(&self, user: &Verified, id: u64) -> bool {
        let mut all = self.lock();
        let Some(notes) = all.get_mut(&owner(user)) else {
            return false;
        };
        let before = notes.len();
        notes.retain(|note| note.id != id);
        notes.len() < before
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Owner, Vec<Note>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn owner(user: &Verified) -> Owner {
    let (issuer, subject) = (user.canonical_issuer(), user.subject());
    (issuer.to_owned(), subject.to_owned())
}
