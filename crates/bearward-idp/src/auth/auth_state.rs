//! Everything that the auth API remembers: changed by functions of time, kept by whoever takes the
//! changes.

use std::collections::{BTreeMap, BTreeSet};

use bearward::Timestamp;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{
    error::AuthApiError,
    flow::{self, Flow},
    mail::{self, Mail},
    profile::Profile,
    session::{self, RefreshOutcome, Session},
    stored_keys::StoredKeyRing,
    user::User,
};

/// People, sessions, mails and sign-ins on their way.
#[derive(Default)]
pub(super) struct AuthState {
    people: BTreeMap<Uuid, User>,
    sessions: BTreeMap<Uuid, Session>,
    mails: BTreeMap<Uuid, Mail>,
    flows: BTreeMap<Uuid, Flow>,
    rings: BTreeMap<Uuid, StoredKeyRing>,
    touched: BTreeSet<(MailKind, Uuid)>,
}

/// What a document is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum MailKind {
    User,
    Session,
    Mail,
    Ring,
}

/// Something that changed: its new form, or that it is gone.
pub(super) struct Change {
    pub(super) kind: &'static str,
    pub(super) id: Uuid,
    pub(super) body: Option<String>,
}

/// An inbox of a development machine is read from its top.
const MAX_MAILS: usize = 500;

/// Sign-ins that nobody ended.
const MAX_FLOWS: usize = 10_000;

impl MailKind {
    const ALL: [Self; 4] = [Self::User, Self::Session, Self::Mail, Self::Ring];

    fn name(self) -> &'static str {
        match self {
            Self::User => "person",
            Self::Session => "session",
            Self::Mail => "mail",
            Self::Ring => "ring",
        }
    }
}

impl AuthState {
    /// Puts a kept document back. `false` when it cannot be read.
    pub(super) fn restore(&mut self, kind: &str, id: Uuid, body: &str) -> bool {
        fn put<T: DeserializeOwned>(into: &mut BTreeMap<Uuid, T>, id: Uuid, body: &str) -> bool {
            serde_json::from_str(body)
                .map(|document| into.insert(id, document))
                .is_ok()
        }
        match MailKind::ALL.into_iter().find(|known| known.name() == kind) {
            Some(MailKind::User) => put(&mut self.people, id, body),
            Some(MailKind::Session) => put(&mut self.sessions, id, body),
            Some(MailKind::Mail) => put(&mut self.mails, id, body),
            Some(MailKind::Ring) => put(&mut self.rings, id, body),
            None => false,
        }
    }

    /// What has changed since this was asked last.
    pub(super) fn take_changes(&mut self) -> Vec<Change> {
        fn write<T: Serialize>(documents: &BTreeMap<Uuid, T>, id: Uuid) -> Option<String> {
            serde_json::to_string(documents.get(&id)?).ok()
        }
        let touched = std::mem::take(&mut self.touched);
        let changes = touched.into_iter().map(|(kind, id)| {
            let body = match kind {
                MailKind::User => write(&self.people, id),
                MailKind::Session => write(&self.sessions, id),
                MailKind::Mail => write(&self.mails, id),
                MailKind::Ring => write(&self.rings, id),
            };
            Change {
                kind: kind.name(),
                id,
                body,
            }
        });
        changes.collect()
    }

    pub(super) fn forget_changes(&mut self) {
        self.touched.clear();
    }

    pub(super) fn people(&self) -> impl Iterator<Item = &User> {
        self.people.values()
    }

    pub(super) fn person(&self, id: Uuid) -> Option<&User> {
        self.people.get(&id)
    }

    pub(super) fn person_mut(&mut self, id: Uuid) -> Option<&mut User> {
        self.touched.insert((MailKind::User, id));
        self.people.get_mut(&id)
    }

    pub(super) fn by_email(&self, email: &str) -> Option<&User> {
        self.people
            .values()
            .find(|person| !email.is_empty() && person.email == email)
    }

    pub(super) fn add(&mut self, person: User) -> Uuid {
        let id = person.id;
        self.touched.insert((MailKind::User, id));
        self.people.insert(id, person);
        id
    }

    /// Takes somebody out, with everything that belongs to them.
    pub(super) fn remove(&mut self, id: Uuid) -> bool {
        self.end_sessions(|session| session.person == id);
        let mails: Vec<Uuid> = self
            .mails
            .values()
            .filter(|mail| mail.person == id)
            .map(|mail| mail.id)
            .collect();
        for mail in mails {
            self.touched.insert((MailKind::Mail, mail));
            self.mails.remove(&mail);
        }
        self.touched.insert((MailKind::User, id));
        self.people.remove(&id).is_some()
    }

    /// Somebody comes from a provider: by a known identity, else to the account of the same
    /// verified address, else as somebody new.
    ///
    /// # Errors
    /// 422 `signup_disabled` for somebody new where nobody new may come, 403 `user_banned`.
    pub(super) fn arrive(
        &mut self,
        profile: &Profile,
        metadata: Map<String, Value>,
        may_sign_up: bool,
        now: Timestamp,
    ) -> Result<Uuid, AuthApiError> {
        let provider = profile.provider.name();
        let has = |person: &&User| {
            let mut identities = person.identities.iter();
            identities.any(|identity| {
                identity.provider == provider && identity.provider_id == profile.subject
            })
        };
        let known = self.people.values().find(has).map(|person| person.id);
        let linked = || {
            self.by_email(&profile.email)
                .filter(|_| profile.email_verified)
                .map(|person| person.id)
        };
        let id = match known.or_else(linked) {
            Some(id) => id,
            None if !may_sign_up => {
                return Err(AuthApiError::new(
                    422,
                    "signup_disabled",
                    "Signups not allowed for this instance",
                ));
            }
            None => {
                // An address that is somebody else's, and that nobody verified, is not given to a
                // second account.
                let email = if self.by_email(&profile.email).is_some() {
                    ""
                } else {
                    profile.email.as_str()
                };
                let mut person = User::new(email, Map::new(), now);
                person.is_anonymous = false;
                self.add(person)
            }
        };
        let Some(person) = self.person_mut(id) else {
            return Err(AuthApiError::new(
                500,
                "unexpected_failure",
                "Nobody is there",
            ));
        };
        if person.banned {
            return Err(AuthApiError::new(403, "user_banned", "User is banned"));
        }
        if profile.email_verified && person.email == profile.email {
            person.drop_unconfirmed_identities();
            person.confirm(now);
        }
        person.user_metadata.extend(metadata.clone());
        person.identify(provider, &profile.subject, metadata, now);
        person.updated_at = now.millis();
        Ok(id)
    }

    pub(super) fn sessions(&self) -> impl Iterator<Item = &Session> {
        self.sessions.values()
    }

    pub(super) fn session(&self, id: Uuid) -> Option<&Session> {
        self.sessions.get(&id)
    }

    /// Signs somebody in.
    pub(super) fn open_session(&mut self, person: Uuid, method: &str, now: Timestamp) -> Uuid {
        if let Some(person) = self.person_mut(person) {
            person.last_sign_in_at = Some(now.millis());
        }
        let session = Session::new(person, method, now);
        let id = session.id;
        self.touched.insert((MailKind::Session, id));
        self.sessions.insert(id, session);
        id
    }

    /// Signs out every session that is meant.
    pub(super) fn end_sessions(&mut self, is_meant: impl Fn(&Session) -> bool) {
        let ended: Vec<Uuid> = self
            .sessions
            .values()
            .filter(|session| is_meant(session))
            .map(|session| session.id)
            .collect();
        for id in ended {
            self.touched.insert((MailKind::Session, id));
            self.sessions.remove(&id);
        }
    }

    /// Takes a refresh token and tells whose session goes on. A stolen one ends its session, for
    /// the thief and for the owner.
    ///
    /// # Errors
    /// 400 `refresh_token_not_found`, `refresh_token_already_used`, `session_not_found`,
    /// `user_banned`.
    pub(super) fn refresh(&mut self, token: &str, now: Timestamp) -> Result<Uuid, AuthApiError> {
        let unknown = AuthApiError::new(
            400,
            "refresh_token_not_found",
            "Invalid Refresh Token: Refresh Token Not Found",
        );
        let id = session::session_of(token)
            .filter(|id| self.sessions.contains_key(id))
            .ok_or(unknown.clone())?;
        let Some(session) = self.sessions.get_mut(&id) else {
            return Err(unknown);
        };
        let Some(person) = self.people.get(&session.person) else {
            return Err(AuthApiError::new(
                400,
                "session_not_found",
                "Invalid Refresh Token: No Valid Session Found",
            ));
        };
        let is_banned = person.banned;
        self.touched.insert((MailKind::Session, id));
        match session.refresh(token, now) {
            None => Err(unknown),
            Some(_) if is_banned => Err(AuthApiError::new(
                400,
                "user_banned",
                "Invalid Refresh Token: User Banned",
            )),
            Some(RefreshOutcome::Next | RefreshOutcome::Again) => Ok(id),
            Some(RefreshOutcome::ReuseDetected) => {
                self.sessions.remove(&id);
                Err(AuthApiError::new(
                    400,
                    "refresh_token_already_used",
                    "Invalid Refresh Token: Already Used",
                ))
            }
        }
    }

    /// Mails, the last one first.
    pub(super) fn mails(&self) -> Vec<&Mail> {
        let mut mails: Vec<&Mail> = self.mails.values().collect();
        mails.sort_by_key(|mail| (std::cmp::Reverse(mail.sent_at), mail.id));
        mails
    }

    /// Puts a mail into the inbox; an earlier one of its kind no longer works.
    pub(super) fn send(&mut self, mail: Mail) {
        let replaced = |old: &&mut Mail| {
            old.person == mail.person && old.kind.is_replaced_by(mail.kind) && !old.is_spent
        };
        for old in self.mails.values_mut().filter(replaced) {
            old.is_spent = true;
            self.touched.insert((MailKind::Mail, old.id));
        }
        let oldest = self
            .mails
            .values()
            .min_by_key(|mail| mail.sent_at)
            .map(|mail| mail.id);
        if let Some(oldest) = oldest.filter(|_| self.mails.len() >= MAX_MAILS) {
            self.mails.remove(&oldest);
            self.touched.insert((MailKind::Mail, oldest));
        }
        self.touched.insert((MailKind::Mail, mail.id));
        self.mails.insert(mail.id, mail);
    }

    pub(super) fn empty_inbox(&mut self) {
        let mails = std::mem::take(&mut self.mails);
        self.touched
            .extend(mails.into_keys().map(|id| (MailKind::Mail, id)));
    }

    /// The usable mail that `fits`; it works once.
    pub(super) fn spend(
        &mut self,
        now: Timestamp,
        fits: impl Fn(&mut Mail) -> bool,
    ) -> Option<Mail> {
        for mail in self.mails.values_mut().filter(|mail| mail.is_usable(now)) {
            let is_right = fits(mail);
            self.touched.insert((MailKind::Mail, mail.id));
            if is_right {
                mail.is_spent = true;
                return Some(mail.clone());
            }
        }
        None
    }

    /// Does what the mail was for: confirms an address, or a new one.
    pub(super) fn follow(&mut self, mail: &Mail, now: Timestamp) -> Result<Uuid, AuthApiError> {
        let is_taken = self
            .by_email(&mail.to)
            .is_some_and(|other| other.id != mail.person);
        let gone = AuthApiError::new(403, "otp_expired", "Email link is invalid or has expired");
        let person = self.person_mut(mail.person).ok_or(gone.clone())?;
        if person.banned {
            return Err(AuthApiError::new(403, "user_banned", "User is banned"));
        }
        if mail.kind == mail::MailKind::EmailChange {
            if is_taken || person.new_email.as_deref() != Some(mail.to.as_str()) {
                return Err(gone);
            }
            person.change_email(&mail.to, now);
        }
        person.confirm(now);
        person.updated_at = now.millis();
        Ok(mail.person)
    }

    pub(super) fn ring(&self, id: Uuid) -> Option<&StoredKeyRing> {
        self.rings.get(&id)
    }

    pub(super) fn keep_ring(&mut self, id: Uuid, ring: StoredKeyRing) {
        self.touched.insert((MailKind::Ring, id));
        self.rings.insert(id, ring);
    }

    pub(super) fn flow(&self, id: Uuid) -> Option<&Flow> {
        self.flows.get(&id)
    }

    pub(super) fn flow_mut(&mut self, id: Uuid) -> Option<&mut Flow> {
        self.flows.get_mut(&id)
    }

    pub(super) fn take_flow(&mut self, id: Uuid) -> Option<Flow> {
        self.flows.remove(&id)
    }

    pub(super) fn begin(&mut self, flow: Flow, now: Timestamp) {
        self.flows
            .retain(|_, flow| now.millis() - flow.created_at <= flow::REMEMBERED_SECONDS * 1000);
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

    /// The sign-in that waits for this code.
    pub(super) fn flow_of_code(&self, code: &str) -> Option<&Flow> {
        self.flows.values().find(|flow| flow.answers_to(code))
    }
}
