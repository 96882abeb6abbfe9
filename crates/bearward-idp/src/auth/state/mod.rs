//! The state of the auth API. Its methods take the time as an argument; changes are collected for
//! the data file.

mod clients;
mod documents;
mod flows;
mod identities;
mod mails;
mod second_factors;
mod sessions;
mod users;

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use self::documents::DocumentKind;
use super::{
    back_channel::Logout,
    flow::Flow,
    mail::Mail,
    mfa::Challenge,
    oauth_server::{Authorizations, OAuthClient},
    session::Session,
    stored_keys::StoredKeyRing,
    user::User,
};

#[cfg(test)]
pub(crate) use self::clients::MAX_CLIENTS;
pub(crate) use self::{
    documents::Change,
    identities::{EMAIL_EXISTS, SignInRules},
    mails::AppliedMail,
};

/// Users, sessions, mails, sign-in flows, OAuth clients and key rings.
#[derive(Default)]
pub(crate) struct AuthState {
    users: BTreeMap<Uuid, User>,
    sessions: BTreeMap<Uuid, Session>,
    mails: BTreeMap<Uuid, Mail>,
    flows: BTreeMap<Uuid, Flow>,
    challenges: BTreeMap<Uuid, Challenge>,
    rings: BTreeMap<Uuid, StoredKeyRing>,
    clients: BTreeMap<Uuid, OAuthClient>,
    pub(crate) authorizations: Authorizations,
    dirty: BTreeSet<(DocumentKind, Uuid)>,
    /// What has ended since the last call of [`take_logouts`](AuthState::take_logouts).
    logouts: Vec<Logout>,
}

impl AuthState {
    /// Returns what has ended since the last call.
    pub(crate) fn take_logouts(&mut self) -> Vec<Logout> {
        std::mem::take(&mut self.logouts)
    }

    pub(crate) fn key_ring(&self, id: Uuid) -> Option<&StoredKeyRing> {
        self.rings.get(&id)
    }

    pub(crate) fn store_key_ring(&mut self, id: Uuid, ring: StoredKeyRing) {
        self.dirty.insert((DocumentKind::Ring, id));
        self.rings.insert(id, ring);
    }
}
